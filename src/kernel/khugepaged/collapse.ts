/**
 * Collapse: replace the base pages of a region by one huge page, copying what is there and zeroing what is
 * not.
 *
 *     unlock ──▶ allocate ──▶ read lock: still a table? swap in ──▶ write lock: check again
 *           ──▶ clear PMD, flush ──▶ second look ──▶ copy ──▶ map the huge page ──▶ unlock, free old pages
 *
 * While the mmap lock is held for writing, every fault of the process waits.
 *
 * Models:       mm/khugepaged.c collapse_huge_page(), __collapse_huge_page_copy(), v6.1.
 * Not modelled: memcg charge, MMU notifiers, anon_vma lock waits.
 */
import { C } from "../../core/counters.ts";
import { EVENT } from "../../core/events.ts";
import type { Path } from "../../core/ops.ts";
import {
  asPfn,
  asVpn,
  NO_FRAME,
  NO_ROW,
  type NodeId,
  type Pfn,
  type PmdRow,
  type Vpn,
} from "../../core/units.ts";
import { allocFast, allocPages } from "../buddy/alloc.ts";
import { putPage } from "../buddy/free.ts";
import { makeCompound, mapNewHuge } from "../fault/huge.ts";
import { pageTableLock } from "../locks.ts";
import { addAnonPages, type Mm } from "../mm/mm.ts";
import { findRow, givePteTable, PMD, PTE } from "../mm/page-table.ts";
import { removePteRmap } from "../mm/unmap-rmap.ts";
import { findVma, type Vma } from "../mm/vma.ts";
import { lruDrain } from "../reclaim/lru.ts";
import { putPageAndSwap } from "../reclaim/swap-cache.ts";
import { faultSwapIn } from "../reclaim/swap-in.ts";
import { promoteRegion } from "../reservation/promote.ts";
import { emit, type Kernel, spend } from "../state.ts";
import { collapseGfp, mayBeHuge, regionFits } from "../thp/eligible.ts";
import { flushRange } from "../tlb/shootdown.ts";
import { noteCopied, noteZeroed } from "../witness.ts";
import { lookAtRegion, type RegionLook, type ScanResult } from "./check.ts";

/** The area of a region, if it still may be collapsed by `asker`. */
export function revalidate(k: Kernel, mm: Mm, vpn: Vpn, asker: "khugepaged" | "collapse"): Vma | undefined {
  const vma = mm.users === 0 ? undefined : findVma(mm, vpn);
  return vma !== undefined && regionFits(k, vma, vpn) && mayBeHuge(k, vma, asker) ? vma : undefined;
}

/**
 * Collapses the region at `vpn`, whose table has been looked at. Enters with the mmap lock held for reading
 * and leaves with it released.
 */
export function* collapseRegion(
  k: Kernel,
  mm: Mm,
  vpn: Vpn,
  look: RegionLook,
  asker: "khugepaged" | "collapse",
): Path<ScanResult> {
  yield mm.mmapLock.releaseRead;
  const head = yield* allocTarget(k, look.node as NodeId, asker);
  if (head === NO_FRAME) return "alloc-failed";
  yield mm.mmapLock.acquireRead;
  let vma = revalidate(k, mm, vpn, asker);
  let result: ScanResult = vma === undefined ? "vma-check" : yield* bringIn(k, vma, vpn, look.referenced);
  yield mm.mmapLock.releaseRead;
  if (result === "ok") {
    yield mm.mmapLock.acquire;
    vma = revalidate(k, mm, vpn, asker);
    result = vma === undefined ? "vma-check" : yield* replaceTable(k, vma, vpn, head, asker);
    yield mm.mmapLock.release;
  }
  if (result !== "ok") putPage(k, head);
  return result;
}

function* allocTarget(k: Kernel, node: NodeId, asker: "khugepaged" | "collapse"): Path<Pfn> {
  const gfp = collapseGfp(k, asker);
  const order = k.geometry.hugeOrder;
  let head = allocFast(k, order, node, gfp);
  if (head === NO_FRAME) head = yield* allocPages(k, order, node, gfp);
  if (head === NO_FRAME) {
    k.vmstat[C.thp_collapse_alloc_failed]! += 1;
    return head;
  }
  makeCompound(k, head);
  k.vmstat[C.thp_collapse_alloc]! += 1;
  return head;
}

/**
 * Promotes a reserved region, which has been looked at: nothing is allocated. Locks as for `collapseRegion`.
 */
export function* promoteReserved(
  k: Kernel,
  mm: Mm,
  vpn: Vpn,
  look: RegionLook,
  asker: "khugepaged" | "collapse",
): Path<ScanResult> {
  const { behaviours } = k;
  const limits = asker === "khugepaged";
  let vma = revalidate(k, mm, vpn, asker);
  const asBase = limits && behaviours.reservations === "posted";
  let result: ScanResult = vma !== undefined && asBase ? yield* bringIn(k, vma, vpn, look.referenced) : "ok";
  yield mm.mmapLock.releaseRead;
  if (result !== "ok") return result;
  yield mm.mmapLock.acquire;
  vma = revalidate(k, mm, vpn, asker);
  result = vma === undefined ? "vma-check" : yield* promoteRegion(k, vma, vpn, limits);
  yield mm.mmapLock.release;
  if (result === "ok" && limits) k.vmstat[C.res_pages_collapsed]! += 1;
  return result;
}

/** What is swapped out comes back; older kernels refuse here what is not used enough, swapped out or not. */
function* bringIn(k: Kernel, vma: Vma, vpn: Vpn, referenced: number): Path<ScanResult> {
  const half = k.geometry.pagesPerHuge / 2;
  if (k.behaviours.collapseReferenced === "half" && referenced < half) return "not-referenced";
  return yield* swapInRegion(k, vma, vpn);
}

/** Brings every swapped-out page of the region back, ascending; but does not wait for what must be read. */
function* swapInRegion(k: Kernel, vma: Vma, vpn: Vpn): Path<ScanResult> {
  const row = findRow(k.pt, vma.mm.directory, vpn);
  if (row === NO_ROW || k.pt.pmd.kind[row] !== PMD.TABLE) return "vma-check";
  let broughtIn = false;
  for (let i = 0; i < k.geometry.pagesPerHuge; i++) {
    if (k.pt.pmd.kind[row] !== PMD.TABLE) return "vma-check";
    const pte = k.pt.pmd.value[row]! * k.geometry.pagesPerHuge + i;
    if ((k.pt.pteFlags[pte]! & PTE.SWAP) === 0) continue;
    const outcome = yield* faultSwapIn(k, vma, row, asVpn(vpn + i), false, false);
    if (outcome === "retry") return "locked";
    if (outcome !== "swap-in") return "vma-check";
    broughtIn = true;
  }
  // Pages in the LRU batch carry its reference, and would look pinned to the second look.
  if (broughtIn) lruDrain(k, k.cpu);
  return "ok";
}

/** Under the write lock: the second look, then the copy. */
function* replaceTable(
  k: Kernel,
  vma: Vma,
  vpn: Vpn,
  head: Pfn,
  asker: "khugepaged" | "collapse",
): Path<ScanResult> {
  const { pt, geometry, costs } = k;
  const row = findRow(pt, vma.mm.directory, vpn);
  if (row === NO_ROW || pt.pmd.kind[row] !== PMD.TABLE) return "pmd-none";
  spend(k, costs.collapseNs);
  const lock = pageTableLock(k, row);
  yield lock.acquire;
  // The kernel clears the PMD first: from the flush to the copy nobody can fill a TLB again, so no other CPU
  // may run in between.
  const flushed = flushRange(k, vma.mm, vpn, geometry.pagesPerHuge, "collapse");
  const look = lookAtRegion(k, row, asker === "khugepaged", true);
  if (look.result === "ok") {
    const copied = copyRegion(k, row, head);
    mapNewHuge(k, vma, row, head);
    // mapNewHuge adds a whole huge page to RSS; what was copied was counted already.
    addAnonPages(vma.mm, -copied);
    emit(k, EVENT.collapse, vma.mm.id, vpn, head, copied);
  }
  yield flushed;
  yield lock.release;
  return look.result;
}

/** Copies and unmaps the old pages, and takes their table away; returns how many pages were copied. */
function copyRegion(k: Kernel, row: PmdRow, head: Pfn): number {
  const { pt, geometry, costs } = k;
  const slot = pt.pmd.value[row]!;
  const from = slot * geometry.pagesPerHuge;
  let copied = 0;
  for (let i = from; i < from + geometry.pagesPerHuge; i++) {
    const flags = pt.pteFlags[i]!;
    const old = asPfn(pt.ptePfn[i]!);
    pt.pteFlags[i] = 0;
    pt.ptePfn[i] = 0;
    if (flags === 0 || (flags & PTE.ZERO) !== 0) {
      spend(k, costs.zeroPageNs);
      noteZeroed(k, asPfn(head + i - from), 1);
      continue;
    }
    copied++;
    spend(k, costs.copyPageNs);
    noteCopied(k, old, asPfn(head + i - from), 1);
    removePteRmap(k, old, 1);
    putPageAndSwap(k, old);
  }
  givePteTable(pt, slot);
  return copied;
}
