import { expect, test } from "vitest";
import { C } from "../../core/counters.ts";
import { SMALL } from "../../core/geometry.ts";
import { asNode, NO_FRAME, type Pfn } from "../../core/units.ts";
import { makeCompound } from "../fault/huge.ts";
import { violations } from "../invariants.ts";
import type { Mm } from "../mm/mm.ts";
import { pinPage } from "../mm/pin.ts";
import { mappingsOf } from "../mm/rmap.ts";
import { zapRange } from "../mm/zap.ts";
import { lruDrainAll } from "../reclaim/lru.ts";
import type { Kernel } from "../state.ts";
import { allocPages } from "./alloc.ts";
import { putPage } from "./free.ts";
import { GFP } from "./gfp.ts";
import { drainAllPcps } from "./pcp.ts";
import {
  COMPACT,
  compactionDeferred,
  compactionSuitable,
  deferCompaction,
  fragmentationIndex,
  resetDeferral,
} from "./suitable.ts";
import { frameOf, processWith, runAlone, testKernel, touch } from "./test-kernel.ts";

const LOCAL = asNode(0);

/**
 * A machine whose process fills memory with base pages, then keeps those that the picture names: a letter a
 * page, `.` given back. Frames are handed out in order, so that the picture is that of memory.
 */
function filled(picture: string): { k: Kernel; mm: Mm; start: number } {
  const marks = picture.replaceAll(" ", "");
  const k = testKernel({ frames: marks.length, geometry: SMALL, tunables: { enabled: "never" } });
  const { mm, start } = processWith(k, marks.length);
  for (let i = 0; i < marks.length; i++) touch(k, mm, start + i);
  lruDrainAll(k);
  [...marks].forEach((mark, i) => {
    expect(frameOf(k, mm, start + i)).toBe(i);
    if (mark === "P") pinPage(k, mm, start + i);
    if (mark === ".") runAlone(zapRange(k, mm, start + i, start + i + 1, "advise"));
  });
  drainAllPcps(k.buddy);
  return { k, mm, start };
}

/**
 * Where memory is mapped now: `m` mapped, `P` pinned, `.` free, `H` taken for the order-2 block at `block`.
 */
function picture(k: Kernel, block: Pfn): string {
  let text = "";
  for (let pfn = 0; pfn < k.frames.rows; pfn++) {
    const inBlock = block !== NO_FRAME && pfn >= block && pfn < block + 4;
    text += inBlock ? "H" : k.pins.has(pfn) ? "P" : k.frames.mapCount[pfn]! > 0 ? "m" : ".";
  }
  return text.replace(/.{4}(?=.)/g, "$& ");
}

function takeHuge(k: Kernel, gfp: number = GFP.DIRECT_RECLAIM): Pfn {
  return runAlone(allocPages(k, 2, LOCAL, gfp));
}

test("pages move from the bottom to the top until a huge block is free", () => {
  const { k, mm, start } = filled("m.m. m.m. m.m. m.m. m.m. m.m. m.m. m.m.");
  const block = takeHuge(k);
  expect(picture(k, block)).toBe("HHHH m.m. m.m. m.m. m.m. m.m. m.m. mmmm");
  expect([k.vmstat[C.compact_stall], k.vmstat[C.compact_success], k.vmstat[C.compact_fail]]).toEqual([
    1, 1, 0,
  ]);
  expect(k.vmstat[C.pgmigrate_success]).toBe(2);
  expect([frameOf(k, mm, start), frameOf(k, mm, start + 2)].sort()).toEqual([29, 31]);
  makeCompound(k, block);
  putPage(k, block);
  expect(violations(k)).toEqual([]);
});

test("a moved page is still found from its frame, and moves again", () => {
  const { k, mm, start } = filled("m.m. m.m. m.m. m.m. m.m. m.m. m.m. m.m.");
  takeHuge(k);
  takeHuge(k);
  for (let i = 0; i < 32; i += 2) {
    const hits = mappingsOf(k, frameOf(k, mm, start + i));
    expect(hits.map((hit) => hit.vpn)).toEqual([start + i]);
  }
});

test("without direct reclaim nothing moves", () => {
  const { k } = filled("m.m. m.m. m.m. m.m. m.m. m.m. m.m. m.m.");
  expect(takeHuge(k, GFP.KSWAPD)).toBe(NO_FRAME);
  expect(k.vmstat[C.compact_stall]).toBe(0);
});

test("a pinned page keeps its block, and compaction goes on to the next", () => {
  const { k } = filled("m.P. m.m. m.m. m.m. m.m. m.m. m.m. m.m.");
  expect(picture(k, takeHuge(k))).toBe("m.P. HHHH m.m. m.m. m.m. m.m. m.m. mmmm");
});

test("with a pinned page in every block it fails, after an asynchronous and a synchronous run", () => {
  const { k } = filled("m.P. m.P. m.P. m.P. m.P. m.P. m.P. m.P.");
  expect(takeHuge(k)).toBe(NO_FRAME);
  expect([k.vmstat[C.compact_stall], k.vmstat[C.compact_fail]]).toEqual([2, 2]);
  expect(violations(k)).toEqual([]);
});

test("after a synchronous failure the next attempt is put off", () => {
  const { k } = filled("m.P. m.P. m.P. m.P. m.P. m.P. m.P. m.P.");
  takeHuge(k);
  const scanned = k.vmstat[C.compact_migrate_scanned];
  expect(takeHuge(k, GFP.DIRECT_RECLAIM | GFP.NORETRY)).toBe(NO_FRAME);
  expect(k.vmstat[C.compact_migrate_scanned]).toBe(scanned);
  // A call that is put off counts as well.
  expect([k.vmstat[C.compact_stall], k.vmstat[C.compact_fail]]).toEqual([3, 3]);
});

test("too little free memory to work with: compaction is skipped and counts nothing", () => {
  const { k } = filled("m.m. m.m. mmmm mmmm mmmm mmmm mmmm mmmm");
  expect(takeHuge(k)).toBe(NO_FRAME);
  expect(k.vmstat[C.compact_stall]).toBe(0);
});

test("the fragmentation index tells scatter from shortage", () => {
  const scattered = filled("m.m. m.m. m.m. m.m. m.m. m.m. m.m. m.m.").k;
  // 1000 - (1000 + 4000) / 16, rounded up.
  expect(fragmentationIndex(scattered.buddy, scattered.buddy.zones[0]!, 2)).toBe(688);
  const short = filled("mm.. mmmm mmmm mmmm").k;
  expect(fragmentationIndex(short.buddy, short.buddy.zones[0]!, 2)).toBe(-500); // 1000 - (1000 + 500) / 1
  const whole = filled("mmmm .... mmmm mmmm").k;
  expect(fragmentationIndex(whole.buddy, whole.buddy.zones[0]!, 2)).toBe(-1000);
});

test("a zone with a free block needs no compaction", () => {
  const { k } = filled("mmmm .... mmmm mmmm");
  expect(compactionSuitable(k.buddy, k.buddy.zones[0]!, 2, 0)).toBe(COMPACT.SUCCESS);
});

test("each failure doubles the attempts that are put off, up to 63; a success ends it", () => {
  const state = testKernel({ frames: 16, geometry: SMALL }).buddy.zones[0]!.compact;
  const putOff = () => {
    let attempts = 0;
    while (compactionDeferred(state, 9)) attempts++;
    return attempts;
  };
  const series = Array.from({ length: 8 }, () => {
    deferCompaction(state, 9);
    return putOff();
  });
  expect(series).toEqual([1, 3, 7, 15, 31, 63, 63, 63]);
  resetDeferral(state, 9, true);
  expect(putOff()).toBe(0);
});
