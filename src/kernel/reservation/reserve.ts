/**
 * Making a reservation at a first touch, and taking pages from it at the following ones.
 *
 *     first fault ──▶ block free, on this node? ──▶ split into base pages, one reference each ──▶ map one
 *     next faults ──▶ the page at the same offset of the block
 *
 *                        as posted                             as reviewed
 *     who may            areas made while the threshold > 1    everybody
 *     when               PMD none; reads too                   the first write to a region without pages
 *     effort             none: a block must be free            what defrag lets a huge page's fault do
 *     two CPUs, a page   both take it; the loser's is lost     the second takes an ordinary page
 *                        from the count
 *
 * Models:       khugepaged_reserve(), khugepaged_get_reserved_page(), khugepaged_mod_resv_unused() and the
 *               anonymous fault of the 2018 RFC on v4.19; split_page() where the RFC set counts by hand.
 * Not modelled: failing to allocate the descriptor; allocating under a spinlock (a defect of the RFC).
 */
import { C } from "../../core/counters.ts";
import { EVENT } from "../../core/events.ts";
import type { Path } from "../../core/ops.ts";
import { asPfn, NO_FRAME, type Pfn, type PmdRow, type Vpn } from "../../core/units.ts";
import { allocFast, allocPages } from "../buddy/alloc.ts";
import { freePages, putPage } from "../buddy/free.ts";
import { GFP } from "../buddy/gfp.ts";
import { wantedNode } from "../fault/node.ts";
import { khugepagedRegister } from "../khugepaged/register.ts";
import { pageTableLock } from "../locks.ts";
import { PMD, PTE, vpnOfRow } from "../mm/page-table.ts";
import { installPteTable } from "../mm/tables.ts";
import { VM, type Vma } from "../mm/vma.ts";
import { emit, type Kernel, spend } from "../state.ts";
import { faultGfp, mayBeHuge, regionFits } from "../thp/eligible.ts";
import { countReserved, headOfBlock, linkNewest, reservedBlock, unlink, usedPages } from "./look.ts";

/** Reservations take the place of huge pages at faults. */
export function faultsReserve(k: Kernel): boolean {
  return k.tunables.promotionThreshold > 1;
}

/** Whether a first write need ask for a reservation at all. */
export function mayComeFromReservation(k: Kernel): boolean {
  return k.tunables.promotionThreshold > 1 || k.reservations.live > 0;
}

/**
 * Whether a new area can have reservations: in the posted code it gets its container when it is made, or
 * never.
 */
export function containerOfNewArea(k: Kernel, flags: number): boolean {
  if (k.behaviours.reservations !== "posted" || !faultsReserve(k)) return false;
  return (flags & (VM.FILE | VM.SHARED | VM.UNKNOWN)) === 0;
}

function mayReserve(k: Kernel, vma: Vma): boolean {
  return k.behaviours.reservations === "reviewed" || vma.hasReservations;
}

/** True if no entry of the row maps a page: the PMD is none, or its table holds nothing but zero pages. */
function holdsNothing(k: Kernel, row: PmdRow): boolean {
  const { pt, geometry } = k;
  if (pt.pmd.kind[row] === PMD.NONE) return true;
  if (pt.pmd.kind[row] !== PMD.TABLE) return false;
  const from = pt.pmd.value[row]! * geometry.pagesPerHuge;
  for (let i = from; i < from + geometry.pagesPerHuge; i++) {
    if (pt.pteFlags[i] !== 0 && (pt.pteFlags[i]! & PTE.ZERO) === 0) return false;
  }
  return true;
}

/** Makes a reservation for the region, if it may have one and a block is free. Enters without the lock. */
export function* reserve(k: Kernel, vma: Vma, row: PmdRow, vpn: Vpn): Path {
  if (!mayReserve(k, vma) || !regionFits(k, vma, vpn) || reservedBlock(k, row) >= 0) return;
  const { hugeOrder, pagesPerHuge } = k.geometry;
  const node = wantedNode(k);
  const effort = k.behaviours.reservations === "reviewed" ? faultGfp(k, vma) : 0;
  let head = allocFast(k, hugeOrder, node, effort | GFP.THISNODE);
  if (head === NO_FRAME) head = yield* allocPages(k, hugeOrder, node, effort | GFP.THISNODE);
  if (head === NO_FRAME) {
    k.vmstat[C.thp_res_alloc_failed]! += 1;
    return;
  }
  spend(k, k.costs.allocHugeNs);
  const lock = pageTableLock(k, row);
  yield lock.acquire;
  const won = reservedBlock(k, row) < 0 && holdsNothing(k, row);
  if (won) {
    if (k.pt.pmd.kind[row] === PMD.NONE) installPteTable(k, vma.mm, row);
    k.frames.refCount.fill(1, head, head + pagesPerHuge);
    keep(k, row, head >> hugeOrder);
    khugepagedRegister(k, vma.mm);
    emit(k, EVENT.reserve, vma.mm.id, vpnOfRow(k.pt, row), head);
  }
  yield lock.release;
  if (won) return;
  k.frames.refCount[head] = 0;
  freePages(k, head, hugeOrder);
}

/** The block becomes the region's reservation, all of it unused. */
function keep(k: Kernel, row: PmdRow, block: number): void {
  const { reservations, geometry } = k;
  reservations.blocks.region[block] = row + 1;
  reservations.blocks.unused[block] = geometry.pagesPerHuge;
  reservations.ofRow[row] = block + 1;
  reservations.live += 1;
  linkNewest(k, block);
  countReserved(k, block, geometry.pagesPerHuge);
  k.vmstat[C.thp_res_alloc]! += 1;
}

/**
 * The page for a first write to `vpn`, from the region's reservation; the reviewed design makes one here if
 * the region has none. NO_FRAME: an ordinary page will do. The caller maps it and calls `reservedMapped`, or
 * calls `returnReserved`.
 */
export function* reservedPage(k: Kernel, vma: Vma, row: PmdRow, vpn: Vpn): Path<Pfn> {
  const reviewed = k.behaviours.reservations === "reviewed";
  if (!mayReserve(k, vma) || !mayBeHuge(k, vma, "fault")) return NO_FRAME;
  if (reviewed && faultsReserve(k) && reservedBlock(k, row) < 0 && holdsNothing(k, row)) {
    yield* reserve(k, vma, row, vpn);
  }
  const block = reservedBlock(k, row);
  if (block < 0) return NO_FRAME;
  const pfn = asPfn(headOfBlock(k, block) + (vpn % k.geometry.pagesPerHuge));
  // Somebody else is bringing this page in; only the posted code takes it all the same.
  if (reviewed && k.frames.refCount[pfn] !== 1) return NO_FRAME;
  k.frames.refCount[pfn]! += 1;
  unlink(k, block);
  linkNewest(k, block);
  countReserved(k, block, -1);
  if (reviewed) k.reservations.blocks.unused[block]! -= 1;
  return pfn;
}

/** The page is mapped. */
export function reservedMapped(k: Kernel, row: PmdRow, pfn: Pfn): void {
  const block = pfn >> k.geometry.hugeOrder;
  if (k.behaviours.reservations !== "posted" || reservedBlock(k, row) !== block) return;
  if (k.reservations.blocks.unused[block]! > 0) k.reservations.blocks.unused[block]! -= 1;
}

/** Another CPU was faster: the page goes back. The posted code forgets to count it as reserved again. */
export function returnReserved(k: Kernel, row: PmdRow, pfn: Pfn): void {
  const block = pfn >> k.geometry.hugeOrder;
  if (k.behaviours.reservations === "reviewed" && reservedBlock(k, row) === block) {
    k.reservations.blocks.unused[block]! += 1;
    countReserved(k, block, 1);
  }
  putPage(k, pfn);
}

/**
 * True if the fault that just mapped a page of the region's reservation is the one that reaches the
 * threshold.
 */
export function reachedThreshold(k: Kernel, row: PmdRow): boolean {
  if (k.behaviours.reservations !== "reviewed") return false;
  const block = reservedBlock(k, row);
  return block >= 0 && usedPages(k, block) === k.tunables.promotionThreshold;
}
