/**
 * Strategy: two processes map, unmap, move, discard and touch pages of a few regions, one forks the other's
 * memory, either runs a program. The dumb twin is a set of touched addresses for each process.
 * Invariants: a record bears FIRST exactly when the twin has not seen its page; slots are numbered densely
 * and each stands for one region of one process; a thread's gaps add up to the time
 * since its birth.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import { REF } from "../records.ts";
import type { TraceSink } from "../trace/sink.ts";
import {
  addProcess,
  addThread,
  makeRecorder,
  type RecordedThread,
  recordEvent,
  recordFork,
  recordReference,
} from "./recorder.ts";

/** Pages 0…1535 are three regions; page numbers in steps keep collisions frequent. */
const vpn = fc.integer({ min: 0, max: 30 }).map((n) => n * 51);
const pages = fc.constantFrom(1, 51, 102, 600);
const step = fc.record({
  who: fc.integer({ min: 0, max: 1 }),
  op: fc.constantFrom("touch", "touch", "touch", "map", "unmap", "dontneed", "move", "exec", "fork"),
  vpn,
  pages,
  to: vpn,
});

const PAGE = 4096;

function sinkOf(slots: string[], firsts: boolean[], gaps: number[]): TraceSink {
  let threads = 0;
  return {
    describe: () => true,
    thread: () => threads++,
    slot: (process, region) => slots.push(`${process}:${region}`) - 1,
    reference: (thread, page, kind, _reads, _writes, gap) => {
      firsts.push((kind & REF.FIRST) !== 0);
      expect(Math.floor(page / 512)).toBeLessThan(slots.length);
      gaps[thread] = (gaps[thread] ?? 0) + gap;
    },
    event: ({ thread, gap }) => {
      gaps[thread] = (gaps[thread] ?? 0) + gap;
    },
  };
}

test("FIRST is told exactly for pages that were not referenced since they were mapped", () => {
  const claim = fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
    const slots: string[] = [];
    const firsts: boolean[] = [];
    const gaps: number[] = [];
    const r = makeRecorder(sinkOf(slots, firsts, gaps), {});
    const threads: RecordedThread[] = [0, 1].map((pid) => addThread(r, addProcess(r, pid, ""), pid, 0));
    const twins = [new Set<number>(), new Set<number>()];
    const expected: boolean[] = [];
    const births = [0, 0];
    let time = 0;
    for (const { who, op, vpn: first, pages: count, to } of steps) {
      time += 10;
      const thread = threads[who]!;
      const twin = twins[who]!;
      const range = Array.from({ length: count }, (_, i) => first + i);
      const start = first * PAGE;
      const length = count * PAGE;
      if (op === "touch") {
        expected.push(!twin.has(first));
        twin.add(first);
        recordReference(r, thread, first, REF.WRITE, 0, 1, time);
      } else if (op === "map" || op === "unmap" || op === "dontneed") {
        for (const page of range) twin.delete(page);
        if (op === "unmap") recordEvent(r, thread, time, { kind: "unmap", start, length });
        else if (op === "dontneed")
          recordEvent(r, thread, time, { kind: "advise", start, length, advice: op });
        else {
          const flags = { shared: false, fixed: true, stack: false, file: false };
          const map = { start, length, prot: 3, ...flags, noreserve: false, populate: false };
          recordEvent(r, thread, time, { kind: "map", ...map });
        }
      } else if (op === "move") {
        const moved = range.filter((page) => twin.has(page)).map((page) => page - first + to);
        const replaced = range.map((page) => page - first + to);
        if (to !== first) for (const page of [...range, ...replaced]) twin.delete(page);
        for (const page of moved) twin.add(page);
        const target = { newStart: to * PAGE, newLength: length };
        recordEvent(r, thread, time, { kind: "remap", start, length, ...target, fixed: true });
      } else if (op === "exec") {
        twin.clear();
        recordEvent(r, thread, time, { kind: "exec", name: "" });
      } else {
        const child = recordFork(r, thread, { pid: 9, tid: 9, vfork: false }, time);
        births[child.index] = time;
        threads[1 - who] = child;
        twins[1 - who] = new Set(twin);
      }
    }
    expect(firsts).toEqual(expected);
    expect(new Set(slots).size).toBe(slots.length);
    for (const { index, lastTime } of threads) expect(gaps[index] ?? 0).toBe(lastTime - births[index]!);
  });
  fc.assert(claim, { numRuns: 400 });
});
