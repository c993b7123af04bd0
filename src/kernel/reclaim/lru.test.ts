import { expect, test } from "vitest";
import { C } from "../../core/counters.ts";
import { SMALL } from "../../core/geometry.ts";
import { asCpu, asNode, NO_FRAME, type Pfn } from "../../core/units.ts";
import { allocFast, allocPages } from "../buddy/alloc.ts";
import { freeMemory } from "../buddy/figures.ts";
import { putPage } from "../buddy/free.ts";
import { GFP_USER } from "../buddy/gfp.ts";
import { runAlone, testKernel } from "../buddy/test-kernel.ts";
import { FRAME } from "../mm/frames.ts";
import type { Kernel } from "../state.ts";
import {
  lruActivate,
  lruAdd,
  lruDeactivate,
  lruDrain,
  lruDrainAll,
  lruIsolate,
  lruLazyFree,
  lruPutback,
  lruSplit,
} from "./lru.ts";
import { lruNext } from "./lru-list.ts";
import { LRU_END, LRU_LIST } from "./state.ts";

function machine(lruBatch = 3): Kernel {
  return testKernel({ frames: 64, geometry: SMALL, cpus: 2, behaviours: { lruBatch } });
}

function page(k: Kernel, order = 0): Pfn {
  let pfn = allocFast(k, order, asNode(0), GFP_USER);
  if (pfn === NO_FRAME) pfn = runAlone(allocPages(k, order, asNode(0), GFP_USER));
  k.frames.flags[pfn] = FRAME.ANON | FRAME.SWAPBACKED;
  if (order > 0) {
    k.frames.flags[pfn]! |= FRAME.HEAD;
    for (let i = 1; i < 4; i++) k.frames.flags[pfn + i] = FRAME.TAIL;
  }
  return pfn;
}

/** Frames from newest to oldest: `active | inactive | lazy`. */
function picture(k: Kernel): string {
  return [LRU_LIST.ACTIVE, LRU_LIST.INACTIVE, LRU_LIST.LAZY]
    .map((list) => {
      const frames: number[] = [];
      for (let pfn = k.lru.nodes[0]!.heads[list]!; pfn !== LRU_END; pfn = lruNext(k, pfn)) frames.push(pfn);
      return frames.join(" ");
    })
    .join(" | ");
}

test("a new page waits in its CPU's batch with one more reference, and is on no list", () => {
  const k = machine();
  const pfn = page(k);
  lruAdd(k, pfn);
  expect(picture(k)).toBe(" |  | ");
  expect([k.frames.refCount[pfn], k.frames.flags[pfn]! & FRAME.BATCHED]).toEqual([2, FRAME.BATCHED]);
  expect(lruIsolate(k, pfn)).toBe(false);
});

test("the page that fills the batch drains all of it, in order", () => {
  const k = machine();
  for (let i = 0; i < 3; i++) lruAdd(k, page(k));
  expect(picture(k)).toBe(" | 2 1 0 | ");
  expect([...k.frames.refCount.subarray(0, 3)]).toEqual([1, 1, 1]);
  expect(k.vmstat[C.nr_inactive_anon]).toBe(3);
});

test("with batches of 15, fourteen pages stay invisible", () => {
  const k = machine(15);
  for (let i = 0; i < 14; i++) lruAdd(k, page(k));
  expect(k.vmstat[C.nr_inactive_anon]).toBe(0);
  lruAdd(k, page(k));
  expect(k.vmstat[C.nr_inactive_anon]).toBe(15);
});

test("a huge page drains the batch at once and counts as all of its pages", () => {
  const k = machine();
  const small = page(k);
  const huge = page(k, 2);
  lruAdd(k, small);
  lruAdd(k, huge);
  expect(picture(k)).toBe(` | ${huge} ${small} | `);
  expect(k.vmstat[C.nr_inactive_anon]).toBe(5);
});

test("a page whose owner let go while it was batched is freed by the drain, not before", () => {
  const k = machine();
  const pfn = page(k);
  lruAdd(k, pfn);
  const before = freeMemory(k);
  putPage(k, pfn);
  expect(freeMemory(k)).toEqual(before);
  lruDrain(k, 0);
  expect(freeMemory(k).perCpuPages).toBe(before.perCpuPages + 1);
  expect([k.frames.flags[pfn], k.frames.refCount[pfn], picture(k)]).toEqual([FRAME.PCP, 0, " |  | "]);
});

test("each CPU has its own batch; draining all empties every one", () => {
  const k = machine();
  lruAdd(k, page(k));
  k.cpu = asCpu(1);
  lruAdd(k, page(k));
  lruDrain(k, 1);
  expect(picture(k)).toBe(" | 1 | ");
  lruDrainAll(k);
  expect(picture(k)).toBe(" | 0 1 | ");
});

test("the last reference takes a page off its list", () => {
  const k = machine(1);
  const pages = [page(k), page(k), page(k)];
  for (const pfn of pages) lruAdd(k, pfn);
  putPage(k, pages[1]!);
  expect(picture(k)).toBe(" | 2 0 | ");
});

test("a freed huge page leaves the list, loses every flag and returns as one block", () => {
  const k = machine();
  const huge = page(k, 2);
  lruAdd(k, huge);
  putPage(k, huge);
  expect(picture(k)).toBe(" |  | ");
  expect([...k.frames.flags.subarray(huge, huge + 4)]).toEqual([0, 0, 0, 0]);
  expect(freeMemory(k).freePages).toBe(64);
  expect(k.vmstat[C.pgfree]).toBe(4);
});

test("an isolated page is held by its isolator and comes back through the batch", () => {
  const k = machine(1);
  const pfn = page(k);
  lruAdd(k, pfn);
  expect(lruIsolate(k, pfn)).toBe(true);
  expect([k.frames.refCount[pfn], k.vmstat[C.nr_isolated_anon], picture(k)]).toEqual([2, 1, " |  | "]);
  expect(lruIsolate(k, pfn)).toBe(false);
  lruPutback(k, pfn);
  expect([k.frames.refCount[pfn], k.vmstat[C.nr_isolated_anon], picture(k)]).toEqual([1, 0, ` | ${pfn} | `]);
});

test("a page freed while isolated is not counted as isolated any more", () => {
  const k = machine(1);
  const pfn = page(k);
  lruAdd(k, pfn);
  lruIsolate(k, pfn);
  putPage(k, pfn);
  putPage(k, pfn);
  expect(k.vmstat[C.nr_isolated_anon]).toBe(0);
});

test("activation and deactivation move a page to the young end of the other list", () => {
  const k = machine(1);
  const [a, b] = [page(k), page(k)];
  lruAdd(k, a);
  lruAdd(k, b);
  lruActivate(k, a);
  expect(picture(k)).toBe("0 | 1 | ");
  lruDeactivate(k, a);
  expect(picture(k)).toBe(" | 0 1 | ");
  expect([k.vmstat[C.pgactivate], k.vmstat[C.pgdeactivate]]).toEqual([1, 1]);
});

test("a lazily freed page needs no swap any more and leaves the anonymous lists", () => {
  const k = machine(1);
  const pfn = page(k);
  lruAdd(k, pfn);
  lruLazyFree(k, pfn);
  expect(picture(k)).toBe(" |  | 0");
  expect([k.vmstat[C.nr_inactive_anon], k.vmstat[C.pglazyfree]]).toEqual([0, 1]);
});

test("the tails of a split page stand beside it, so that reclaim meets them in order of address", () => {
  const k = machine(1);
  const old = page(k);
  const huge = page(k, 2);
  const young = page(k);
  for (const pfn of [old, huge, young]) lruAdd(k, pfn);
  k.frames.flags[huge]! &= ~FRAME.HEAD;
  for (let i = 1; i < 4; i++) k.frames.flags[huge + i] = FRAME.ANON;
  lruSplit(k, huge);
  expect(picture(k)).toBe(` | ${young} ${huge + 3} ${huge + 2} ${huge + 1} ${huge} ${old} | `);
  expect(k.vmstat[C.nr_inactive_anon]).toBe(6);
});
