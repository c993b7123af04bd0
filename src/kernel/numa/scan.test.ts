import { expect, test } from "vitest";
import { C } from "../../core/counters.ts";
import { SMALL } from "../../core/geometry.ts";
import { asNode, asVpn, MS_NS, NO_NODE } from "../../core/units.ts";
import { processWith, runAlone, testKernel, touch } from "../buddy/test-kernel.ts";
import type { Mm } from "../mm/mm.ts";
import { findRow, PMD, PTE, pteIndex } from "../mm/page-table.ts";
import { lruDrainAll } from "../reclaim/lru.ts";
import type { Kernel } from "../state.ts";
import type { Tunables } from "../tunables.ts";
import { numaTick, numaWork } from "./scan.ts";
import { JIFFY_NS, makeNumaTask, type NumaTask, taskRuns } from "./state.ts";

interface Program {
  readonly k: Kernel;
  readonly mm: Mm;
  readonly start: number;
  readonly task: NumaTask;
}

/** A program that begins to run on node 0 at time 0. Huge pages have 4 base pages. */
function program(pages: number, tunables: Partial<Tunables> = {}): Program {
  const k = testKernel({
    frames: 8192,
    geometry: SMALL,
    nodes: 2,
    tunables: { enabled: "never", numaBalancing: true, numaScanSizeMb: 1, ...tunables },
  });
  const { mm, start } = processWith(k, pages);
  const task = makeNumaTask(k, mm);
  taskRuns(k, task);
  return { k, mm, start, task };
}

/** Memory on node 1, where another CPU touched it. */
function touchElsewhere({ k, mm, start }: Program, from: number, to: number): void {
  k.cpu = 1 as never;
  for (let vpn = start + from; vpn < start + to; vpn++) touch(k, mm, vpn);
  lruDrainAll(k);
  k.cpu = 0 as never;
}

/** Ticks until `endMs`, with what they queue; the moments of passes that scanned, in ms. */
function passes({ k, mm, task }: Program, endMs: number): number[] {
  const at: number[] = [];
  while (k.nowNs < endMs * MS_NS) {
    k.nowNs += JIFFY_NS;
    numaTick(k, task);
    if (!task.workQueued) continue;
    const before = `${mm.numa.scanSeq} ${mm.numa.offsetVpn}`;
    runAlone(numaWork(k, task));
    if (`${mm.numa.scanSeq} ${mm.numa.offsetVpn}` !== before) at.push(k.nowNs / MS_NS);
  }
  return at;
}

/** Which pages are hints: `H`, or `.`; `-` where nothing is mapped. */
function picture({ k, mm, start }: Program, pages: number): string {
  let text = "";
  for (let vpn = start; vpn < start + pages; vpn++) {
    const row = findRow(k.pt, mm.directory, asVpn(vpn));
    const kind = row < 0 ? PMD.NONE : k.pt.pmd.kind[row];
    const small = kind === PMD.TABLE ? k.pt.pteFlags[pteIndex(k.pt, row, asVpn(vpn))]! : 0;
    const flags = kind === PMD.HUGE ? k.pt.pmd.flags[row]! : small;
    text += flags === 0 ? "-" : (flags & PTE.HINT) !== 0 ? "H" : ".";
  }
  return text;
}

test("a program of one window is scanned at 2004 ms, after its first second armed the next", () => {
  expect(passes(program(16), 2500)).toEqual([2004]);
});

test("four windows: armed at 1004 ms, scanned at 2004 ms and every 250 ms of CPU time", () => {
  const p = program(1024);
  touchElsewhere(p, 0, 1024);
  expect(passes(p, 1500)).toEqual([]);
  expect(p.mm.numa.nextScan).toBe(501);
  expect(p.task.scanPeriodMs).toBe(250);
  expect(passes(p, 2100)).toEqual([2004]);
});

test("a tick that comes before the pass is due uses its period up all the same", () => {
  const p = program(1024);
  touchElsewhere(p, 0, 1024);
  passes(p, 1500);
  p.mm.numa.nextScan += 1;
  expect(passes(p, 2300)[0]).toBe(2252);
});

test("four windows take four passes; the fifth finds the end, counts it, and starts anew", () => {
  const p = program(1024);
  touchElsewhere(p, 0, 1024);
  passes(p, 2100);
  expect(p.mm.numa.offsetVpn - p.start).toBe(256);
  passes(p, 2900);
  expect(p.mm.numa.offsetVpn - p.start).toBe(1024);
  expect(p.mm.numa.scanSeq).toBe(0);
  expect(p.k.vmstat[C.numa_pte_updates]).toBe(1024);
  // Used again, the pages lose their marks.
  touchElsewhere(p, 0, 1024);
  passes(p, 3100);
  expect(p.mm.numa.scanSeq).toBe(1);
  expect(p.mm.numa.offsetVpn - p.start).toBe(256);
  expect(p.k.vmstat[C.numa_pte_updates]).toBe(1024 + 256);
});

test("untouched memory uses the virtual budget alone: eight windows a pass", () => {
  const p = program(4096);
  touchElsewhere(p, 4000, 4001);
  passes(p, 2100);
  expect(p.mm.numa.offsetVpn - p.start).toBe(8 * 256);
});

test("pages of the scanner's own node, of the LRU batch and of the zero page are left alone", () => {
  const p = program(8);
  touchElsewhere(p, 0, 3);
  touch(p.k, p.mm, p.start + 3);
  touch(p.k, p.mm, p.start + 4, false);
  p.k.cpu = 1 as never;
  touch(p.k, p.mm, p.start + 5);
  p.k.cpu = 0 as never;
  passes(p, 2100);
  expect(picture(p, 8)).toBe("HHH...--");
});

test("with a second thread, pages are marked wherever they are", () => {
  const p = program(4);
  touchElsewhere(p, 0, 2);
  touch(p.k, p.mm, p.start + 2);
  lruDrainAll(p.k);
  p.mm.users = 2;
  passes(p, 2100);
  expect(picture(p, 4)).toBe("HHH-");
});

test("huge pages are marked whole, local or not, and count once as huge", () => {
  const p = program(8, { enabled: "always" });
  touch(p.k, p.mm, p.start);
  touchElsewhere(p, 4, 5);
  passes(p, 2100);
  expect(picture(p, 8)).toBe("HHHHHHHH");
  expect(p.k.vmstat[C.numa_pte_updates]).toBe(8);
  expect(p.k.vmstat[C.numa_huge_pte_updates]).toBe(2);
});

test("a writer that holds the mmap lock costs the pass, not its period", () => {
  const p = program(8);
  touchElsewhere(p, 0, 8);
  p.mm.mmapLock.holder = 7;
  expect(passes(p, 2500)).toEqual([]);
  p.mm.mmapLock.holder = -1;
  expect(passes(p, 3500)).toEqual([3012]);
});

test("a task with a memory policy of its own scans nothing: its passes end at once", () => {
  const p = program(8);
  touchElsewhere(p, 0, 8);
  p.task.memoryNode = asNode(1);
  passes(p, 3000);
  expect(picture(p, 8)).toBe("........");
  p.task.memoryNode = NO_NODE;
  passes(p, 5000);
  expect(picture(p, 8)).toBe("HHHHHHHH");
});

test("with balancing off nothing is scanned", () => {
  const p = program(8, { numaBalancing: false });
  touchElsewhere(p, 0, 8);
  expect(passes(p, 5000)).toEqual([]);
});
