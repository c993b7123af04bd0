/**
 * The two scanners of compaction: one collects pages to move from the bottom of a zone, the other frames to
 * move them to from the top.
 *
 *     [ migrate scanner ▶   . . . pages . . .        . . . free . . .   ◀ free scanner ]
 *
 * Models:       mm/compaction.c isolate_migratepages(), isolate_migratepages_block(), isolate_freepages(),
 *               v6.1.
 * Not modelled: the fast searches through free lists (fast_find_migrateblock, fast_isolate_freepages),
 *               rescans, lock contention, non-LRU movable pages.
 */
import { C } from "../../core/counters.ts";
import type { Pfn } from "../../core/units.ts";
import { FRAME } from "../mm/frames.ts";
import { lruIsolate, lruPutback } from "../reclaim/lru.ts";
import { type Kernel, spend } from "../state.ts";
import { freeOrderAt, unlinkFree } from "./lists.ts";
import { NONE, type Zone } from "./state.ts";
import { isMovableType } from "./suitable.ts";

/** Pages isolated in one round (COMPACT_CLUSTER_MAX). */
const CLUSTER_PAGES = 32;

/** One run of compaction in one zone. */
export interface Compaction {
  readonly zone: Zone;
  readonly order: number;
  readonly type: number;
  /** Async runs only look at movable blocks, and drop a block at the first page that cannot move. */
  readonly async: boolean;
  readonly direct: boolean;
  /** Both scanners began at the zone's ends. */
  readonly wholeZone: boolean;
  migratePfn: number;
  freePfn: number;
  readonly pages: Pfn[];
  readonly frames: number[];
}

/** The scanners stand in the same pageblock, or have passed each other. */
export function scannersMet(k: Kernel, run: Compaction): boolean {
  const { hugeOrder } = k.geometry;
  return run.freePfn >> hugeOrder <= run.migratePfn >> hugeOrder;
}

/** Collects up to 32 pages to move; false when the scanners met first. Moves the migrate scanner. */
export function isolatePages(k: Kernel, run: Compaction): boolean {
  const { pagesPerHuge, hugeOrder } = k.geometry;
  const { zone } = run;
  while (!scannersMet(k, run)) {
    const block = run.migratePfn >> hugeOrder;
    const end = Math.min((block + 1) * pagesPerHuge, zone.endPfn);
    const fromStart = run.migratePfn % pagesPerHuge === 0 || run.migratePfn === zone.startPfn;
    const source = !run.async || !run.direct || isMovableType(k.blocks.migrateType[block]!);
    if ((fromStart && k.buddy.compactSkip[block] !== 0) || !source) {
      run.migratePfn = end;
      continue;
    }
    isolateInBlock(k, run, end);
    if (run.migratePfn >= end && run.pages.length === 0) {
      k.buddy.compactSkip[block] = 1;
      const state = zone.compact;
      if (state.migrateFromAsync < end) state.migrateFromAsync = end;
      if (!run.async && state.migrateFromSync < end) state.migrateFromSync = end;
    }
    if (run.pages.length > 0) return true;
  }
  return false;
}

/** Whether the LRU page of that frame can be moved: a mapped base page that nobody else holds. */
function canMove(k: Kernel, pfn: number): boolean {
  const { flags, refCount, mapCount } = k.frames;
  const wanted = FRAME.LRU | FRAME.ANON;
  if ((flags[pfn]! & (wanted | FRAME.HEAD | FRAME.TAIL | FRAME.LOCKED)) !== wanted) return false;
  return mapCount[pfn]! > 0 && refCount[pfn] === mapCount[pfn];
}

function isolateInBlock(k: Kernel, run: Compaction, end: number): void {
  const { frames, geometry, vmstat } = k;
  const skipOnFailure = run.async && run.direct;
  const unit = 1 << run.order;
  let scanned = 0;
  let isolated = 0;
  let pfn = run.migratePfn;
  for (; pfn < end; pfn++) {
    scanned++;
    const free = freeOrderAt(k.buddy, pfn);
    if (free !== NONE) {
      pfn += (1 << free) - 1;
      continue;
    }
    if (canMove(k, pfn) && lruIsolate(k, pfn as Pfn)) {
      run.pages.push(pfn as Pfn);
      isolated++;
      if (run.pages.length < CLUSTER_PAGES) continue;
      pfn++;
      break;
    }
    if ((frames.flags[pfn]! & FRAME.HEAD) !== 0) pfn += geometry.pagesPerHuge - 1;
    if (!skipOnFailure) continue;
    const unitStart = pfn - (pfn % unit);
    giveUpUnit(k, run, unitStart);
    pfn = unitStart + unit - 1;
  }
  run.migratePfn = pfn;
  vmstat[C.compact_migrate_scanned]! += scanned;
  vmstat[C.compact_isolated]! += isolated;
  spend(k, scanned * k.costs.compactScanNs);
}

/**
 * That block cannot become free any more: what was collected from it goes back, and the rest is left alone.
 */
function giveUpUnit(k: Kernel, run: Compaction, unitStart: number): void {
  while (run.pages.length > 0 && run.pages[run.pages.length - 1]! >= unitStart)
    lruPutback(k, run.pages.pop()!);
}

/** Under the zone lock: collects free frames until there is one for each page. Moves the free scanner. */
export function isolateFrames(k: Kernel, run: Compaction): void {
  const { pagesPerHuge, hugeOrder } = k.geometry;
  const { zone } = run;
  const state = zone.compact;
  const low = run.migratePfn - (run.migratePfn % pagesPerHuge) + pagesPerHuge;
  let start = run.freePfn - (run.freePfn % pagesPerHuge);
  let from = run.freePfn;
  while (start >= low && run.frames.length < run.pages.length) {
    const block = start >> hugeOrder;
    const end = Math.min(start + pagesPerHuge, zone.endPfn);
    if (from < end && isTarget(k, block)) {
      const before = run.frames.length;
      from = takeFrames(k, run, from, end);
      if (from < end) break;
      if (run.frames.length === before) {
        k.buddy.compactSkip[block] = 1;
        const below = start - pagesPerHuge;
        if (state.freeFrom === NONE || below < state.freeFrom) state.freeFrom = below;
      }
    }
    start -= pagesPerHuge;
    from = start;
  }
  run.freePfn = Math.max(from, zone.startPfn);
  k.vmstat[C.nr_free_pages] = k.buddy.freePages;
}

/** A movable pageblock with free pages in it, but not free as a whole. */
function isTarget(k: Kernel, block: number): boolean {
  return (
    k.blocks.freeOrder[block] === 0 &&
    k.buddy.compactSkip[block] === 0 &&
    isMovableType(k.blocks.migrateType[block]!)
  );
}

/** Takes free blocks of a pageblock apart into frames; returns where it stopped. */
function takeFrames(k: Kernel, run: Compaction, from: number, end: number): number {
  let pfn = from;
  let scanned = 0;
  while (pfn < end && run.frames.length < run.pages.length) {
    scanned++;
    const order = freeOrderAt(k.buddy, pfn);
    if (order === NONE) {
      pfn++;
      continue;
    }
    unlinkFree(k.buddy, run.zone, pfn, order);
    for (let i = 0; i < 1 << order; i++) run.frames.push(pfn + i);
    k.vmstat[C.compact_isolated]! += 1 << order;
    pfn += 1 << order;
  }
  k.vmstat[C.compact_free_scanned]! += scanned;
  spend(k, scanned * k.costs.compactScanNs);
  return pfn;
}
