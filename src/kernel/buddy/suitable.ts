/**
 * Whether compacting a zone is worth a try: enough free memory, scattered rather than short, and not put off.
 *
 *     block already there ─▶ success     too little free memory, or shortage and not scatter ─▶ skipped
 *     failed lately ─▶ deferred (the next 2^k - 1 attempts)                       otherwise ─▶ go on
 *
 * Models:       mm/compaction.c compaction_suitable(), defer_compaction(), compaction_deferred(); mm/vmstat.c
 *               __fragmentation_index(), v6.1.
 * Not modelled: CMA pages.
 */
import { type Buddy, type CompactState, MIGRATE, type Zone } from "./state.ts";
import { watermarkOk } from "./watermarks.ts";

/** What compaction came to; of several zones the largest counts. */
export const COMPACT = {
  NOT_SUITABLE: 0,
  SKIPPED: 1,
  DEFERRED: 2,
  NO_PAGE: 3,
  CONTINUE: 4,
  COMPLETE: 5,
  PARTIAL_SKIPPED: 6,
  CONTENDED: 7,
  SUCCESS: 8,
} as const;

/** vm.extfrag_threshold: up to this index, memory is short rather than scattered. */
const EXTFRAG_THRESHOLD = 500;
/** Attempts are put off at most 2^6 - 1 times in a row. */
const DEFER_SHIFT_MAX = 6;

/** Orders above this are costly: compacted for, never looped for, never worth an OOM kill. */
export function isCostly(b: Buddy, order: number): boolean {
  return order > b.costlyOrder;
}

/** Free pages that compaction needs to work: twice the block. */
export function compactGapPages(order: number): number {
  return 2 << order;
}

/** -1000: a block of the order is free. Else 0..1000: from "memory is short" to "memory is scattered". */
export function fragmentationIndex(b: Buddy, zone: Zone, order: number): number {
  const blocksWanted = 2 ** order;
  let freeBlocks = 0;
  let freePages = 0;
  for (let found = 0; found <= b.geometry.maxOrder; found++) {
    freeBlocks += zone.counts[found]!;
    freePages += zone.counts[found]! * 2 ** found;
    if (found >= order && zone.counts[found]! > 0) return -1000;
  }
  if (freeBlocks === 0) return 0;
  return 1000 - Math.floor((1000 + Math.floor((freePages * 1000) / blocksWanted)) / freeBlocks);
}

/** SUCCESS, SKIPPED or CONTINUE: what to expect of compacting the zone for an allocation at `markPages`. */
export function compactionSuitable(b: Buddy, zone: Zone, order: number, markPages: number): number {
  if (watermarkOk(b, zone, order, markPages)) return COMPACT.SUCCESS;
  const base = isCostly(b, order) ? zone.lowPages : zone.minPages;
  if (!watermarkOk(b, zone, 0, base + zone.boostPages + compactGapPages(order))) return COMPACT.SKIPPED;
  if (isCostly(b, order)) {
    const index = fragmentationIndex(b, zone, order);
    if (index >= 0 && index <= EXTFRAG_THRESHOLD) return COMPACT.SKIPPED;
  }
  return COMPACT.CONTINUE;
}

/** True while attempts for that order are put off; counts this one. */
export function compactionDeferred(state: CompactState, order: number): boolean {
  if (order < state.orderFailed) return false;
  const limit = 1 << state.deferShift;
  state.considered = Math.min(state.considered + 1, limit);
  return state.considered < limit;
}

/** A synchronous run failed: put the next ones off, twice as long as before. */
export function deferCompaction(state: CompactState, order: number): void {
  state.considered = 0;
  state.deferShift = Math.min(state.deferShift + 1, DEFER_SHIFT_MAX);
  if (order < state.orderFailed) state.orderFailed = order;
}

/** A run (or the allocation after it) succeeded for that order. */
export function resetDeferral(state: CompactState, order: number, allocated: boolean): void {
  if (allocated) {
    state.considered = 0;
    state.deferShift = 0;
  }
  if (order >= state.orderFailed) state.orderFailed = order + 1;
}

/** After the longest deferral everything is looked at again. */
export function compactionRestarts(state: CompactState, order: number): boolean {
  if (order < state.orderFailed) return false;
  return state.deferShift === DEFER_SHIFT_MAX && state.considered >= 1 << DEFER_SHIFT_MAX;
}

/** Pageblocks whose pages an async run moves, and to which any run moves pages. */
export function isMovableType(type: number): boolean {
  return type === MIGRATE.MOVABLE;
}
