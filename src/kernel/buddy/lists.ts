/**
 * The free lists of a zone: link, unlink, split and merge of blocks. Plain functions under the zone lock.
 *
 *     take order 0:   [ 8 free ]  ──▶  [taken][1][ 2 ][   4   ]    low half used, the upper ones to lists
 *     free order 0:   [page][1 free][ 2 free ]  ──▶  [ 4 free ]     while the buddy is free and as large
 *
 * Models:       mm/page_alloc.c __free_one_page(), expand(), __rmqueue_smallest(), v6.1.
 * Not modelled: page reporting, guard pages, isolated pageblocks, list shuffling.
 */
import { assert } from "../../lib/assert.ts";
import { FRAME } from "../mm/frames.ts";
import { type Buddy, MIGRATE, MIGRATE_TYPES, NONE, type Zone } from "./state.ts";

function linkRow(zone: Zone, list: number, next: Int32Array, prev: Int32Array, row: number, tail: boolean) {
  const end = -2 - list;
  const { heads, tails } = zone;
  if (tail) {
    const last = tails[list]!;
    prev[row] = last === NONE ? end : last;
    next[row] = end;
    if (last === NONE) heads[list] = row;
    else next[last] = row;
    tails[list] = row;
  } else {
    const first = heads[list]!;
    next[row] = first === NONE ? end : first;
    prev[row] = end;
    if (first === NONE) tails[list] = row;
    else prev[first] = row;
    heads[list] = row;
  }
}

function unlinkRow(zone: Zone, next: Int32Array, prev: Int32Array, row: number): void {
  const after = next[row]!;
  const before = prev[row]!;
  if (before >= 0) next[before] = after;
  else zone.heads[-2 - before] = after >= 0 ? after : NONE;
  if (after >= 0) prev[after] = before;
  else zone.tails[-2 - after] = before >= 0 ? before : NONE;
}

/** Puts a free block on the list of its order and that type. */
export function linkFree(
  b: Buddy,
  zone: Zone,
  pfn: number,
  order: number,
  type: number,
  tail: boolean,
): void {
  const list = order * MIGRATE_TYPES + type;
  const { hugeOrder } = b.geometry;
  if (order < hugeOrder) {
    b.frames.flags[pfn] = FRAME.BUDDY;
    b.frames.anonVma[pfn] = order;
    linkRow(zone, list, b.frames.next, b.frames.prev, pfn, tail);
  } else {
    const block = pfn >> hugeOrder;
    b.blocks.freeOrder[block] = order + 1;
    linkRow(zone, list, b.blocks.freeNext, b.blocks.freePrev, block, tail);
  }
  zone.counts[order]! += 1;
  zone.freePages += 1 << order;
  b.freePages += 1 << order;
}

/** Takes a free block off its list. */
export function unlinkFree(b: Buddy, zone: Zone, pfn: number, order: number): void {
  const { hugeOrder } = b.geometry;
  if (order < hugeOrder) {
    assert((b.frames.flags[pfn]! & FRAME.BUDDY) !== 0, "a block taken off a free list is marked free");
    b.frames.flags[pfn] = 0;
    unlinkRow(zone, b.frames.next, b.frames.prev, pfn);
  } else {
    const block = pfn >> hugeOrder;
    assert(b.blocks.freeOrder[block] === order + 1, "a huge block taken off a free list is marked free");
    b.blocks.freeOrder[block] = 0;
    unlinkRow(zone, b.blocks.freeNext, b.blocks.freePrev, block);
  }
  zone.counts[order]! -= 1;
  zone.freePages -= 1 << order;
  b.freePages -= 1 << order;
}

/** First frame of the first block of a list, or NONE. */
export function firstFree(b: Buddy, zone: Zone, order: number, type: number): number {
  const row = zone.heads[order * MIGRATE_TYPES + type]!;
  return row === NONE || order < b.geometry.hugeOrder ? row : row << b.geometry.hugeOrder;
}

/** First frame of the block that follows on the same list, or NONE. */
export function nextFree(b: Buddy, pfn: number, order: number): number {
  const { hugeOrder } = b.geometry;
  if (order < hugeOrder) return Math.max(b.frames.next[pfn]!, NONE);
  const row = b.blocks.freeNext[pfn >> hugeOrder]!;
  return row < 0 ? NONE : row << hugeOrder;
}

/** Order of the free block that starts at that frame, or NONE. */
export function freeOrderAt(b: Buddy, pfn: number): number {
  const { hugeOrder, pagesPerHuge } = b.geometry;
  if (pfn % pagesPerHuge === 0) {
    const stored = b.blocks.freeOrder[pfn >> hugeOrder]!;
    if (stored !== 0) return stored - 1;
  }
  return (b.frames.flags[pfn]! & FRAME.BUDDY) !== 0 ? b.frames.anonVma[pfn]! : NONE;
}

function isFreeBlock(b: Buddy, zone: Zone, pfn: number, order: number): boolean {
  return pfn >= zone.startPfn && pfn + (1 << order) <= zone.endPfn && freeOrderAt(b, pfn) === order;
}

/** Whether free blocks of those two pageblocks may become one. */
function typesMerge(b: Buddy, type: number, buddyPfn: number): boolean {
  const other = b.blocks.migrateType[buddyPfn >> b.geometry.hugeOrder]!;
  return type === other || (type !== MIGRATE.HIGHATOMIC && other !== MIGRATE.HIGHATOMIC);
}

/** Gives a block back to the free lists, merged with its buddies as far as they are free. */
export function freeBlock(b: Buddy, zone: Zone, freedPfn: number, freedOrder: number, type: number): void {
  const { hugeOrder, maxOrder } = b.geometry;
  let pfn = freedPfn;
  let order = freedOrder;
  assert(freeOrderAt(b, pfn) === NONE, "a block that is freed was not free");
  while (order < maxOrder) {
    const buddy = pfn ^ (1 << order);
    if (!isFreeBlock(b, zone, buddy, order)) break;
    if (order >= hugeOrder && !typesMerge(b, type, buddy)) break;
    unlinkFree(b, zone, buddy, order);
    pfn &= buddy;
    order++;
  }
  linkFree(b, zone, pfn, order, type, mergeLikely(b, zone, pfn, order));
}

/** If the buddy of the next-larger block is free, this one's own buddy may come soon: keep it for last. */
function mergeLikely(b: Buddy, zone: Zone, pfn: number, order: number): boolean {
  if (order >= b.geometry.maxOrder - 1) return false;
  const parent = pfn & ~(1 << order);
  return isFreeBlock(b, zone, parent ^ (1 << (order + 1)), order + 1);
}

/** The smallest sufficient block of one type, split down to the order; NONE if there is none. */
export function takeSmallest(b: Buddy, zone: Zone, order: number, type: number): number {
  for (let found = order; found <= b.geometry.maxOrder; found++) {
    const pfn = firstFree(b, zone, found, type);
    if (pfn === NONE) continue;
    unlinkFree(b, zone, pfn, found);
    for (let half = found - 1; half >= order; half--) {
      linkFree(b, zone, pfn + (1 << half), half, type, false);
    }
    return pfn;
  }
  return NONE;
}
