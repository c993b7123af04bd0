import { expect, test } from "vitest";
import { C } from "../../../core/counters.ts";
import { asNode, MS_NS, NO_NODE } from "../../../core/units.ts";
import { frameOf, runAlone } from "../../buddy/test-kernel.ts";
import { violations } from "../../invariants.ts";
import { pinPage } from "../../mm/pin.ts";
import { KNOBS_3_8 } from "../../proc/knob-list-2012.ts";
import type { Balancenuma } from "../design.ts";
import { exchangeLast } from "../early/last-nid.ts";
import { chargeWindow, isRateLimited, WINDOW_PAGES } from "../early/rate-limit.ts";
import { areaOf, nodes, type Program, picture, program, runOn, touchHints } from "../early/test-program.ts";
import { JIFFY_NS } from "../state.ts";
import { markRange38 } from "./mark.ts";
import { KNOB, tick38, work38 } from "./scan.ts";

function make(huge = false, form: Partial<Balancenuma> = {}, pages = 8): Program {
  const design: Balancenuma = { policy: "balancenuma", hugeCount: "F3", hugeMark: "as-intended", ...form };
  return program({ design, knobs: KNOBS_3_8, huge, pages });
}

function scan(p: Program): number {
  return runAlone(markRange38(p.k, areaOf(p), p.start, areaOf(p).end));
}

/** As if node 1 had faulted on every page before. */
function seenFromHere(p: Program): void {
  for (let vpn = p.start; vpn < areaOf(p).end; vpn++) exchangeLast(p.k, frameOf(p.k, p.mm, vpn), 1);
}

test("the first fault never moves a page, the second in a row from one node does", () => {
  const p = make();
  scan(p);
  touchHints(p);
  expect(nodes(p)).toBe("00000000");
  scan(p);
  touchHints(p);
  expect(nodes(p)).toBe("11111111");
  expect(violations(p.k)).toEqual([]);
});

test("a task with a memory policy moves nothing, and its faults do not count towards two in a row", () => {
  const p = make();
  seenFromHere(p);
  p.task.memoryNode = asNode(0);
  runOn(p, 0);
  scan(p);
  touchHints(p);
  p.task.memoryNode = NO_NODE;
  runOn(p, 1);
  scan(p);
  touchHints(p);
  expect(nodes(p)).toBe("11111111");
});

test("two nodes that take turns never move a page", () => {
  const p = make();
  for (let turn = 0; turn < 8; turn++) {
    runOn(p, turn % 2);
    scan(p);
    touchHints(p);
  }
  expect(nodes(p)).toBe("00000000");
});

test("pages of a table that lie on one node get a mark of their table: one fault does them all", () => {
  const p = make();
  expect(scan(p)).toBe(8);
  expect(picture(p)).toBe("HHHHHHHH");
  expect(touchHints(p)).toEqual(["hint-4k", "hint-4k"]);
  expect(picture(p)).toBe("........");
  expect(p.k.vmstat[C.numa_hint_faults]).toBe(8);
});

test("a table with pages on two nodes is marked page by page", () => {
  const p = make(false, {}, 4);
  scan(p);
  touchHints(p);
  // One page moves by itself.
  exchangeLast(p.k, frameOf(p.k, p.mm, p.start), 1);
  for (const i of [1, 2, 3]) exchangeLast(p.k, frameOf(p.k, p.mm, p.start + i), 0);
  scan(p);
  touchHints(p, 0, 1);
  expect(nodes(p)).toBe("1000");
  scan(p);
  expect(touchHints(p)).toHaveLength(4);
});

test("pages of two processes are left alone", () => {
  const p = make();
  p.k.frames.mapCount[frameOf(p.k, p.mm, p.start)]! += 1;
  scan(p);
  p.k.frames.mapCount[frameOf(p.k, p.mm, p.start)]! -= 1;
  expect(p.k.vmstat[C.numa_pte_updates]).toBe(7);
});

test("huge pages move whole; as 3.8 wrote it, they count and are never marked", () => {
  const p = make(true);
  seenFromHere(p);
  expect(scan(p)).toBe(8);
  expect(touchHints(p)).toEqual(["hint-huge", "hint-huge"]);
  expect(nodes(p)).toBe("11111111");
  expect(p.k.vmstat[C.pgmigrate_success]).toBe(8);
  expect(violations(p.k)).toEqual([]);

  const written = make(true, { hugeMark: "as-written" });
  expect(scan(written)).toBe(8);
  expect(picture(written)).toBe("........");
});

/** A huge page with a device's reference is found misplaced: what its five handlings leave. */
function pinned(hugeCount: Balancenuma["hugeCount"]) {
  const p = make(true, { hugeCount }, 4);
  seenFromHere(p);
  expect(pinPage(p.k, p.mm, p.start)).toBe(true);
  const head = frameOf(p.k, p.mm, p.start);
  scan(p);
  touchHints(p);
  return {
    nodes: nodes(p),
    isolated: p.k.vmstat[C.nr_isolated_anon],
    failed: p.k.vmstat[C.pgmigrate_fail],
    references: p.k.frames.refCount[head],
    sound: violations(p.k).length === 0,
  };
}

test("a pinned huge page, by form: moved under the pin, lost to the LRU, miscounted, and twice clean", () => {
  expect(pinned("F0")).toEqual({ nodes: "1111", isolated: 0, failed: 0, references: 1, sound: false });
  expect(pinned("F1")).toEqual({ nodes: "0000", isolated: 4, failed: 4, references: 3, sound: false });
  expect(pinned("F2")).toMatchObject({ nodes: "0000", isolated: 4, failed: 4, sound: false });
  expect(pinned("F3")).toMatchObject({ nodes: "0000", isolated: 0, failed: 4, sound: true });
  expect(pinned("F4")).toMatchObject({ nodes: "0000", isolated: 0, failed: 4, sound: true });
});

test("a window of 100 ms lets 128 MiB through, and no scan for a second after a full one", () => {
  const { k } = make();
  const full = WINDOW_PAGES + 1;
  expect(chargeWindow(k, asNode(1), WINDOW_PAGES, full)).toBe(true);
  // 3.8 refuses above the limit, so that one more gets through.
  expect(chargeWindow(k, asNode(1), 512, full)).toBe(true);
  expect(chargeWindow(k, asNode(1), 1, full)).toBe(false);
  expect(chargeWindow(k, asNode(0), 1, full)).toBe(true);
  expect(isRateLimited(k, asNode(1))).toBe(true);
  k.nowNs += 101 * MS_NS;
  expect(isRateLimited(k, asNode(1))).toBe(true);
  expect(chargeWindow(k, asNode(1), 1, full)).toBe(true);
  expect(isRateLimited(k, asNode(1))).toBe(false);
});

test("a migration that fails has used the window up all the same", () => {
  const p = make(true, {}, 4);
  seenFromHere(p);
  pinPage(p.k, p.mm, p.start);
  scan(p);
  touchHints(p);
  expect(p.k.numa.early!.windows[1]!.pages).toBe(4);
});

/** Ticks that find the task running, with the work that they queue, until `endMs` of its time. */
function run(p: Program, ms: number): void {
  for (let at = 0; at < ms; at += 4) {
    p.k.nowNs += JIFFY_NS;
    tick38(p.k, p.task);
    if (p.task.workQueued) runAlone(work38(p.k, p.task));
  }
}

test("a process that ran on one node alone is not scanned, unless that is forced", () => {
  const p = make();
  run(p, 3000);
  expect(picture(p)).toBe("........");
  p.k.knobs.write(KNOB.FORCE, "1");
  run(p, 3000);
  expect(picture(p)).toBe("HHHHHHHH");
});

test("once its work ran on a second node, a process is scanned for ever", () => {
  const p = make();
  run(p, 1200);
  runOn(p, 0);
  run(p, 1200);
  expect(picture(p)).toBe("HHHHHHHH");
  runOn(p, 1);
  touchHints(p);
  run(p, 400);
  expect(picture(p)).toBe("HHHHHHHH");
});

test("a fault that moves nothing slows the scan by 40 ms, up to the longest pause", () => {
  const p = make(true, {}, 12);
  p.task.scanPeriodMs = 4900;
  scan(p);
  const periods = [0, 4, 8].map((at) => {
    touchHints(p, at, at + 1);
    return p.task.scanPeriodMs;
  });
  expect(periods).toEqual([4940, 4980, 5000]);
});

test("pages of a marked table that stay where they are tell the task nothing", () => {
  const p = make(false, {}, 4);
  p.task.scanPeriodMs = 100;
  scan(p);
  touchHints(p, 0, 1);
  expect(p.task.scanPeriodMs).toBe(100);
});
