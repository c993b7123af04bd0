/**
 * Write fault on a present, read-only page: reuse it if nobody else can see it, else copy it.
 *
 *     zero page ──▶ fresh page        exclusive ──▶ reuse        shared with a fork ──▶ copy one base page
 *
 * A page is this process's alone if it is marked so, or if a look at its reference count shows no other
 * holder; pages still in this CPU's LRU batch carry one reference more, so the batch is drained before the
 * second look.
 *
 * Models:       mm/memory.c do_wp_page(), wp_page_copy(), v6.1; wp_can_reuse_anon_folio(), v6.15 ("exact");
 *               mm/swapfile.c reuse_swap_page(), v4.20 ("map-count").
 * Not modelled: KSM, FAULT_FLAG_UNSHARE, writenotify of shared file mappings.
 */
import { C } from "../../core/counters.ts";
import { EVENT } from "../../core/events.ts";
import type { Path } from "../../core/ops.ts";
import { asPfn, NO_FRAME, type Pfn, type PmdRow, type Vpn } from "../../core/units.ts";
import { allocFast, allocPages } from "../buddy/alloc.ts";
import { putPage } from "../buddy/free.ts";
import { GFP_USER } from "../buddy/gfp.ts";
import { pageTableLock } from "../locks.ts";
import { FRAME } from "../mm/frames.ts";
import { addAnonPages, addFilePages } from "../mm/mm.ts";
import { PMD, PTE, pteIndex } from "../mm/page-table.ts";
import {
  addNewAnonRmap,
  headOf,
  isHuge,
  mappingCount,
  mappingsOf,
  moveAnonRmap,
  pageMapCount,
  prepareAnonVma,
} from "../mm/rmap.ts";
import { removePteRmap } from "../mm/unmap-rmap.ts";
import { VM, type Vma } from "../mm/vma.ts";
import { resetCpupid } from "../numa/cpupid.ts";
import { lruAdd, lruDrain } from "../reclaim/lru.ts";
import { putPageAndSwap, tryFreeSwap } from "../reclaim/swap-cache.ts";
import { reservationHolds } from "../reservation/look.ts";
import { releaseRow } from "../reservation/release.ts";
import {
  mayComeFromReservation,
  reservedMapped,
  reservedPage,
  returnReserved,
} from "../reservation/reserve.ts";
import { emit, enter, type Kernel, spend } from "../state.ts";
import { flushRange } from "../tlb/shootdown.ts";
import { noteCopied, noteZeroed } from "../witness.ts";
import { wantedNode } from "./node.ts";
import type { FaultOutcome } from "./outcome.ts";

const WRITABLE = PTE.WRITE | PTE.DIRTY | PTE.YOUNG;

/**
 * Write to a present PTE without write permission, in an area that allows writing. Enters without the lock.
 */
export function* faultWriteProtected(k: Kernel, vma: Vma, row: PmdRow, vpn: Vpn): Path<FaultOutcome> {
  enter(k, "do_wp_page");
  const lock = pageTableLock(k, row);
  yield lock.acquire;
  if (k.pt.pmd.kind[row] !== PMD.TABLE) {
    yield lock.release;
    return "retry";
  }
  const pte = pteIndex(k.pt, row, vpn);
  const flags = k.pt.pteFlags[pte]!;
  if ((flags & PTE.PRESENT) === 0 || (flags & PTE.WRITE) !== 0) {
    yield lock.release;
    return (flags & PTE.WRITE) !== 0 ? "spurious" : "retry";
  }
  const old = asPfn(k.pt.ptePfn[pte]!);
  const noFrame = (flags & (PTE.ZERO | PTE.FILE)) !== 0;
  const shared = (vma.flags & VM.SHARED) !== 0;
  if (shared || (!noFrame && canReuse(k, vma, old))) {
    k.pt.pteFlags[pte] = flags | WRITABLE;
    k.vmstat[C.pgreuse]! += 1;
    // Kernels before cpupids left the mark of a page that a write takes over.
    if (k.behaviours.numaDesign.policy === "mainline") resetCpupid(k, old, 1);
    yield lock.release;
    return "cow-reuse";
  }
  if (!noFrame) k.frames.refCount[headOf(k, old)]! += 1;
  yield lock.release;
  return yield* copyPage(k, vma, row, vpn, noFrame ? NO_FRAME : old, flags);
}

/** Whether this process may simply write to the page: it is marked as its own, or nobody else holds it. */
function canReuse(k: Kernel, vma: Vma, pfn: Pfn): boolean {
  const { frames } = k;
  if ((frames.flags[pfn]! & FRAME.EXCLUSIVE) !== 0) return true;
  const head = headOf(k, pfn);
  if (k.behaviours.reuseOfPartOfHuge === "never" && isHuge(k, pfn)) return false;
  if (k.behaviours.reuseOfPartOfHuge === "exact" && isHuge(k, pfn)) {
    if (frames.refCount[head] !== mappingCount(k, head) || !mappedByOneMm(k, vma, head)) return false;
    moveAnonRmap(k, pfn, vma);
    return true;
  }
  if (k.behaviours.reuseTest === "map-count") {
    const named = (frames.flags[head]! & FRAME.SWAPCACHE) !== 0 && !tryFreeSwap(k, head);
    const alone = pageMapCount(k, pfn) === 1 && !named && (frames.flags[head]! & FRAME.LOCKED) === 0;
    // Other pages of a huge page may still be somebody else's: then its reverse map stays.
    if (alone && mappingCount(k, head) === 1) moveAnonRmap(k, pfn, vma);
    if (alone) frames.flags[pfn]! |= FRAME.EXCLUSIVE;
    return alone;
  }
  const held = reservationHolds(k, head);
  if (frames.refCount[head]! > 3 + held) return false;
  if ((frames.flags[head]! & FRAME.LRU) === 0) lruDrain(k, k.cpu);
  const inSwapCache = (frames.flags[head]! & FRAME.SWAPCACHE) !== 0 ? 1 : 0;
  if (frames.refCount[head]! > 1 + inSwapCache + held || (frames.flags[head]! & FRAME.LOCKED) !== 0)
    return false;
  if (inSwapCache === 1 && !tryFreeSwap(k, head)) return false;
  moveAnonRmap(k, pfn, vma);
  return true;
}

function mappedByOneMm(k: Kernel, vma: Vma, head: Pfn): boolean {
  for (let i = 0; i < k.geometry.pagesPerHuge; i++) {
    for (const hit of mappingsOf(k, asPfn(head + i))) if (hit.mm !== vma.mm) return false;
  }
  return true;
}

/** Gives the process a page of its own in place of `old` (NO_FRAME: the zero page or a file's page). */
function* copyPage(
  k: Kernel,
  vma: Vma,
  row: PmdRow,
  vpn: Vpn,
  old: Pfn,
  oldFlags: number,
): Path<FaultOutcome> {
  enter(k, "wp_page_copy");
  prepareAnonVma(k, vma);
  if (old !== NO_FRAME) releaseRow(k, row, "cow");
  const zeroed = (oldFlags & PTE.ZERO) !== 0 && mayComeFromReservation(k);
  const reserved = zeroed ? yield* reservedPage(k, vma, row, vpn) : NO_FRAME;
  let pfn = reserved === NO_FRAME ? allocFast(k, 0, wantedNode(k), GFP_USER) : reserved;
  if (pfn === NO_FRAME) pfn = yield* allocPages(k, 0, wantedNode(k), GFP_USER);
  if (pfn === NO_FRAME) {
    if (old !== NO_FRAME) putPage(k, headOf(k, old));
    return "oom";
  }
  const fromZero = (oldFlags & PTE.ZERO) !== 0;
  spend(k, fromZero ? k.costs.zeroPageNs : k.costs.copyPageNs);
  if (old === NO_FRAME) noteZeroed(k, pfn, 1);
  else noteCopied(k, old, pfn, 1);
  const lock = pageTableLock(k, row);
  yield lock.acquire;
  const pte = k.pt.pmd.kind[row] === PMD.TABLE ? pteIndex(k.pt, row, vpn) : -1;
  const before = PTE.PRESENT | PTE.ZERO | PTE.FILE | PTE.WRITE;
  const same =
    pte >= 0 &&
    (k.pt.pteFlags[pte]! & before) === (oldFlags & before) &&
    (old === NO_FRAME || k.pt.ptePfn[pte] === old);
  if (same) {
    addNewAnonRmap(k, pfn, vma, vpn);
    k.pt.ptePfn[pte] = pfn;
    k.pt.pteFlags[pte] = PTE.PRESENT | WRITABLE;
    lruAdd(k, pfn);
    if (reserved !== NO_FRAME) reservedMapped(k, row, reserved);
    if (old === NO_FRAME) {
      addAnonPages(vma.mm, 1);
      if ((oldFlags & PTE.FILE) !== 0 && !vma.mm.filePagesFromTrace) addFilePages(vma.mm, -1);
    } else {
      removePteRmap(k, old, 1);
      emit(k, EVENT.cowCopy, vma.mm.id, vpn);
    }
    yield flushRange(k, vma.mm, vpn, 1, "cow");
  }
  yield lock.release;
  if (old !== NO_FRAME) {
    putPage(k, headOf(k, old));
    if (same) putPageAndSwap(k, old);
  }
  if (same) return fromZero ? "anon-4k" : "cow-copy";
  if (reserved === NO_FRAME) putPage(k, pfn);
  else returnReserved(k, row, reserved);
  return "retry";
}
