/**
 * The swap cache: pages that have a place in swap and are in memory as well. A page enters it on its way out,
 * or when it is read; its slots are then held by the cache as well as by the entries that name them.
 *
 *     reclaim ─▶ [slots, cache] ─▶ unmapped, written ─▶ stays until reclaim meets it again, clean: freed
 *                      ▲ read            │ touched: mapped again, nothing is read
 *                 only in swap ◀─────────┘ nobody's any more, or written to by its one owner: slots given up
 *
 * Models:       mm/swap_state.c add_to_swap(), delete_from_swap_cache(), free_swap_cache(); mm/swapfile.c
 *               folio_free_swap(), free_swap_and_cache(), v6.1.
 * Not modelled: shadow entries; writeback that is still under way (writes are done when they are begun).
 */
import { C } from "../../core/counters.ts";
import { asPfn, NO_FRAME, type Pfn } from "../../core/units.ts";
import { assert } from "../../lib/assert.ts";
import { putPage } from "../buddy/free.ts";
import { FRAME, rowOfPage } from "../mm/frames.ts";
import { headOf, mappingCount } from "../mm/rmap.ts";
import type { Kernel } from "../state.ts";
import { pagesOf } from "./lru-list.ts";
import { cacheSlot, freeSwapSlot, takeSwapCluster, takeSwapSlot, uncacheSlot } from "./swap.ts";

/** First slot of a page that is in the swap cache. */
export function slotOf({ frames, geometry }: Kernel, head: Pfn): number {
  assert((frames.flags[head]! & FRAME.SWAPCACHE) !== 0, "who asks for a page's slot knows that it has one");
  return frames.swapSlot[rowOfPage(frames, geometry.hugeOrder, head)]!;
}

/** The base page of the swap cache for a slot, or NO_FRAME. */
export function cachedPage(k: Kernel, slot: number): Pfn {
  return k.swap.cachedPage[slot]! as Pfn;
}

/** References that the swap cache holds on a page. */
export function cacheReferences(k: Kernel, head: Pfn): number {
  return (k.frames.flags[head]! & FRAME.SWAPCACHE) === 0 ? 0 : pagesOf(k, head);
}

function enterCache(k: Kernel, head: Pfn, slot: number): void {
  const { frames, geometry } = k;
  const pages = pagesOf(k, head);
  frames.swapSlot[rowOfPage(frames, geometry.hugeOrder, head)] = slot;
  frames.flags[head]! |= FRAME.SWAPCACHE;
  frames.refCount[head]! += pages;
  k.vmstat[C.nr_swapcached]! += pages;
}

/**
 * Gives a page slots of its own and the swap cache; it must be written. False when swap has no room for it.
 */
export function addToSwap(k: Kernel, head: Pfn): boolean {
  const slot = pagesOf(k, head) === 1 ? takeSwapSlot(k, head) : takeSwapCluster(k, head);
  if (slot < 0) return false;
  enterCache(k, head, slot);
  k.frames.flags[head]! |= FRAME.DIRTY;
  return true;
}

/** A fresh frame, which holds what the slot does, stands for it from now on. */
export function addRead(k: Kernel, pfn: Pfn, slot: number): void {
  cacheSlot(k, slot, pfn);
  k.frames.flags[pfn]! |= FRAME.SWAPBACKED;
  enterCache(k, pfn, slot);
}

/** The page leaves the swap cache, which drops its references; slots that nothing names are free. */
export function removeFromCache(k: Kernel, head: Pfn): void {
  const { frames } = k;
  const pages = pagesOf(k, head);
  const slot = slotOf(k, head);
  frames.flags[head]! &= ~FRAME.SWAPCACHE;
  for (let i = 0; i < pages; i++) uncacheSlot(k, slot + i);
  k.vmstat[C.nr_swapcached]! -= pages;
  frames.refCount[head]! -= pages - 1;
  putPage(k, head);
}

/**
 * Takes a page out of the swap cache if no entry names any of its slots: it is dirty then. True if it is out.
 */
export function tryFreeSwap(k: Kernel, head: Pfn): boolean {
  if ((k.frames.flags[head]! & FRAME.SWAPCACHE) === 0) return false;
  const slot = slotOf(k, head);
  for (let i = pagesOf(k, head) - 1; i >= 0; i--) if (k.swap.useCount[slot + i] !== 0) return false;
  k.frames.flags[head]! |= FRAME.DIRTY;
  removeFromCache(k, head);
  return true;
}

/**
 * Somebody let go of a page, which may be a part of a huge one: if it is mapped nowhere its swap goes too.
 */
export function freeSwapCache(k: Kernel, pfn: Pfn): void {
  const head = headOf(k, pfn);
  if ((k.frames.flags[head]! & FRAME.SWAPCACHE) !== 0 && mappingCount(k, head) === 0) tryFreeSwap(k, head);
}

/** Lets go of a page that was mapped (a huge one's part too), and of its swap if nobody maps it any more. */
export function putPageAndSwap(k: Kernel, pfn: Pfn): void {
  freeSwapCache(k, pfn);
  putPage(k, headOf(k, pfn));
}

/**
 * An entry that named a slot is gone for good (unmapped, exit); so is what the cache kept of it, if unused.
 */
export function freeSwapEntry(k: Kernel, slot: number): void {
  freeSwapSlot(k, slot);
  const pfn = cachedPage(k, slot);
  if (pfn !== NO_FRAME && k.swap.useCount[slot] === 0) freeSwapCache(k, asPfn(pfn));
}
