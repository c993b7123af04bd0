import { expect, test } from "vitest";
import { C } from "../../core/counters.ts";
import { SMALL } from "../../core/geometry.ts";
import { asNode, type Pfn } from "../../core/units.ts";
import { freeMemory } from "../buddy/figures.ts";
import { frameOf, processWith, runAlone, type TestMachine, testKernel, touch } from "../buddy/test-kernel.ts";
import { violations } from "../invariants.ts";
import { forkMm } from "../mm/fork.ts";
import { freeLazily } from "../mm/madvise-age.ts";
import type { Mm } from "../mm/mm.ts";
import { pinPage } from "../mm/pin.ts";
import { zapRange } from "../mm/zap.ts";
import type { Kernel } from "../state.ts";
import { kswapd } from "./kswapd.ts";
import { lruDrainAll, lruIsolate } from "./lru.ts";
import { reclaimIsolated } from "./pageout.ts";
import { reclaimList } from "./reclaim-list.ts";
import { inactiveIsLow, type Scan, shrinkLists } from "./shrink.ts";
import { objectsToScan, shrinkDeferred } from "./shrink-deferred.ts";

/** What MADV_PAGEOUT does to a page: isolate it, then reclaim it. */
function pageOut(k: Kernel, pfn: Pfn) {
  return reclaimIsolated(k, lruIsolate(k, pfn) ? [pfn] : []);
}

const LOCAL = asNode(0);

function small(of: Partial<TestMachine>, pages: number): { k: Kernel; mm: Mm; start: number } {
  const k = testKernel({
    frames: 32,
    geometry: SMALL,
    ...of,
    tunables: { enabled: "never", ...of.tunables },
  });
  return { k, ...processWith(k, pages) };
}

function scanAll(k: Kernel): Scan {
  const scan: Scan = {
    node: LOCAL,
    byKswapd: false,
    targetPages: 1000,
    maySwap: true,
    priority: 0,
    scannedPages: 0,
    freedPages: 0,
  };
  runAlone(shrinkLists(k, scan));
  return scan;
}

test("a machine without swap runs out of memory, and nothing is scanned", () => {
  const { k, mm, start } = small({}, 40);
  const outcomes = Array.from({ length: 40 }, (_, i) => touch(k, mm, start + i));
  expect(outcomes.filter((outcome) => outcome === "oom").length).toBe(8);
  expect([k.vmstat[C.pgscan_direct], k.vmstat[C.pswpout]]).toEqual([0, 0]);
  expect(k.vmstat[C.allocstall_movable]).toBeGreaterThan(0);
  expect(violations(k)).toEqual([]);
});

test("with swap a process writes three times the memory, and reads all of it back", () => {
  const { k, mm, start } = small({ swapPages: 100 }, 96);
  for (let i = 0; i < 96; i++) expect(touch(k, mm, start + i)).toBe("anon-4k");
  expect(k.vmstat[C.pswpout]).toBeGreaterThanOrEqual(64);
  expect(mm.anonPages + mm.swapEntries).toBe(96);
  for (let i = 0; i < 96; i++)
    if (frameOf(k, mm, start + i) < 0) expect(touch(k, mm, start + i, false)).toBe("swap-in");
  expect(k.vmstat[C.pgmajfault]).toBeGreaterThan(0);
  expect(k.vmstat[C.pswpin]).toBe(k.vmstat[C.pgmajfault]! + k.vmstat[C.swap_ra]!);
  expect(violations(k)).toEqual([]);
});

test.each([
  ["memory", 8],
  // What was written and is still in the swap cache would be free for the taking, but nobody looks any more.
  ["disk", 18],
] as const)("when swap on %s is full as well, the machine is out of memory", (swapDevice, refused) => {
  const { k, mm, start } = small({ swapPages: 10, swapDevice }, 50);
  const outcomes = Array.from({ length: 50 }, (_, i) => touch(k, mm, start + i));
  expect(outcomes.filter((outcome) => outcome === "oom").length).toBe(refused);
  expect(k.swap.free).toBe(0);
});

test("a page used since the last look is kept once, and activated the second time", () => {
  const { k, mm, start } = small({ swapPages: 100 }, 4);
  touch(k, mm, start);
  lruDrainAll(k);
  expect([scanAll(k).freedPages, k.vmstat[C.pgactivate]]).toEqual([0, 0]);
  k.pt.pteFlags[k.pt.ptePfn.indexOf(frameOf(k, mm, start))]! |= 4; // the program uses the page again
  expect([scanAll(k).freedPages, k.vmstat[C.pgactivate]]).toEqual([0, 1]);
});

test.each([
  ["memory", [1]],
  ["disk", [0, 1]],
] as const)("a page not used since the last look goes to swap on %s", (swapDevice, freed) => {
  const { k, mm, start } = small({ swapPages: 100, swapDevice }, 4);
  touch(k, mm, start);
  lruDrainAll(k);
  scanAll(k);
  for (const pages of freed) expect(scanAll(k).freedPages).toBe(pages);
  expect([mm.swapEntries, mm.anonPages, k.vmstat[C.pswpout]]).toEqual([1, 0, 1]);
});

test("a page that two processes share goes to swap once, and each reads it back", () => {
  const { k, mm, start } = small({ swapPages: 100, swapDevice: "memory" }, 4);
  touch(k, mm, start);
  lruDrainAll(k);
  const child = runAlone(forkMm(k, mm));
  expect(runAlone(pageOut(k, frameOf(k, mm, start)))).toBe(1);
  expect([k.vmstat[C.pswpout], k.swap.free, mm.swapEntries, child.swapEntries]).toEqual([1, 99, 1, 1]);
  expect(violations(k)).toEqual([]);
  expect([touch(k, mm, start), touch(k, child, start)]).toEqual(["swap-in", "swap-in"]);
  expect([k.swap.free, mm.swapEntries, child.swapEntries]).toEqual([100, 0, 0]);
  // The second finds what the first has read, which is in the swap cache while both name it.
  expect([k.vmstat[C.pswpin], k.vmstat[C.pgmajfault]]).toEqual([1, 1]);
  expect(violations(k)).toEqual([]);
});

test("lazily freed memory is discarded without a write, even without swap", () => {
  const { k, mm, start } = small({}, 8);
  for (let i = 0; i < 8; i++) touch(k, mm, start + i);
  lruDrainAll(k);
  runAlone(freeLazily(k, mm, start, start + 8));
  expect(scanAll(k).freedPages).toBe(8);
  expect([k.vmstat[C.pglazyfree], k.vmstat[C.pglazyfreed], k.vmstat[C.pswpout]]).toEqual([8, 8, 0]);
  expect(mm.anonPages).toBe(0);
  expect(violations(k)).toEqual([]);
});

test("lazily freed memory that was written again stays", () => {
  const { k, mm, start } = small({}, 4);
  touch(k, mm, start);
  lruDrainAll(k);
  runAlone(freeLazily(k, mm, start, start + 4));
  k.pt.pteFlags[k.pt.ptePfn.indexOf(frameOf(k, mm, start))]! |= 8; // written, without being young
  expect(scanAll(k).freedPages).toBe(0);
  expect(mm.anonPages).toBe(1);
});

function hugeMachine(of: Partial<TestMachine>): { k: Kernel; mm: Mm; start: number } {
  const made = small({ ...of, tunables: { enabled: "always", ...of.tunables } }, 4);
  expect(touch(made.k, made.mm, made.start)).toBe("anon-huge");
  return made;
}

test("a huge page goes to swap as a whole when swap has a cluster for it", () => {
  const { k, mm, start } = hugeMachine({ swapPages: 8, swapDevice: "memory" });
  expect(runAlone(pageOut(k, frameOf(k, mm, start)))).toBe(4);
  const { vmstat } = k;
  expect([vmstat[C.thp_swpout], vmstat[C.pswpout], vmstat[C.thp_split_pmd]]).toEqual([1, 4, 1]);
  expect([
    vmstat[C.thp_split_page],
    vmstat[C.thp_swpout_fallback],
    vmstat[C.thp_deferred_split_page],
  ]).toEqual([0, 0, 0]);
  expect([mm.swapEntries, mm.anonPages, freeMemory(k).freePages + freeMemory(k).perCpuPages]).toEqual([
    4, 0, 32,
  ]);
  expect(violations(k)).toEqual([]);
});

test("without a cluster it is split, and its base pages go singly", () => {
  const { k, mm, start } = hugeMachine({ swapPages: 3, swapDevice: "memory" });
  expect(runAlone(pageOut(k, frameOf(k, mm, start)))).toBe(3);
  const { vmstat } = k;
  expect([vmstat[C.thp_split_page], vmstat[C.thp_split_pmd], vmstat[C.thp_swpout_fallback]]).toEqual([
    1, 1, 1,
  ]);
  expect([vmstat[C.thp_swpout], vmstat[C.pswpout], mm.swapEntries, mm.anonPages]).toEqual([0, 3, 3, 1]);
  expect([vmstat[C.nr_isolated_anon], vmstat[C.nr_active_anon]]).toEqual([0, 1]);
  expect(violations(k)).toEqual([]);
});

test("a pinned huge page stays and becomes active", () => {
  const { k, mm, start } = hugeMachine({ swapPages: 8 });
  pinPage(k, mm, start);
  expect(runAlone(pageOut(k, frameOf(k, mm, start)))).toBe(0);
  expect([k.vmstat[C.pgactivate], mm.anonPages, k.vmstat[C.thp_split_page]]).toEqual([4, 4, 0]);
  expect(violations(k)).toEqual([]);
});

test("pressure splits a huge page of which a part is unmapped, and frees that part", () => {
  const { k, mm, start } = hugeMachine({});
  runAlone(zapRange(k, mm, start, start + 3, "advise"));
  expect(k.vmstat[C.thp_deferred_split_page]).toBe(1);
  expect(runAlone(shrinkDeferred(k, LOCAL, 0))).toBe(1);
  expect([k.vmstat[C.thp_split_page], k.thp.deferredLength[0]]).toEqual([1, 0]);
  expect(freeMemory(k).freePages + freeMemory(k).perCpuPages).toBe(31);
  expect(violations(k)).toEqual([]);
});

test("a queued huge page that cannot be split stays queued", () => {
  const { k, mm, start } = hugeMachine({});
  runAlone(zapRange(k, mm, start, start + 3, "advise"));
  pinPage(k, mm, start + 3);
  expect(runAlone(shrinkDeferred(k, LOCAL, 0))).toBe(0);
  expect([k.vmstat[C.thp_split_page_failed], k.thp.deferredLength[0]]).toEqual([1, 1]);
});

test("the underused shrinker splits huge pages of which too little was touched", () => {
  const behaviours = {
    underusedShrinker: true,
    splitFreesZeros: true,
    deferredSplit: "partially-mapped",
  } as const;
  const { k, mm, start } = hugeMachine({ behaviours, tunables: { maxPtesNone: 2, shrinkUnderused: true } });
  expect(k.thp.deferredLength[0]).toBe(1);
  expect(runAlone(shrinkDeferred(k, LOCAL, 0))).toBe(1);
  expect([k.vmstat[C.thp_underused_split_page], k.vmstat[C.thp_split_page]]).toEqual([1, 1]);
  expect(mm.anonPages).toBe(0); // no reference was simulated, so that every base page counts as zero
  expect(touch(k, mm, start + 1)).toBe("anon-4k");
  expect(violations(k)).toEqual([]);
});

test("kswapd runs from below low until a zone has its high watermark free", () => {
  const { k, mm, start } = small({ frames: 256, swapPages: 512, tunables: { minFreeKb: 64 } }, 400);
  let woken = 0;
  k.buddy.onKswapdWake = (node) => {
    woken++;
    runAlone(kswapd(k, node));
  };
  const zone = k.buddy.zones[0]!;
  for (let i = 0; i < 400; i++) {
    touch(k, mm, start + i);
    expect(zone.freePages).toBeGreaterThan(zone.minPages - 2);
  }
  expect(woken).toBeGreaterThan(0);
  expect(k.vmstat[C.pgsteal_kswapd]).toBeGreaterThan(0);
  expect([k.vmstat[C.allocstall_movable], zone.reclaiming, k.buddy.nodes[0]!.kswapd.running]).toEqual([
    0,
    0,
    false,
  ]);
  expect(violations(k)).toEqual([]);
});

test("the inactive list may be the smaller, the larger both are", () => {
  const gib = 2 ** 18;
  expect(inactiveIsLow(100, 101)).toBe(true);
  expect(inactiveIsLow(100, 100)).toBe(false);
  expect(inactiveIsLow(gib, 3 * gib - 1)).toBe(false); // below 4 GiB: one part in six is enough
  expect(inactiveIsLow(gib, 9 * gib)).toBe(false); // 10 GiB: one part in eleven is enough
  expect(inactiveIsLow(gib, 11 * gib)).toBe(true);
});

test("the shrinker looks at few objects while pressure is low, and remembers what it owes", () => {
  expect(objectsToScan(1000, 0, 12)).toBe(0);
  expect(objectsToScan(4096, 0, 12)).toBe(2);
  expect(objectsToScan(1000, 0, 0)).toBe(2000);
  expect(objectsToScan(1000, 512, 1)).toBe(1256);
});

test("a page whose owner lets go between isolation and reclaim is freed without a write", () => {
  const { k, mm, start } = small({ swapPages: 8 }, 4);
  touch(k, mm, start);
  lruDrainAll(k);
  const pfn = frameOf(k, mm, start);
  lruIsolate(k, pfn);
  runAlone(zapRange(k, mm, start, start + 1, "advise"));
  expect(reclaimList(k, [pfn], false, [])).toBe(1);
  expect([k.vmstat[C.pswpout], k.swap.free, k.vmstat[C.nr_isolated_anon]]).toEqual([0, 8, 0]);
  expect(freeMemory(k).freePages + freeMemory(k).perCpuPages).toBe(32);
});

test("kswapd gives up a node after 16 fruitless runs, until something was freed again", () => {
  const { k, mm, start } = small({ frames: 64, tunables: { minFreeKb: 64 } }, 64);
  let runs = 0;
  k.buddy.onKswapdWake = (node) => {
    runs++;
    runAlone(kswapd(k, node));
  };
  for (let i = 0; i < 64; i++) touch(k, mm, start + i);
  expect(runs).toBe(16);
  lruDrainAll(k);
  runAlone(freeLazily(k, mm, start, start + 8));
  touch(k, mm, start + 63);
  expect(k.vmstat[C.pglazyfreed]).toBe(8);
  expect(k.buddy.nodes[0]!.kswapd.failures).toBeLessThan(16);
});
