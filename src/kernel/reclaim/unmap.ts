/**
 * Taking an isolated page's memory away: to swap, or for good if its owner said MADV_FREE and did not write
 * again.
 *
 *     swap:  in the swap cache ─▶ entries become swap entries ─▶ written if dirty
 *     lazy:  entries clean? ─▶ become none ─▶ last reference dropped       dirty? ─▶ an ordinary page again
 *
 * A huge page's PMDs are split before it is unmapped.
 *
 * Models:       mm/rmap.c try_to_unmap_one(); mm/page_io.c swap_writepage(), v6.1.
 * Not modelled: writeback that takes its time (a write is done when it is begun, and charged to who asked for
 *               it), waiting for page-table locks (a page whose locks are not free is kept).
 */
import { C } from "../../core/counters.ts";
import type { Op } from "../../core/ops.ts";
import { asPfn, type Pfn } from "../../core/units.ts";
import { assert } from "../../lib/assert.ts";
import { FRAME } from "../mm/frames.ts";
import { addAnonPages, addTouched } from "../mm/mm.ts";
import { holdsData, linearPage, PTE, SWAP_EXCLUSIVE } from "../mm/page-table.ts";
import { headOf, mappingCount, mappingsOf, type RmapHit } from "../mm/rmap.ts";
import { removePteRmap } from "../mm/unmap-rmap.ts";
import { reservationHolds } from "../reservation/look.ts";
import { releaseOfFrame } from "../reservation/release.ts";
import { type Kernel, spend } from "../state.ts";
import { splitPmd } from "../thp/split.ts";
import { type FlushBatch, noteFlush } from "./flush-batch.ts";
import { pagesOf } from "./lru-list.ts";
import { shareSwapSlot, ZEROS } from "./swap.ts";
import { cacheReferences, slotOf } from "./swap-cache.ts";

/**
 * Whether nobody but its mappings, the swap cache, its isolator and a reservation (which will go) has the
 * page.
 */
export function heldByMappingsOnly(k: Kernel, head: Pfn): boolean {
  const expected = mappingCount(k, head) + 1 + cacheReferences(k, head) + reservationHolds(k, head);
  return k.frames.refCount[head] === expected;
}

/** The PTEs that map each base page of a page, after its PMDs are split. */
function splitAndFind(k: Kernel, head: Pfn, hits: readonly RmapHit[], ops: Op[]): RmapHit[][] {
  for (const hit of hits) if (hit.huge) ops.push(splitPmd(k, hit.mm, hit.row, "reclaim"));
  return Array.from({ length: pagesOf(k, head) }, (_, i) => mappingsOf(k, asPfn(head + i)));
}

/** One PTE stops mapping the page and becomes `flags`, `value` instead. */
function replacePte(
  k: Kernel,
  hit: RmapHit,
  pfn: Pfn,
  flags: number,
  value: number,
  batch: FlushBatch,
): void {
  assert(!hit.huge, "huge PMDs are split before their page is unmapped");
  k.pt.pteFlags[hit.pte] = flags;
  k.pt.ptePfn[hit.pte] = value;
  addAnonPages(hit.mm, -1);
  removePteRmap(k, pfn, 1);
  k.frames.refCount[headOf(k, pfn)]! -= 1;
  noteFlush(batch, hit.mm, hit.vpn, 1);
}

/**
 * Unmaps a page of the swap cache: its entries name its slots from now on. Leaves the isolator's reference
 * and the cache's.
 */
export function unmapToSwap(
  k: Kernel,
  head: Pfn,
  hits: readonly RmapHit[],
  batch: FlushBatch,
  ops: Op[],
): void {
  const { frames, pt } = k;
  const slot = slotOf(k, head);
  releaseOfFrame(k, head, "swap");
  splitAndFind(k, head, hits, ops).forEach((entries, i) => {
    const pfn = asPfn(head + i);
    const mark = (frames.flags[pfn]! & FRAME.EXCLUSIVE) !== 0 ? SWAP_EXCLUSIVE : 0;
    if (entries.length > 0) noteContent(k, slot + i, entries);
    for (const hit of entries) {
      if ((pt.pteFlags[hit.pte]! & PTE.DIRTY) !== 0) frames.flags[head]! |= FRAME.DIRTY;
      shareSwapSlot(k, slot + i);
      hit.mm.swapEntries += 1;
      replacePte(k, hit, pfn, PTE.SWAP | mark, slot + i, batch);
    }
    frames.flags[pfn]! &= ~FRAME.EXCLUSIVE;
  });
}

/** Whether nobody but the swap cache and the page's isolator refers to it. */
export function heldByCacheOnly(k: Kernel, head: Pfn): boolean {
  return k.frames.refCount[head] === 1 + cacheReferences(k, head);
}

/** Remembers whether a page that is unmapped holds anything but zeros, as far as its programs are known. */
function noteContent({ pt, swap }: Kernel, slot: number, entries: readonly RmapHit[]): void {
  const data = entries.some((hit) => holdsData(pt, linearPage(pt, hit.row, hit.vpn)));
  swap.zeros[slot] = (swap.zeros[slot]! & ZEROS.NOTED) | (data ? 0 : ZEROS.HELD);
}

/**
 * Writes a page of the swap cache to its slots: it is clean then. False: nothing was written, because it is
 * all zeros, which is noted at the slots.
 */
export function writeToSwap(k: Kernel, head: Pfn): boolean {
  const pages = pagesOf(k, head);
  const slot = slotOf(k, head);
  k.frames.flags[head]! &= ~FRAME.DIRTY;
  const { zeros } = k.swap;
  const nothing = zeros.subarray(slot, slot + pages).every((bits) => (bits & ZEROS.HELD) !== 0);
  const noted = k.behaviours.swapNotesZeros && nothing;
  for (let at = slot; at < slot + pages; at++) {
    zeros[at] = (zeros[at]! & ZEROS.HELD) | (noted ? ZEROS.NOTED : 0);
  }
  if (noted) {
    k.vmstat[C.swpout_zero]! += pages;
    return false;
  }
  if (k.witness !== undefined) {
    for (let i = 0; i < pages; i++) k.witness.swappedOut(asPfn(head + i), slot + i);
  }
  k.vmstat[C.pswpout]! += pages;
  if (pages > 1) k.vmstat[C.thp_swpout]! += 1;
  spend(k, pages * k.costs.swapPageNs);
  return true;
}

function isDirty(k: Kernel, hit: RmapHit): boolean {
  const flags = hit.huge ? k.pt.pmd.flags[hit.row]! : k.pt.pteFlags[hit.pte]!;
  return (flags & PTE.DIRTY) !== 0;
}

/** The program's mark of having touched a page goes with what it wrote there. */
function forgetTouch(k: Kernel, hit: RmapHit): void {
  const linear = linearPage(k.pt, hit.row, hit.vpn);
  const bit = 1 << (linear & 7);
  if ((k.pt.touched[linear >> 3]! & bit) === 0) return;
  k.pt.touched[linear >> 3]! &= ~bit;
  k.pt.pmd.touched[hit.row]! -= 1;
  addTouched(hit.mm, -1);
}

/** Unmaps a lazily freed page that was not written since. False if it was: it stays mapped, by base pages. */
export function discardLazy(
  k: Kernel,
  head: Pfn,
  hits: readonly RmapHit[],
  batch: FlushBatch,
  ops: Op[],
): boolean {
  if ((k.frames.flags[head]! & FRAME.DIRTY) !== 0 || hits.some((hit) => isDirty(k, hit))) {
    // The PMDs are split before anybody looks whether the page was written to.
    for (const hit of hits) if (hit.huge) ops.push(splitPmd(k, hit.mm, hit.row, "reclaim"));
    return false;
  }
  releaseOfFrame(k, head, "swap");
  splitAndFind(k, head, hits, ops).forEach((entries, i) => {
    for (const hit of entries) {
      forgetTouch(k, hit);
      replacePte(k, hit, asPfn(head + i), 0, 0, batch);
    }
  });
  k.vmstat[C.pglazyfreed]! += pagesOf(k, head);
  return true;
}
