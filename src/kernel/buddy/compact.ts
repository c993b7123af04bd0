/**
 * Compaction: moving pages from the bottom of a zone to its top until a large enough block is free.
 *
 *     suitable? ─▶ collect pages ─▶ collect frames ─▶ move ─▶ block done: drain lists, frees merge ─▶ enough?
 *                       ▲                                                                          no │
 *                       └───────────────────── until the scanners meet ───────────────────────────────┘
 *
 * Models:       mm/compaction.c compact_zone(), __compact_finished(), try_to_compact_pages(),
 *               kcompactd_do_work(); mm/page_alloc.c __alloc_pages_direct_compact(), v6.1.
 * Not modelled: capture of the freed block by the compacting task (it takes it from the free lists right
 *               after), synchronous writeback, proactive compaction, contention.
 */
import { C } from "../../core/counters.ts";
import { EVENT } from "../../core/events.ts";
import type { Op, Path } from "../../core/ops.ts";
import { NO_FRAME, type NodeId, type Pfn } from "../../core/units.ts";
import { lruDrain, lruPutback } from "../reclaim/lru.ts";
import { emit, enter, type Kernel } from "../state.ts";
import { fallbackType, mayClaim } from "./fallback.ts";
import { freePages, putPage } from "./free.ts";
import { GFP, migrateTypeOf } from "./gfp.ts";
import { movePage } from "./move-page.ts";
import { drainAllPcps, drainPcp } from "./pcp.ts";
import { type Compaction, isolateFrames, isolatePages, scannersMet } from "./scanners.ts";
import { MIGRATE, MIGRATE_TYPES, NONE, type Zone, zoneOf } from "./state.ts";
import {
  COMPACT,
  compactionDeferred,
  compactionRestarts,
  compactionSuitable,
  deferCompaction,
  resetDeferral,
} from "./suitable.ts";
import { sweepZones } from "./zonelist.ts";

/** How hard a run tries, and for whom. */
export interface CompactMode {
  readonly async: boolean;
  /** For an allocation that waits; else for kcompactd. */
  readonly direct: boolean;
}

/** The next run begins at the zone's ends. */
function restart(zone: Zone): void {
  zone.compact.migrateFromAsync = NONE;
  zone.compact.migrateFromSync = NONE;
  zone.compact.freeFrom = NONE;
}

/** All pageblocks of a zone are worth looking at again. */
export function resetSkips(k: Kernel, zone: Zone): void {
  const { hugeOrder } = k.geometry;
  k.buddy.compactSkip.fill(0, zone.startPfn >> hugeOrder, Math.ceil(zone.endPfn / (1 << hugeOrder)));
  zone.compact.skipsStale = false;
  restart(zone);
}

function startRun(k: Kernel, zone: Zone, order: number, type: number, mode: CompactMode): Compaction {
  const { pagesPerHuge } = k.geometry;
  const state = zone.compact;
  const last = zone.endPfn - 1 - ((zone.endPfn - 1) % pagesPerHuge);
  const cached = mode.async ? state.migrateFromAsync : state.migrateFromSync;
  const migratePfn = cached < zone.startPfn || cached >= zone.endPfn ? zone.startPfn : cached;
  const freePfn = state.freeFrom < zone.startPfn || state.freeFrom > last ? last : state.freeFrom;
  return {
    zone,
    order,
    type,
    async: mode.async,
    direct: mode.direct,
    wholeZone: migratePfn === zone.startPfn,
    migratePfn,
    freePfn,
    pages: [],
    frames: [],
  };
}

/** What a run has come to so far; CONTINUE until a block is free or the scanners have met. */
function progress(k: Kernel, run: Compaction): number {
  const { zone, order, type } = run;
  if (scannersMet(k, run)) {
    restart(zone);
    if (run.direct) zone.compact.skipsStale = true;
    return run.wholeZone ? COMPACT.COMPLETE : COMPACT.PARTIAL_SKIPPED;
  }
  // A pageblock that was begun is finished, so that fewer of them are mixed.
  if (run.migratePfn % k.geometry.pagesPerHuge !== 0) return COMPACT.CONTINUE;
  for (let found = order; found <= k.geometry.maxOrder; found++) {
    if (zone.heads[found * MIGRATE_TYPES + type] !== NONE) return COMPACT.SUCCESS;
    if (fallbackType(zone, found, type) !== NONE && mayClaim(k.buddy, found, type)) return COMPACT.SUCCESS;
  }
  return COMPACT.CONTINUE;
}

/**
 * Moves the collected pages as far as there are frames; the rest goes back. Returns whether frames ran out.
 */
function moveCollected(k: Kernel, run: Compaction, ops: Op[]): boolean {
  let outOfFrames = false;
  for (const page of run.pages) {
    const frame = run.frames[run.frames.length - 1];
    if (k.frames.refCount[page] === 1) {
      // Its owner let it go since it was isolated.
      putPage(k, page);
    } else if (frame === undefined) {
      outOfFrames = true;
      lruPutback(k, page);
    } else if (movePage(k, page, frame as Pfn, ops)) {
      run.frames.pop();
    } else {
      lruPutback(k, page);
    }
  }
  run.pages.length = 0;
  return outOfFrames;
}

/**
 * Frames that were collected and not used go back; their pageblock is where the next run's free scanner
 * begins.
 */
function releaseFrames(k: Kernel, run: Compaction): void {
  if (run.frames.length === 0) return;
  const { pagesPerHuge } = k.geometry;
  const state = run.zone.compact;
  const highest = run.frames.reduce((a, b) => Math.max(a, b));
  const block = highest - (highest % pagesPerHuge);
  if (state.freeFrom !== NONE && block > state.freeFrom) state.freeFrom = block;
  for (const pfn of run.frames) freePages(k, pfn as Pfn, 0);
  run.frames.length = 0;
}

/**
 * One round: collect pages, collect frames, move. CONTENDED when there were too few frames, else CONTINUE.
 */
function* round(k: Kernel, run: Compaction): Path<number> {
  const { zone } = run;
  const lru = k.lru.nodes[zone.node]!;
  yield lru.lock.acquire;
  const found = isolatePages(k, run);
  yield lru.lock.release;
  if (!found) return COMPACT.CONTINUE;
  yield zone.lock.acquire;
  if (run.frames.length < run.pages.length) isolateFrames(k, run);
  yield zone.lock.release;
  const ops: Op[] = [];
  const outOfFrames = moveCollected(k, run, ops);
  for (const op of ops) yield op;
  return outOfFrames && !scannersMet(k, run) ? COMPACT.CONTENDED : COMPACT.CONTINUE;
}

/** Compacts one zone for an order. Returns a COMPACT word. */
export function* compactZone(
  k: Kernel,
  zone: Zone,
  order: number,
  type: number,
  mode: CompactMode,
): Path<number> {
  const suitable = compactionSuitable(k.buddy, zone, order, zone.minPages + zone.boostPages);
  if (suitable !== COMPACT.CONTINUE) return suitable;
  if (compactionRestarts(zone.compact, order)) resetSkips(k, zone);
  const run = startRun(k, zone, order, type, mode);
  const { hugeOrder } = k.geometry;
  lruDrain(k, k.cpu);
  let result = progress(k, run);
  while (result === COMPACT.CONTINUE) {
    const blockBefore = run.migratePfn >> hugeOrder;
    result = yield* round(k, run);
    // Frames freed so far sit in this CPU's lists: give them back once their block is behind us, so that they
    // merge.
    if (run.migratePfn >> hugeOrder !== blockBefore) {
      lruDrain(k, k.cpu);
      drainPcp(k.buddy, zone, k.cpu);
    }
    if (result === COMPACT.CONTINUE) result = progress(k, run);
  }
  releaseFrames(k, run);
  k.vmstat[C.nr_free_pages] = k.buddy.freePages;
  return result;
}

/** What direct compaction gave: a block or NO_FRAME, and the best word of the zones. */
export interface CompactOutcome {
  readonly found: Pfn;
  readonly result: number;
}

/** Whether a call whose best zone gave that word counts, and looks at the free lists again. */
function countsAsStall(k: Kernel, result: number): boolean {
  const rule = k.behaviours.compactStall;
  if (rule === "every") return true;
  return result !== COMPACT.SKIPPED && (rule === "not-skipped" || result !== COMPACT.DEFERRED);
}

/** Direct compaction for one allocation: zone by zone, then the free lists. */
export function* directCompact(
  k: Kernel,
  order: number,
  node: NodeId,
  gfp: number,
  async: boolean,
): Path<CompactOutcome> {
  enter(k, "try_to_compact_pages");
  const startNs = k.nowNs;
  let result: number = COMPACT.SKIPPED;
  for (const zone of k.buddy.nodes[node]!.zonelist) {
    if (zone.node !== node && (gfp & GFP.THISNODE) !== 0) break;
    if (compactionDeferred(zone.compact, order)) {
      result = Math.max(result, COMPACT.DEFERRED);
      continue;
    }
    const word = yield* compactZone(k, zone, order, migrateTypeOf(gfp), { async, direct: true });
    result = Math.max(result, word);
    if (word === COMPACT.SUCCESS) {
      resetDeferral(zone.compact, order, false);
      break;
    }
    const scannedAll = word === COMPACT.COMPLETE || word === COMPACT.PARTIAL_SKIPPED;
    if (!async && scannedAll) deferCompaction(zone.compact, order);
  }
  if (!countsAsStall(k, result)) return { found: NO_FRAME, result };
  k.vmstat[C.compact_stall]! += 1;
  const found = yield* sweepZones(k, order, node, gfp, "min");
  k.vmstat[found === NO_FRAME ? C.compact_fail : C.compact_success]! += 1;
  if (found !== NO_FRAME) resetDeferral(zoneOf(k.buddy, found).compact, order, true);
  emit(k, EVENT.compaction, node, order, found === NO_FRAME ? 0 : 1, k.nowNs - startNs);
  return { found, result };
}

/** kcompactd: makes a block of that order in every zone of the node where this looks possible. */
export function* compactNode(k: Kernel, node: NodeId, order: number): Path {
  const startNs = k.nowNs;
  k.vmstat[C.compact_daemon_wake]! += 1;
  let made = 0;
  for (const zone of k.buddy.nodes[node]!.zones) {
    if (compactionDeferred(zone.compact, order)) continue;
    const mark = zone.minPages + zone.boostPages;
    if (compactionSuitable(k.buddy, zone, order, mark) !== COMPACT.CONTINUE) continue;
    const word = yield* compactZone(k, zone, order, MIGRATE.MOVABLE, { async: false, direct: false });
    if (word === COMPACT.SUCCESS) {
      resetDeferral(zone.compact, order, false);
      made = 1;
    } else if (word === COMPACT.COMPLETE || word === COMPACT.PARTIAL_SKIPPED) {
      drainAllPcps(k.buddy);
      k.vmstat[C.nr_free_pages] = k.buddy.freePages;
      deferCompaction(zone.compact, order);
    }
  }
  emit(k, EVENT.compaction, node, order, made, k.nowNs - startNs);
}
