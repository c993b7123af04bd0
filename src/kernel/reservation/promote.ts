/**
 * Promotion in place: a region of whose reservation enough pages are used gets a huge page without a copy.
 *
 *     write lock ──▶ clear PMD, flush ──▶ look again ──▶ zero what is unused ──▶ block becomes a huge page
 *                                                        (nothing allocated, nothing moved)
 *
 * khugepaged does it at its pace; in the reviewed design also the fault that reaches the threshold, if it can
 * have the mmap lock for writing at once.
 *
 * Models:       collapse_huge_page() and __collapse_huge_page_convert() of the 2018 RFC on v4.19; the
 *               synchronous promotion that its author and review left to be done.
 * Not modelled: leaving the anon_vma lock held after the second look at the threshold, and losing the data of
 *               pages that are not the reservation's (defects of the RFC: such a region is left alone); memcg
 *               charges of what was unused.
 */
import { C } from "../../core/counters.ts";
import { EVENT } from "../../core/events.ts";
import type { Path } from "../../core/ops.ts";
import { asPfn, asVpn, NO_ROW, type PmdRow, type Vpn } from "../../core/units.ts";
import { makeCompound, mapNewHuge } from "../fault/huge.ts";
import { lookAtRegion, type ScanResult } from "../khugepaged/check.ts";
import { pageTableLock } from "../locks.ts";
import { addAnonPages, type Mm } from "../mm/mm.ts";
import { findRow, givePteTable, PMD, PTE, vpnOfRow } from "../mm/page-table.ts";
import { removePteRmap } from "../mm/unmap-rmap.ts";
import { findVma, type Vma } from "../mm/vma.ts";
import { resetCpupid } from "../numa/cpupid.ts";
import { lruDrain, lruRemove } from "../reclaim/lru.ts";
import { emit, type Kernel, spend } from "../state.ts";
import { mayBeHuge, regionFits } from "../thp/eligible.ts";
import { flushRange } from "../tlb/shootdown.ts";
import { noteZeroed } from "../witness.ts";
import { countReserved, forget, headOfBlock, reservedBlock } from "./look.ts";

/** Promotes the region at `vpn`; the caller holds the mmap lock for writing and has checked the area. */
export function* promoteRegion(k: Kernel, vma: Vma, vpn: Vpn, limits: boolean): Path<ScanResult> {
  const row = findRow(k.pt, vma.mm.directory, vpn);
  if (row === NO_ROW || k.pt.pmd.kind[row] !== PMD.TABLE) return "pmd-none";
  if (reservedBlock(k, row) < 0) return "vma-check";
  spend(k, k.costs.collapseNs);
  const lock = pageTableLock(k, row);
  yield lock.acquire;
  // As in a collapse: no other CPU may run between the flush and the change.
  const flushed = flushRange(k, vma.mm, vpn, k.geometry.pagesPerHuge, "collapse");
  const block = reservedBlock(k, row);
  const { result } = lookAtRegion(k, row, limits, true);
  const ok = result === "ok" && block >= 0;
  if (ok) convert(k, vma, row, block);
  yield flushed;
  yield lock.release;
  return ok ? "ok" : result === "ok" ? "vma-check" : result;
}

/** The reserved block, pages in use and pages not, becomes the region's huge page. */
function convert(k: Kernel, vma: Vma, row: PmdRow, block: number): void {
  const { pt, geometry, costs, frames } = k;
  const head = headOfBlock(k, block);
  const slot = pt.pmd.value[row]!;
  const from = slot * geometry.pagesPerHuge;
  let filled = 0;
  for (let i = 0; i < geometry.pagesPerHuge; i++) {
    const flags = pt.pteFlags[from + i]!;
    pt.pteFlags[from + i] = 0;
    pt.ptePfn[from + i] = 0;
    if (flags === 0 || (flags & PTE.ZERO) !== 0) {
      spend(k, costs.zeroPageNs);
      noteZeroed(k, asPfn(head + i), 1);
      filled++;
      continue;
    }
    const pfn = asPfn(head + i);
    removePteRmap(k, pfn, 1);
    lruRemove(k, pfn);
  }
  givePteTable(pt, slot);
  countReserved(k, block, -filled);
  forget(k, block);
  resetCpupid(k, head, geometry.pagesPerHuge);
  frames.refCount.fill(0, head, head + geometry.pagesPerHuge);
  makeCompound(k, head);
  // mapNewHuge adds a whole huge page to RSS; what was mapped was counted already, and makes no peak.
  addAnonPages(vma.mm, filled - geometry.pagesPerHuge);
  mapNewHuge(k, vma, row, head);
  emit(k, EVENT.promote, vma.mm.id, vpnOfRow(k.pt, row), head, filled);
}

/**
 * The fault that reached the threshold promotes its region, if nobody else is at work in the address space.
 * Enters and leaves without the mmap lock.
 */
export function* promoteAtFault(k: Kernel, mm: Mm, vpn: Vpn): Path {
  const lock = mm.mmapLock;
  if (lock.holder !== -1 || lock.readers > 0) return;
  yield lock.acquire;
  const vma = mm.users === 0 ? undefined : findVma(mm, vpn);
  if (vma !== undefined && regionFits(k, vma, vpn) && mayBeHuge(k, vma, "khugepaged")) {
    // The newest pages are in this CPU's batch, where their reference would count as a pin.
    lruDrain(k, k.cpu);
    const first = asVpn(vpn - (vpn % k.geometry.pagesPerHuge));
    const result = yield* promoteRegion(k, vma, first, true);
    if (result === "ok") k.vmstat[C.thp_res_promoted_fault]! += 1;
  }
  yield lock.release;
}
