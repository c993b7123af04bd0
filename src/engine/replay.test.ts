import { expect, test } from "vitest";
import { LIFE } from "../core/geometry.ts";
import { GIB } from "../core/units.ts";
import { generationByName } from "../generations/index.ts";
import { HARDWARE } from "../hardware/index.ts";
import { evenDistances } from "../kernel/machine.ts";
import type { Result } from "../metrics/result.ts";
import { makeRefBatch, REF, type RefBatch, type TraceEvent, type TraceReader } from "../workloads/records.ts";
import { simulateTrace } from "./simulate.ts";

/** Region numbers of the two slots that the traces below use, process 0's and process 1's. */
const REGION = 0x7f0000000000 / 2 ** 21;
const START = REGION * 2 ** 21;

/** References of one thread to pages of one slot, `gap` ns apart. */
function batch(thread: number, slot: number, pages: readonly number[], kind: number, gap = 0): RefBatch {
  const made = makeRefBatch(pages.length);
  made.length = pages.length;
  made.thread = thread;
  pages.forEach((page, i) => {
    made.page[i] = slot * 512 + page;
    made.kind[i] = kind;
    made.gap[i] = gap;
    if (kind === REF.READ) made.reads[i] = 1;
    else made.writes[i] = 1;
  });
  return made;
}

const map = (over: Partial<Extract<TraceEvent, { kind: "map" }>> = {}): TraceEvent => ({
  kind: "map",
  thread: 0,
  gap: 0,
  start: START,
  length: 2 ** 21,
  prot: 3,
  shared: false,
  fixed: false,
  stack: false,
  file: false,
  noreserve: false,
  populate: false,
  ...over,
});

function replay(items: readonly (RefBatch | TraceEvent)[], enabled = "never"): Result {
  const left = [...items];
  const trace: TraceReader = {
    header: {
      source: "test",
      program: "",
      timeUnit: "ns",
      coverage: "references",
      layout: "native",
      recordedUnder: "",
    },
    threads: [
      { index: 0, pid: 1, tid: 1, process: 0, name: "parent" },
      { index: 1, pid: 2, tid: 2, process: 1, name: "child" },
    ],
    regions: { count: 2, process: Int32Array.of(0, 1), region: Float64Array.of(REGION, REGION) },
    next: () => left.shift(),
  };
  return simulateTrace({
    trace,
    generation: generationByName("linux-6.18")!,
    machine: {
      nodes: 1,
      cpus: 2,
      memBytes: GIB,
      geometry: LIFE,
      distances: evenDistances(1),
      swapBytes: 0,
      fragmentedRatio: 0,
      seed: 1,
    },
    hardware: HARDWARE[0]!,
    settings: [["transparent_hugepage/enabled", enabled]],
    verify: true,
    name: "test",
  });
}

const child = (vfork: boolean): TraceEvent => ({ kind: "fork", thread: 0, gap: 0, child: 1, vfork });
const exit = (thread: number): TraceEvent => ({ kind: "exit", thread, gap: 0, process: true });

test("pages are written where the recording had them, and faults are the model's own", () => {
  const never = replay([map(), batch(0, 0, [0, 1, 2], REF.WRITE)]);
  const always = replay([map(), batch(0, 0, [0, 1, 2], REF.WRITE)], "always");
  expect([never.vmstat.pgfault, never.hugeFromFault, never.peakRssKb]).toEqual([3, 0, 12]);
  expect([always.vmstat.pgfault, always.hugeFromFault, always.peakRssKb]).toEqual([1, 1, 2048]);
});

test("time that the program computed passes between its references", () => {
  const result = replay([map(), batch(0, 0, [0, 0, 0, 0], REF.WRITE, 1_000_000)]);
  expect(result.runNs).toBeGreaterThanOrEqual(4_000_000);
  expect(result.runNs).toBeLessThan(4_100_000);
});

test("pages that were never mapped belong to the program's file", () => {
  const result = replay([batch(0, 0, [0], REF.READ)]);
  expect([result.faults.file?.count, result.vmstat.nr_anon_pages]).toEqual([1, undefined]);
});

test("a fork copies what its child writes, a vfork shares it", () => {
  for (const [vfork, copiedKb] of [
    [false, 4],
    [true, 0],
  ] as const) {
    const items = [map(), batch(0, 0, [0, 1], REF.WRITE), child(vfork), batch(1, 1, [0], REF.WRITE), exit(1)];
    const result = replay([...items, batch(0, 0, [0, 1], REF.WRITE)]);
    expect(result.cowCopiedKb).toBe(copiedKb);
    expect(result.processes.length).toBe(vfork ? 1 : 2);
    expect(result.vmstat.nr_anon_pages).toBe(2);
  }
});

test("exec leaves the old memory behind: for good, unless a parent of vfork still has it", () => {
  const exec: TraceEvent = { kind: "exec", thread: 1, gap: 0, name: "other" };
  const result = replay([map(), batch(0, 0, [0], REF.WRITE), child(true), exec, exit(1)]);
  expect([result.vmstat.nr_anon_pages, result.processes.map(({ pid }) => pid)]).toEqual([1, [2, 1]]);
});

test("MAP_POPULATE brings the memory at once", () => {
  const result = replay([map({ length: 16 * 4096, populate: true })]);
  expect([result.peakRssKb, result.vmstat.pgfault]).toEqual([64, 16]);
});

test("a process that has ended does nothing more, and its lock is in the result", () => {
  const result = replay([map(), batch(0, 0, [0], REF.WRITE), exit(0), batch(0, 0, [1], REF.WRITE)]);
  expect([result.vmstat.pgfault, result.vmstat.nr_anon_pages]).toEqual([1, undefined]);
  const lock = result.locks.find(({ lockClass }) => lockClass === "mmap_lock");
  expect(lock?.acquisitions).toBe(2);
});
