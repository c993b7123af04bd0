/**
 * Linking pages into the LRU lists and out of them; sizes and gauges follow.
 *
 * Models:       include/linux/mm_inline.h lruvec_add_folio(), lruvec_del_folio(), v6.1.
 * Not modelled: per-zone LRU sizes.
 */
import { C } from "../../core/counters.ts";
import type { Pfn } from "../../core/units.ts";
import { assert } from "../../lib/assert.ts";
import { nodeOfFrame } from "../buddy/state.ts";
import { FRAME, rowOfPage } from "../mm/frames.ts";
import type { Kernel } from "../state.ts";
import { LRU_END, LRU_LIST, type NodeLru } from "./state.ts";

/** Which list a page with those flags is on. */
export function lruListOf(flags: number): number {
  if ((flags & FRAME.SWAPBACKED) === 0) return LRU_LIST.LAZY;
  return (flags & FRAME.ACTIVE) !== 0 ? LRU_LIST.ACTIVE : LRU_LIST.INACTIVE;
}

/** Base pages of the page whose head this is. */
export function pagesOf(k: Kernel, pfn: Pfn): number {
  return (k.frames.flags[pfn]! & FRAME.HEAD) !== 0 ? k.geometry.pagesPerHuge : 1;
}

export function nodeLru(k: Kernel, pfn: Pfn): NodeLru {
  return k.lru.nodes[nodeOfFrame(k.buddy, pfn)]!;
}

/** The list of a node grew by that many base pages. */
export function resizeList(k: Kernel, lru: NodeLru, list: number, pages: number): void {
  lru.sizePages[list]! += pages;
  if (list === LRU_LIST.INACTIVE) k.vmstat[C.nr_inactive_anon]! += pages;
  else if (list === LRU_LIST.ACTIVE) k.vmstat[C.nr_active_anon]! += pages;
}

/** Row of a page's links; of a neighbour's too. */
function linksOf({ frames, geometry }: Kernel, pfn: number): number {
  return rowOfPage(frames, geometry.hugeOrder, pfn);
}

/** The page that follows on the same list, one older; LRU_END at the end. */
export function lruNext(k: Kernel, pfn: number): number {
  return k.frames.next[linksOf(k, pfn)]!;
}

/** The page before it on the same list, one newer; LRU_END at the end. */
export function lruPrev(k: Kernel, pfn: number): number {
  return k.frames.prev[linksOf(k, pfn)]!;
}

/** Puts a page on the list that its flags name: as the newest, or as the oldest. */
export function lruLink(k: Kernel, pfn: Pfn, oldest: boolean): void {
  const { next, prev, flags } = k.frames;
  assert((flags[pfn]! & (FRAME.LRU | FRAME.TAIL)) === 0, "a page that goes on an LRU list is a head on none");
  const lru = nodeLru(k, pfn);
  const list = lruListOf(flags[pfn]!);
  const { heads, tails } = lru;
  const neighbour = oldest ? tails[list]! : heads[list]!;
  const row = linksOf(k, pfn);
  next[row] = oldest ? LRU_END : neighbour;
  prev[row] = oldest ? neighbour : LRU_END;
  if (neighbour === LRU_END) {
    heads[list] = pfn;
    tails[list] = pfn;
  } else if (oldest) {
    next[linksOf(k, neighbour)] = pfn;
    tails[list] = pfn;
  } else {
    prev[linksOf(k, neighbour)] = pfn;
    heads[list] = pfn;
  }
  flags[pfn]! |= FRAME.LRU;
  resizeList(k, lru, list, pagesOf(k, pfn));
}

/** Takes a page off its list. */
export function lruUnlink(k: Kernel, pfn: Pfn): void {
  const { next, prev, flags } = k.frames;
  assert((flags[pfn]! & FRAME.LRU) !== 0, "a page taken off an LRU list is on one");
  const lru = nodeLru(k, pfn);
  const list = lruListOf(flags[pfn]!);
  const row = linksOf(k, pfn);
  const after = next[row]!;
  const before = prev[row]!;
  if (before !== LRU_END) next[linksOf(k, before)] = after;
  else {
    assert(lru.heads[list] === pfn, "the newest page is on the list that its flags name");
    lru.heads[list] = after;
  }
  if (after !== LRU_END) prev[linksOf(k, after)] = before;
  else {
    assert(lru.tails[list] === pfn, "the oldest page is on the list that its flags name");
    lru.tails[list] = before;
  }
  flags[pfn]! &= ~FRAME.LRU;
  resizeList(k, lru, list, -pagesOf(k, pfn));
}
