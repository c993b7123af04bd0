/**
 * Guesses which sampled page faults were reads, for texts that do not say: a page that faults twice with no unmapping and
 * no fork between was read first (and got the zero page), then written. All other faults count as writes.
 *
 *     fault A (write?) … fault A again   ⇒   read A … write A
 *
 * A sink before the sink, which holds back the last 2^20 items, so that an earlier record can still be changed. A second
 * fault that comes later than that does not change the first.
 */
import { REF, type TraceEvent } from "../records.ts";
import type { TraceSink } from "../trace/sink.ts";

const WINDOW_ITEMS = 1 << 20;

export interface ReadFirstSink extends TraceSink {
  /** Passes on what is still held back. */
  flush(): void;
}

export function makeReadFirstSink(sink: TraceSink, windowItems = WINDOW_ITEMS): ReadFirstSink {
  // Rings: the item with running number n stands in row n mod windowItems.
  const thread = new Int32Array(windowItems);
  const page = new Uint32Array(windowItems);
  const kind = new Uint8Array(windowItems);
  const gap = new Uint32Array(windowItems);
  const events = new Map<number, TraceEvent>();
  const processOfThread: number[] = [];
  /** Running number of each process's last fork. */
  const forkedAt: number[] = [];
  /** Page → running number of its last fault, plus one. */
  let faultedAt = new Float64Array(512 * 64);
  let oldest = 0;
  let next = 0;

  const passOldest = (): void => {
    const row = oldest % windowItems;
    const event = events.get(oldest);
    if (event !== undefined) {
      events.delete(oldest);
      sink.event(event);
    } else {
      const written = (kind[row]! & REF.KIND) === REF.WRITE ? 1 : 0;
      sink.reference(thread[row]!, page[row]!, kind[row]!, 1 - written, written, gap[row]!);
    }
    oldest++;
  };
  const makeRoom = (): void => {
    if (next - oldest >= windowItems) passOldest();
  };
  const turnFirstIntoRead = (tracePage: number, process: number): void => {
    const first = faultedAt[tracePage]! - 1;
    if (first < oldest || first < (forkedAt[process] ?? 0)) return;
    const row = first % windowItems;
    const onlyWrite = (kind[row]! & REF.KIND) === REF.WRITE && (kind[row]! & REF.FIRST) !== 0;
    if (onlyWrite) kind[row] = (kind[row]! & ~REF.KIND) | REF.READ;
  };
  return {
    describe: (header) => sink.describe(header),
    thread(facts) {
      const index = sink.thread(facts);
      processOfThread[index] = facts.process;
      return index;
    },
    slot(process, region) {
      const slot = sink.slot(process, region);
      if ((slot + 1) * 512 > faultedAt.length) {
        const grown = new Float64Array(faultedAt.length * 2);
        grown.set(faultedAt);
        faultedAt = grown;
      }
      return slot;
    },
    reference(byThread, tracePage, itsKind, _reads, _writes, itsGap) {
      makeRoom();
      const again = (itsKind & REF.FIRST) === 0 && (itsKind & REF.KIND) === REF.WRITE;
      if (again) {
        turnFirstIntoRead(tracePage, processOfThread[byThread]!);
        itsKind |= REF.PROTECTION;
      }
      faultedAt[tracePage] = next + 1;
      const row = next++ % windowItems;
      thread[row] = byThread;
      page[row] = tracePage;
      kind[row] = itsKind;
      gap[row] = itsGap;
    },
    event(event) {
      makeRoom();
      if (event.kind === "fork") forkedAt[processOfThread[event.thread]!] = next;
      events.set(next++, event);
    },
    flush() {
      while (oldest < next) passOldest();
    },
  };
}
