/**
 * Fault on a page that is in swap: what is in the swap cache is mapped again, anything else is read first.
 *
 *     in the swap cache?  yes ─▶ minor: map it, and give its slot up if this writer is its only user
 *                         no ──▶ major: read it and its neighbours into the swap cache ─▶ map it
 *                                on memory (zram), one user: read it past the swap cache
 *
 * Of a huge page in the swap cache one fault maps all, or one page, or a copy of it: as its kernel does.
 *
 * Models:       mm/memory.c do_swap_page(), should_try_to_free_swap(); mm/ksm.c ksm_might_need_to_copy(),
 *               v6.1; whole large folios of v6.12.
 * Not modelled: waiting for a read (it is done when it is begun, but counts as the retry that it costs a
 *               6.1; a read without neighbours is polled for there), pages under writeback.
 */
import { C } from "../../core/counters.ts";
import type { Path } from "../../core/ops.ts";
import { asPfn, NO_FRAME, type Pfn, type PmdRow, type Vpn } from "../../core/units.ts";
import { allocFast, allocPages } from "../buddy/alloc.ts";
import { putPage } from "../buddy/free.ts";
import { GFP_USER } from "../buddy/gfp.ts";
import { wantedNode } from "../fault/node.ts";
import type { FaultOutcome } from "../fault/outcome.ts";
import { pageTableLock } from "../locks.ts";
import { FRAME } from "../mm/frames.ts";
import { addAnonPages } from "../mm/mm.ts";
import { PTE, pteIndex, SWAP_EXCLUSIVE } from "../mm/page-table.ts";
import { addCachedRmap, addNewAnonRmap, headOf, isHuge, pageMapCount, prepareAnonVma } from "../mm/rmap.ts";
import { noAccessMark, VM, type Vma } from "../mm/vma.ts";
import { enter, type Kernel, spend } from "../state.ts";
import { noteCopied } from "../witness.ts";
import { lruAdd, lruDrain } from "./lru.ts";
import { pagesOf } from "./lru-list.ts";
import { freeSwapSlot, swapFull } from "./swap.ts";
import { cachedPage, slotOf, tryFreeSwap } from "./swap-cache.ts";
import { isNotedZero, noteFound, readAround, slotAt } from "./swap-read.ts";

/**
 * Enters and leaves with the mmap lock held for reading. `mayWait`: false for a collapse, which does not wait
 * for what is being read and gets "retry".
 */
export function* faultSwapIn(
  k: Kernel,
  vma: Vma,
  row: PmdRow,
  vpn: Vpn,
  write: boolean,
  mayWait = true,
): Path<FaultOutcome> {
  enter(k, "do_swap_page");
  prepareAnonVma(k, vma);
  const slot = slotAt(k, row, vpn);
  if (slot < 0) return "retry";
  if (cachedPage(k, slot) !== NO_FRAME) {
    noteFound(k, vma, vpn, slot);
    return yield* mapCached(k, vma, row, vpn, slot, write);
  }
  const queued = k.machine.swapDevice !== "memory";
  if (!queued && k.swap.useCount[slot] === 1) return yield* readPast(k, vma, row, vpn, slot, write);
  const window = yield* readAround(k, vma, row, vpn);
  if (window === 0) return "oom";
  k.vmstat[C.pgmajfault]! += 1;
  if (queued && window > 1 && !isNotedZero(k, slot)) {
    if (!mayWait) return "retry";
    if (k.behaviours.pgfaultAt === "entry") k.vmstat[C.pgfault]! += 1;
  }
  return cachedPage(k, slot) === NO_FRAME ? "retry" : yield* mapCached(k, vma, row, vpn, slot, write);
}

function* allocOne(k: Kernel): Path<Pfn> {
  const pfn = allocFast(k, 0, wantedNode(k), GFP_USER);
  return pfn === NO_FRAME ? yield* allocPages(k, 0, wantedNode(k), GFP_USER) : pfn;
}

/** Swap on memory, one user: the page is read into a frame of its own, and the slot is free. */
function* readPast(
  k: Kernel,
  vma: Vma,
  row: PmdRow,
  vpn: Vpn,
  slot: number,
  write: boolean,
): Path<FaultOutcome> {
  const pfn = yield* allocOne(k);
  if (pfn === NO_FRAME) return "oom";
  spend(k, k.costs.swapPageNs);
  const lock = pageTableLock(k, row);
  yield lock.acquire;
  const won = slotAt(k, row, vpn) === slot && cachedPage(k, slot) === NO_FRAME;
  if (won) {
    if (k.witness !== undefined) k.witness.swappedIn(slot, pfn);
    mapFresh(k, vma, row, vpn, pfn, write);
    k.vmstat[C.pgmajfault]! += 1;
    k.vmstat[isNotedZero(k, slot) ? C.swpin_zero : C.pswpin]! += 1;
  }
  yield lock.release;
  if (won) return "swap-in";
  putPage(k, pfn);
  return "retry";
}

/** A frame that nobody else knows takes the place of a swap entry. */
function mapFresh(k: Kernel, vma: Vma, row: PmdRow, vpn: Vpn, pfn: Pfn, write: boolean): void {
  const slot = slotAt(k, row, vpn);
  addNewAnonRmap(k, pfn, vma, vpn);
  freeSwapSlot(k, slot);
  vma.mm.swapEntries -= 1;
  setEntry(k, vma, pteIndex(k.pt, row, vpn), pfn, true, write);
  addAnonPages(vma.mm, 1);
  lruAdd(k, pfn);
}

function setEntry(k: Kernel, vma: Vma, pte: number, pfn: Pfn, alone: boolean, write: boolean): void {
  const writable = alone && (vma.flags & VM.WRITE) !== 0 && (write || k.behaviours.swapInWritable);
  k.pt.ptePfn[pte] = pfn;
  k.pt.pteFlags[pte] =
    PTE.PRESENT |
    PTE.YOUNG |
    noAccessMark(vma.flags) |
    (writable ? PTE.WRITE : 0) |
    (writable && write ? PTE.DIRTY : 0);
}

/** Maps the page of the swap cache that stands for the slot; or a copy, where its kernel makes one. */
function* mapCached(
  k: Kernel,
  vma: Vma,
  row: PmdRow,
  vpn: Vpn,
  slot: number,
  write: boolean,
): Path<FaultOutcome> {
  const { frames } = k;
  const pfn = cachedPage(k, slot);
  const head = headOf(k, pfn);
  frames.refCount[head]! += 1;
  if (write && (frames.flags[head]! & FRAME.LRU) === 0) lruDrain(k, k.cpu);
  const copies = pfn !== head && k.behaviours.hugeInSwapCache === "copy-tails";
  const copy = copies ? yield* allocOne(k) : NO_FRAME;
  if (copies && copy === NO_FRAME) {
    putPage(k, head);
    return "oom";
  }
  const lock = pageTableLock(k, row);
  yield lock.acquire;
  const won = slotAt(k, row, vpn) === slot && cachedPage(k, slot) === pfn;
  if (won && copies) {
    noteCopied(k, pfn, copy, 1);
    spend(k, k.costs.copyPageNs);
    frames.flags[copy]! |= FRAME.DIRTY;
    mapFresh(k, vma, row, vpn, copy, write);
  } else if (won) {
    mapShared(k, vma, row, vpn, pfn, write);
  }
  yield lock.release;
  putPage(k, headOf(k, pfn));
  if (won) return "swap-in";
  if (copies) putPage(k, copy);
  return "retry";
}

/**
 * The pages of a huge page that one fault maps: all, where its entries are all there in one region; else one.
 */
function entriesTogether(
  k: Kernel,
  vma: Vma,
  row: PmdRow,
  vpn: Vpn,
  pfn: Pfn,
): { from: number; pages: number } {
  const n = k.geometry.pagesPerHuge;
  const one = { from: vpn, pages: 1 };
  if (k.behaviours.hugeInSwapCache === "copy-tails" || !isHuge(k, pfn)) return one;
  const from = vpn - (pfn - headOf(k, pfn));
  const regionStart = vpn - (vpn % n);
  if (from < Math.max(regionStart, vma.start) || from + n > Math.min(regionStart + n, vma.end)) return one;
  const first = pteIndex(k.pt, row, from as Vpn);
  const slot = slotOf(k, headOf(k, pfn));
  const flags = k.pt.pteFlags[pteIndex(k.pt, row, vpn)]!;
  for (let i = 0; i < n; i++) {
    if (k.pt.pteFlags[first + i] !== flags || k.pt.ptePfn[first + i] !== slot + i) return one;
  }
  return { from, pages: n };
}

/** Under the page-table lock, with a reference of the caller's on the page. */
function mapShared(k: Kernel, vma: Vma, row: PmdRow, vpn: Vpn, pfn: Pfn, write: boolean): void {
  const { frames, pt } = k;
  const { from, pages } = entriesTogether(k, vma, row, vpn, pfn);
  const head = headOf(k, pfn);
  const exclusive = (pt.pteFlags[pteIndex(pt, row, vpn)]! & SWAP_EXCLUSIVE) !== 0;
  const firstPte = pteIndex(pt, row, from as Vpn);
  const firstPage = asPfn(pfn - (vpn - from));
  const slot = pt.ptePfn[pteIndex(pt, row, vpn)]!;
  for (let i = 0; i < pages; i++) freeSwapSlot(k, pt.ptePfn[firstPte + i]!);
  vma.mm.swapEntries -= pages;
  const alone = k.behaviours.reuseTest === "map-count" ? onlyUser(k, pfn, slot, write) : exclusive;
  if (givesSwapUp(k, vma, head, write)) tryFreeSwap(k, head);
  const mine = alone || (k.behaviours.reuseTest !== "map-count" && frames.refCount[head] === 1);
  for (let i = 0; i < pages; i++) {
    const page = asPfn(firstPage + i);
    addCachedRmap(k, page, vma, from + i, mine);
    setEntry(k, vma, firstPte + i, page, mine, write);
  }
  frames.refCount[head]! += pages;
  addAnonPages(vma.mm, pages);
}

/** Before 5.19: a writer has a page for itself if no other entry, present or not, names it. */
function onlyUser(k: Kernel, pfn: Pfn, slot: number, write: boolean): boolean {
  return write && pageMapCount(k, pfn) === 0 && k.swap.useCount[slot] === 0;
}

/** Whether a fault tries to free the page's place in swap: to be its only user, or because swap is short. */
function givesSwapUp(k: Kernel, vma: Vma, head: Pfn, write: boolean): boolean {
  if (swapFull(k) || (vma.flags & VM.LOCKED) !== 0) return true;
  if (!write || (isHuge(k, head) && k.behaviours.hugeInSwapCache === "copy-tails")) return false;
  return k.frames.refCount[head] === 1 + pagesOf(k, head);
}
