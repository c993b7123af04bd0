import { expect, test } from "vitest";
import { C } from "../../../core/counters.ts";
import { asNode } from "../../../core/units.ts";
import { NUMACORE_OCTOBER } from "../../../generations/numacore.ts";
import { runAlone, touch } from "../../buddy/test-kernel.ts";
import { violations } from "../../invariants.ts";
import { numacoreKnobs } from "../../proc/knob-list-2012.ts";
import type { Numacore } from "../design.ts";
import { earlyTask } from "../early/state.ts";
import { nodes, type Program, picture, program, runOn, touchHints } from "../early/test-program.ts";
import { JIFFY_NS } from "../state.ts";
import { accountNumacore } from "./place.ts";
import { tickNumacore, workNumacore } from "./scan.ts";

function make(huge = false, form: Partial<Numacore> = {}): Program {
  const design: Numacore = { ...(NUMACORE_OCTOBER.behaviours.numaDesign as Numacore), ...form };
  return program({ design, knobs: numacoreKnobs(5000, 80_000), huge });
}

/** One pass, whenever the task may. */
function scan(p: Program): void {
  p.mm.numa.nextScan = 0;
  runAlone(workNumacore(p.k, p.task));
}

test("a pass takes the access to all memory away, with one flush for each area, whoever shares it", () => {
  const p = make();
  const before = p.mm.flushes;
  scan(p);
  expect(picture(p)).toBe("HHHHHHHH");
  expect(p.mm.flushes - before).toBe(1);
  expect(p.mm.numa.scanSeq).toBe(1);
});

test("the first tick that counts comes after 5 s of CPU time, the next pass 10 s later", () => {
  const p = make();
  p.task.scanPeriodMs = 5000;
  const passes: number[] = [];
  for (let ms = 4; ms < 40_000; ms += 4) {
    p.k.nowNs += JIFFY_NS;
    tickNumacore(p.k, p.task);
    if (!p.task.workQueued) continue;
    const { scanSeq } = p.mm.numa;
    runAlone(workNumacore(p.k, p.task));
    if (p.mm.numa.scanSeq !== scanSeq) passes.push(ms);
  }
  expect(passes).toEqual([5004, 15_012, 25_020, 35_028]);
});

test("a page follows the second fault in a row, without a flush, and without limit", () => {
  const p = make();
  scan(p);
  touchHints(p);
  scan(p);
  const before = p.mm.flushes;
  touchHints(p);
  expect(nodes(p)).toBe("11111111");
  expect(p.mm.flushes - before).toBe(0);
  expect(violations(p.k)).toEqual([]);
});

test("a restored page has its area's protection: a write faults a second time", () => {
  const p = make();
  scan(p);
  expect(touch(p.k, p.mm, p.start)).toBe("hint-4k");
  expect(touch(p.k, p.mm, p.start)).toBe("cow-reuse");
  expect(touch(p.k, p.mm, p.start)).toBe("spurious");
});

test("a huge page moves whole, and no counter of migration knows of it", () => {
  const p = make(true);
  scan(p);
  touchHints(p);
  scan(p);
  touchHints(p);
  expect(nodes(p)).toBe("11111111");
  expect(p.k.vmstat[C.pgmigrate_success]).toBe(0);
  expect(p.k.vmstat[C.nr_isolated_anon]).toBe(0);
  expect(p.k.vmstat[C.thp_split_page]).toBe(0);
  expect(violations(p.k)).toEqual([]);
});

test("patch 18: a misplaced huge page is split", () => {
  const p = make(true, { huge: "split" });
  scan(p);
  touchHints(p);
  scan(p);
  touchHints(p);
  expect(p.k.vmstat[C.thp_split_page]).toBe(2);
  expect(violations(p.k)).toEqual([]);
});

test("a caller that goes on with the old PMD allocates and copies a huge page in vain", () => {
  const wasted = (["old-pmd", "retry"] as const).map((afterHuge) => {
    const p = make(true, { huge: "restore", afterHuge });
    const before = p.k.vmstat[C.thp_fault_alloc]!;
    scan(p);
    touchHints(p, 0, 1);
    expect(violations(p.k)).toEqual([]);
    return p.k.vmstat[C.thp_fault_alloc]! - before;
  });
  expect(wasted).toEqual([1, 0]);
});

test("last_cpu: private faults are those of the same CPU, and the node decides", () => {
  const p = make(false, { filter: "last-cpu" });
  scan(p);
  touchHints(p);
  scan(p);
  touchHints(p);
  expect(nodes(p)).toBe("11111111");
  expect([...earlyTask(p.k, p.task).faults]).toEqual([4, 0, 0, 8]);
});

test("a node becomes the home after three passes with most faults; then scans grow rarer", () => {
  const p = make();
  const state = earlyTask(p.k, p.task);
  const seen: string[] = [];
  for (let pass = 1; pass <= 6; pass++) {
    p.mm.numa.scanSeq = pass;
    accountNumacore(p.k, asNode(1), 1000, false);
    seen.push(`${state.selected} ${p.task.scanPeriodMs}`);
  }
  expect(seen).toEqual(["-1 1000", "-1 5000", "-1 5000", "1 5000", "1 10000", "1 20000"]);
});

test("sums are halved at the first fault of a pass", () => {
  const p = make();
  p.mm.numa.scanSeq = 1;
  accountNumacore(p.k, asNode(1), 1000, false);
  p.mm.numa.scanSeq = 2;
  accountNumacore(p.k, asNode(1), 1, false);
  expect(earlyTask(p.k, p.task).faults[2]).toBe(501);
  p.mm.numa.scanSeq = 9;
  accountNumacore(p.k, asNode(1), 0, false);
  expect(earlyTask(p.k, p.task).faults[2]).toBe(250);
});

test("an area without any access is never a hint, and never repaired", () => {
  const p = make();
  p.mm.vmas[0]!.flags &= ~7;
  scan(p);
  expect(picture(p)).toBe("........");
  expect(touch(p.k, p.mm, p.start)).toBe("segv");
});

test("numa/core runs where its memory is, if there is an idle CPU", () => {
  const p = make();
  const asked: number[] = [];
  p.k.numa.place = (_, node) => {
    asked.push(node);
    return node;
  };
  runOn(p, 0);
  for (let pass = 1; pass <= 4; pass++) {
    p.mm.numa.scanSeq = pass;
    accountNumacore(p.k, asNode(1), 10, false);
  }
  expect(asked).toEqual([1]);
});
