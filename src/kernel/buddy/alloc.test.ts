import { expect, test } from "vitest";
import { C } from "../../core/counters.ts";
import { SMALL } from "../../core/geometry.ts";
import { asCpu, asNode, asPfn, NO_FRAME, type Pfn } from "../../core/units.ts";
import { FRAME } from "../mm/frames.ts";
import type { Kernel } from "../state.ts";
import { allocFast, allocPages } from "./alloc.ts";
import { freeBlocksByType, freeMemory } from "./figures.ts";
import { freePages, putPage } from "./free.ts";
import { GFP, GFP_USER } from "./gfp.ts";
import { drainAllPcps, refillBlocks } from "./pcp.ts";
import { MIGRATE } from "./state.ts";
import { runAlone, testKernel } from "./test-kernel.ts";

const LOCAL = asNode(0);
const GIB_FRAMES = 2 ** 18;

function take(k: Kernel, order: number, gfp: number = GFP_USER, node = LOCAL): Pfn {
  const fast = allocFast(k, order, node, gfp);
  return fast === NO_FRAME ? runAlone(allocPages(k, order, node, gfp)) : fast;
}

/** One character a frame: `.` free, `c` in a per-CPU list, `U` held; a space between pageblocks. */
function picture(k: Kernel): string {
  let text = "";
  const { flags, refCount, anonVma, rows } = k.frames;
  for (let pfn = 0; pfn < rows; ) {
    const block = pfn >> k.geometry.hugeOrder;
    const whole = pfn % k.geometry.pagesPerHuge === 0 ? k.blocks.freeOrder[block]! : 0;
    const small = (flags[pfn]! & FRAME.BUDDY) !== 0 ? 1 << anonVma[pfn]! : 0;
    const pages = whole > 0 ? 1 << (whole - 1) : Math.max(small, 1);
    const mark =
      whole + small > 0 ? "." : (flags[pfn]! & FRAME.PCP) !== 0 ? "c" : refCount[pfn]! > 0 ? "U" : "?";
    text += mark.repeat(pages);
    pfn += pages;
  }
  return text.replace(/.{4}(?=.)/g, "$& ");
}

test("an allocated frame has one reference, no flag and no mapping", () => {
  const k = testKernel({ frames: 16, geometry: SMALL });
  const pfn = take(k, 0);
  expect([k.frames.refCount[pfn], k.frames.flags[pfn], k.frames.mapCount[pfn]]).toEqual([1, 0, 0]);
});

test("frames are handed out from the low end of a split block", () => {
  const k = testKernel({ frames: 16, geometry: SMALL });
  take(k, 0);
  take(k, 0);
  take(k, 1);
  expect(picture(k)).toBe("UUU? .... .... ....");
});

test("the last frame goes out too where the watermark is 0, and then nothing does", () => {
  const k = testKernel({ frames: 16, geometry: SMALL });
  for (let i = 0; i < 16; i++) expect(take(k, 0)).toBe(i);
  expect(take(k, 0)).toBe(NO_FRAME);
});

test("a freed frame comes back first on the same CPU", () => {
  const k = testKernel({ frames: 16, geometry: SMALL });
  take(k, 0);
  const second = take(k, 0);
  putPage(k, second);
  expect(picture(k)).toBe("Uc.. .... .... ....");
  expect(allocFast(k, 0, LOCAL, GFP_USER)).toBe(second);
});

test("the fast path gives nothing while the CPU's list is empty", () => {
  const k = testKernel({ frames: GIB_FRAMES, cpus: 2 });
  expect(allocFast(k, 0, LOCAL, GFP_USER)).toBe(NO_FRAME);
  take(k, 0);
  expect(allocFast(k, 0, LOCAL, GFP_USER)).not.toBe(NO_FRAME);
  k.cpu = asCpu(1);
  expect(allocFast(k, 0, LOCAL, GFP_USER)).toBe(NO_FRAME);
});

test("one order-9 allocation takes two huge blocks from the zone", () => {
  const k = testKernel({ frames: GIB_FRAMES });
  const before = freeMemory(k);
  take(k, 9);
  const after = freeMemory(k);
  expect([before.freePages - after.freePages, after.perCpuPages]).toEqual([1024, 512]);
});

test("a refill of order o takes the batch shifted by o, and at least two blocks", () => {
  const pcp = testKernel({ frames: GIB_FRAMES }).buddy.zones[1]!.pcps[0]!;
  expect([0, 1, 2, 3, 9].map((order) => refillBlocks(pcp, order))).toEqual([63, 31, 15, 7, 2]);
});

test("pages in per-CPU lists are missing from the free memory that the kernel reports", () => {
  const k = testKernel({ frames: GIB_FRAMES });
  const pfn = take(k, 0);
  expect(freeMemory(k).perCpuPages).toBe(62);
  expect(k.vmstat[C.nr_free_pages]).toBe(freeMemory(k).freePages);
  putPage(k, pfn);
  expect(freeMemory(k).perCpuPages).toBe(63);
});

test("a CPU's list that reached its limit gives batches back", () => {
  const k = testKernel({ frames: GIB_FRAMES });
  const limit = k.buddy.zones[1]!.pcps[0]!.highPages;
  const held = Array.from({ length: 3 * limit }, () => take(k, 0));
  for (const pfn of held) putPage(k, pfn);
  expect(freeMemory(k).perCpuPages).toBeLessThan(limit);
  expect(freeMemory(k).perCpuPages).toBeGreaterThan(0);
});

test("allocations and frees are counted in base pages, by zone", () => {
  const k = testKernel({ frames: GIB_FRAMES });
  const head = take(k, 9);
  k.frames.refCount[head] = 0;
  freePages(k, head, 9);
  expect([k.vmstat[C.pgalloc_dma32], k.vmstat[C.pgfree]]).toEqual([512, 512]);
});

test("a machine above 4 GiB serves user memory from Normal first", () => {
  const k = testKernel({ frames: 8 * GIB_FRAMES });
  expect(take(k, 0)).toBeGreaterThanOrEqual(4 * GIB_FRAMES);
});

test("a full node hands over to the next nearer one, unless the request insists on its own", () => {
  const k = testKernel({ frames: 32, geometry: SMALL, nodes: 2 });
  for (let i = 0; i < 16; i++) take(k, 0, GFP_USER, asNode(1));
  expect(take(k, 2, GFP.THISNODE, asNode(1))).toBe(NO_FRAME);
  expect(take(k, 2, GFP_USER, asNode(1))).toBeLessThan(16);
});

test("equally far nodes are visited from the next higher number on", () => {
  const k = testKernel({ frames: 64, geometry: SMALL, nodes: 4 });
  expect(k.buddy.nodes.map((node) => node.zonelist.map((zone) => zone.node).join(""))).toEqual([
    "0123",
    "1230",
    "2301",
    "3012",
  ]);
});

test("a fragmented start holds a page in the asked share of pageblocks, the same for the same seed", () => {
  const start = (seed: number) =>
    picture(testKernel({ frames: 400, geometry: SMALL, fragmentedRatio: 0.5, seed }));
  const held = start(7).match(/U/g)!.length;
  expect(held).toBeGreaterThan(35);
  expect(held).toBeLessThan(65);
  expect(start(7)).toBe(start(7));
  expect(start(7)).not.toBe(start(8));
  expect(start(7)).not.toMatch(/U[^ ]*U/);
});

test("with a held page in every pageblock there is memory, but no huge page", () => {
  const k = testKernel({ frames: GIB_FRAMES, fragmentedRatio: 1 });
  expect(freeMemory(k).freePages).toBeGreaterThan(0.9 * GIB_FRAMES);
  expect(take(k, 9, GFP.MOVABLE)).toBe(NO_FRAME);
  expect(take(k, 0)).not.toBe(NO_FRAME);
});

test("an unmovable request claims a movable pageblock and leaves the others alone", () => {
  const k = testKernel({ frames: 16, geometry: SMALL });
  const pfn = take(k, 0, GFP_USER | GFP.UNMOVABLE);
  const types = [...k.blocks.migrateType];
  expect(types[pfn >> 2]).toBe(MIGRATE.UNMOVABLE);
  // The order-3 block that it was cut from is two pageblocks.
  expect(types.filter((type) => type === MIGRATE.UNMOVABLE).length).toBe(2);
  drainAllPcps(k.buddy);
  const free = freeBlocksByType(k.buddy, k.buddy.zones[0]!);
  expect(free[MIGRATE.MOVABLE]).toEqual([0, 0, 0, 1]);
  expect(free[MIGRATE.UNMOVABLE]).toEqual([1, 1, 1, 0]);
});

test("mixing types below pageblock size boosts the watermark by a pageblock and calls kswapd", () => {
  const k = testKernel({ frames: GIB_FRAMES, fragmentedRatio: 1 });
  const woken: number[] = [];
  k.buddy.onKswapdWake = (node) => woken.push(node);
  take(k, 0, GFP_USER | GFP.UNMOVABLE);
  expect(k.buddy.zones[1]!.boostPages).toBe(512);
  expect(woken).toEqual([0]);
});

test("an empty machine of 1 TiB has all but the kernel's pages free and touches no frame column", () => {
  const k = testKernel({ frames: 2 ** 28, nodes: 2, cpus: 64 });
  const takenPages = k.buddy.zones.reduce((sum, zone) => sum + zone.takenPages, 0);
  expect(freeMemory(k).freePages).toBe(freeMemory(k).managedPages - takenPages);
  expect(k.frames.next[asPfn(2 ** 27)]).toBe(0);
});
