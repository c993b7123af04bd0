import { expect, test } from "vitest";
import { C } from "../../core/counters.ts";
import { SMALL } from "../../core/geometry.ts";
import { asCpu, asVpn, MS_NS } from "../../core/units.ts";
import { processWith, runAlone, testKernel, touch } from "../buddy/test-kernel.ts";
import type { Mm } from "../mm/mm.ts";
import { findVma } from "../mm/vma.ts";
import { lruDrainAll } from "../reclaim/lru.ts";
import type { Kernel } from "../state.ts";
import { forkNumaTask } from "./life.ts";
import { markRange } from "./mark.ts";
import { numaTick } from "./scan.ts";
import { makeNumaTask, type NumaTask, taskRuns } from "./state.ts";

const PAGES = 8;

interface Threads {
  readonly k: Kernel;
  readonly mm: Mm;
  readonly start: number;
  readonly near: NumaTask;
  readonly far: NumaTask;
}

/** Memory of node 0, a thread on each node; the passes are made by hand. */
function threads(): Threads {
  const tunables = { enabled: "never", numaBalancing: true } as const;
  const k = testKernel({ frames: 4096, geometry: SMALL, nodes: 2, tunables });
  const { mm, start } = processWith(k, PAGES);
  for (let vpn = start; vpn < start + PAGES; vpn++) touch(k, mm, vpn);
  lruDrainAll(k);
  const near = makeNumaTask(k, mm);
  taskRuns(k, near);
  const far = forkNumaTask(k, near, "thread");
  mm.users = 2;
  on(k, 1);
  taskRuns(k, far);
  for (const [cpu, task] of [near, far].entries()) {
    on(k, cpu);
    numaTick(k, task);
  }
  return { k, mm, start, near, far };
}

function on(k: Kernel, cpu: number): void {
  k.cpu = asCpu(cpu);
}

/** A pass over all memory, at that time. */
function pass({ k, mm, start }: Threads, atMs: number): void {
  k.nowNs = atMs * MS_NS;
  runAlone(markRange(k, findVma(mm, asVpn(start))!, start, start + PAGES));
  mm.numa.scanSeq += 1;
}

/** Counters that changed, without zeros: `faults 2, local 1`. */
function counted({ vmstat }: Kernel, step: () => void): string {
  const names = { faults: C.numa_hint_faults, local: C.numa_hint_faults_local, moved: C.numa_pages_migrated };
  const before = vmstat.slice();
  step();
  const changes = Object.entries(names).map(([name, at]) => [name, vmstat[at]! - before[at]!] as const);
  return changes.flatMap(([name, change]) => (change === 0 ? [] : [`${name} ${change}`])).join(", ");
}

test("in each pass a thread meets its own stack once, near by, at a tick or before another hint", () => {
  const p = threads();
  for (let at = 1000; at <= 3000; at += 1000) {
    pass(p, at);
    on(p.k, 0);
    expect(counted(p.k, () => numaTick(p.k, p.near))).toBe("faults 1, local 1");
    expect(counted(p.k, () => numaTick(p.k, p.near))).toBe("");
    expect(counted(p.k, () => touch(p.k, p.mm, p.start))).toBe("faults 1, local 1");
  }
  on(p.k, 1);
  // What it met in three passes is one mark, and the page itself is far.
  expect(counted(p.k, () => touch(p.k, p.mm, p.start + 1))).toBe("faults 2, local 1, moved 1");
});

test("a stack follows its thread to another node, once", () => {
  const p = threads();
  pass(p, 1000);
  on(p.k, 0);
  p.k.numa.running[0] = p.far;
  expect(counted(p.k, () => numaTick(p.k, p.far))).toBe("faults 1, moved 1");
  touch(p.k, p.mm, p.start);
  pass(p, 2000);
  expect(counted(p.k, () => numaTick(p.k, p.far))).toBe("faults 1, local 1");
});

test("the only thread of a process has none: its near pages are not marked", () => {
  const p = threads();
  p.mm.users = 1;
  pass(p, 1000);
  on(p.k, 0);
  expect(counted(p.k, () => numaTick(p.k, p.near))).toBe("");
});

test("a thread whose other pages are all far does not double its period, for its stack is near", () => {
  for (const [stack, periods] of [
    [true, [1000, 2000, 2600]],
    [false, [1000, 2000, 4000]],
  ] as const) {
    const p = threads();
    const seen = [p.far.scanPeriodMs];
    for (const at of [1000, 4000]) {
      pass(p, at);
      if (!stack) p.far.stackTouched = p.mm.numa.stacksMarked;
      on(p.k, 1);
      const from = p.start + (at === 1000 ? 0 : 4);
      for (let vpn = from; vpn < from + 4; vpn++) touch(p.k, p.mm, vpn);
      seen.push(p.far.scanPeriodMs);
    }
    expect(seen).toEqual(periods);
  }
});
