/**
 * Guesses which sampled page faults were reads, for texts that do not say: a page that faults twice with no
 * unmapping and no fork between was read first (and got the zero page), then written. All other faults count
 * as writes.
 *
 *     fault A (write?) … fault A again   ⇒   read A … write A
 *
 * A sink before the sink, which holds back the last 2^20 items, so that an earlier record can still be
 * changed. A second fault that comes later than that does not change the first.
 */
import { REF, type TraceEvent } from "../records.ts";
import { SLOT_PAGES, type TraceSink } from "../trace/sink.ts";

const WINDOW_ITEMS = 1 << 20;

export interface ReadFirstSink extends TraceSink {
  /** Passes on what is still held back. */
  flush(): void;
}

interface Window {
  readonly sink: TraceSink;
  readonly size: number;
  /** Rings: the item with running number n stands in row n mod size. */
  readonly thread: Int32Array;
  readonly page: Uint32Array;
  readonly kind: Uint8Array;
  readonly gap: Uint32Array;
  /** The items that are events, by running number. */
  readonly events: Map<number, TraceEvent>;
  readonly processOfThread: number[];
  /** Running number of each process's last fork. */
  readonly forkedAt: number[];
  /** Page → running number of its last fault, plus one. */
  faultedAt: Float64Array;
  oldest: number;
  next: number;
}

/** A sink before that sink. */
export function makeReadFirstSink(sink: TraceSink, windowItems = WINDOW_ITEMS): ReadFirstSink {
  const w: Window = {
    sink,
    size: windowItems,
    thread: new Int32Array(windowItems),
    page: new Uint32Array(windowItems),
    kind: new Uint8Array(windowItems),
    gap: new Uint32Array(windowItems),
    events: new Map(),
    processOfThread: [],
    forkedAt: [],
    faultedAt: new Float64Array(64 * SLOT_PAGES),
    oldest: 0,
    next: 0,
  };
  return {
    describe: (header) => sink.describe(header),
    thread(facts) {
      const index = sink.thread(facts);
      w.processOfThread[index] = facts.process;
      return index;
    },
    slot: (process, region) => takeSlot(w, process, region),
    reference: (thread, page, kind, _reads, _writes, gap) => takeFault(w, thread, page, kind, gap),
    event(event) {
      makeRoom(w);
      if (event.kind === "fork") w.forkedAt[w.processOfThread[event.thread]!] = w.next;
      w.events.set(w.next++, event);
    },
    flush() {
      while (w.oldest < w.next) passOldest(w);
    },
  };
}

function takeSlot(w: Window, process: number, region: number): number {
  const slot = w.sink.slot(process, region);
  if ((slot + 1) * SLOT_PAGES > w.faultedAt.length) {
    const grown = new Float64Array(w.faultedAt.length * 2);
    grown.set(w.faultedAt);
    w.faultedAt = grown;
  }
  return slot;
}

function takeFault(w: Window, thread: number, page: number, kind: number, gap: number): void {
  makeRoom(w);
  const again = (kind & REF.FIRST) === 0 && (kind & REF.KIND) === REF.WRITE;
  if (again) {
    turnFirstIntoRead(w, page, w.processOfThread[thread]!);
    kind |= REF.PROTECTION;
  }
  w.faultedAt[page] = w.next + 1;
  const row = w.next++ % w.size;
  w.thread[row] = thread;
  w.page[row] = page;
  w.kind[row] = kind;
  w.gap[row] = gap;
}

function makeRoom(w: Window): void {
  if (w.next - w.oldest >= w.size) passOldest(w);
}

function passOldest(w: Window): void {
  const row = w.oldest % w.size;
  const event = w.events.get(w.oldest);
  if (event !== undefined) {
    w.events.delete(w.oldest);
    w.sink.event(event);
  } else {
    const kind = w.kind[row]!;
    const written = (kind & REF.KIND) === REF.WRITE ? 1 : 0;
    w.sink.reference(w.thread[row]!, w.page[row]!, kind, 1 - written, written, w.gap[row]!);
  }
  w.oldest++;
}

function turnFirstIntoRead(w: Window, page: number, process: number): void {
  const first = w.faultedAt[page]! - 1;
  if (first < w.oldest || first < (w.forkedAt[process] ?? 0)) return;
  const row = first % w.size;
  const kind = w.kind[row]!;
  const onlyWrite = (kind & REF.KIND) === REF.WRITE && (kind & REF.FIRST) !== 0;
  if (onlyWrite) w.kind[row] = (kind & ~REF.KIND) | REF.READ;
}
