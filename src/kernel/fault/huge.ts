/**
 * Huge fault: the PMD is none and the area may have huge pages.
 *
 *     fits? ──▶ register with khugepaged ──▶ read: huge zero page
 *                                       └──▶ write: allocate ──▶ zero ──▶ lock PMD ──▶ still none? ──▶ map
 *
 * Every "no" is a fallback to base pages; only a failed allocation counts as thp_fault_fallback.
 *
 * Models:       mm/huge_memory.c do_huge_pmd_anonymous_page(), get_huge_zero_page(), v6.1.
 * Not modelled: memcg charge (thp_fault_fallback_charge stays 0), userfaultfd, the huge zero page's shrinker.
 */
import { C } from "../../core/counters.ts";
import { EVENT } from "../../core/events.ts";
import { type Path, PREEMPT } from "../../core/ops.ts";
import { NO_FRAME, type NodeId, type Pfn, type PmdRow, type Vpn } from "../../core/units.ts";
import { allocFast, allocPages } from "../buddy/alloc.ts";
import { putPage } from "../buddy/free.ts";
import { GFP } from "../buddy/gfp.ts";
import { khugepagedEnter } from "../khugepaged/register.ts";
import { pageTableLock } from "../locks.ts";
import { FRAME } from "../mm/frames.ts";
import { addAnonPages, addHugePmds, type Mm } from "../mm/mm.ts";
import { PMD, PTE, vpnOfRow } from "../mm/page-table.ts";
import { addNewHugeRmap, prepareAnonVma } from "../mm/rmap.ts";
import { countTables, countUsed } from "../mm/tables.ts";
import { noAccessMark, VM, type Vma } from "../mm/vma.ts";
import { lruAdd } from "../reclaim/lru.ts";
import { faultsReserve, reserve } from "../reservation/reserve.ts";
import { emit, enter, type Kernel, spend } from "../state.ts";
import { queueFromBirth } from "../thp/deferred.ts";
import { faultGfp, regionFits } from "../thp/eligible.ts";
import { noteZeroed } from "../witness.ts";
import { wantedNode } from "./node.ts";
import type { FaultOutcome } from "./outcome.ts";

/** First touch of a region whose PMD is none, in an area that may be huge. */
export function* faultHuge(k: Kernel, vma: Vma, row: PmdRow, vpn: Vpn, write: boolean): Path<FaultOutcome> {
  enter(k, "do_huge_pmd_anonymous_page");
  if (faultsReserve(k)) {
    // Base pages from now on; enough of them make the reservation a huge page later.
    if (k.behaviours.reservations === "posted") yield* reserve(k, vma, row, vpn);
    return "fallback";
  }
  if (!regionFits(k, vma, vpn)) return "fallback";
  prepareAnonVma(k, vma);
  khugepagedEnter(k, vma);
  if (!write && k.tunables.useZeroPage) return yield* mapHugeZero(k, vma.mm, row);
  const head = yield* allocZeroedHuge(k, vma);
  if (head === NO_FRAME) return "fallback";
  const lock = pageTableLock(k, row);
  yield lock.acquire;
  const won = k.pt.pmd.kind[row] === PMD.NONE;
  if (won) {
    k.vmstat[C.thp_fault_alloc]! += 1;
    countUsed(k, row, 1);
    countTables(k, vma.mm, 1);
    mapNewHuge(k, vma, row, head);
    emit(k, EVENT.hugeFault, vma.mm.id, vpnOfRow(k.pt, row), head);
  }
  yield lock.release;
  if (won) return "anon-huge";
  putPage(k, head);
  return "retry";
}

/** A zeroed huge page for a first touch in an area, as defrag allows; none counts as a fallback. */
export function* allocZeroedHuge(k: Kernel, vma: Vma): Path<Pfn> {
  const head = yield* allocHuge(k, wantedNode(k), faultGfp(k, vma));
  if (head === NO_FRAME) {
    k.vmstat[C.thp_fault_fallback]! += 1;
    return NO_FRAME;
  }
  spend(k, k.costs.zeroHugeNs);
  noteZeroed(k, head, k.geometry.pagesPerHuge);
  return head;
}

/**
 * A huge page for a fault: first from the local node alone, then, with direct reclaim allowed, from any.
 * Comes as a compound page: HEAD and TAILs set, one reference.
 */
export function* allocHuge(k: Kernel, node: NodeId, gfp: number): Path<Pfn> {
  const order = k.geometry.hugeOrder;
  let head = allocFast(k, order, node, gfp | GFP.THISNODE);
  if (head === NO_FRAME) {
    const onlyTry = k.behaviours.hugeFaultNodes === "local";
    head = yield* allocPages(k, order, node, gfp | GFP.THISNODE | (onlyTry ? 0 : GFP.NORETRY));
  }
  const anyNode = k.behaviours.hugeFaultNodes === "local-then-any" && (gfp & GFP.THISNODE) === 0;
  if (head === NO_FRAME && (gfp & GFP.DIRECT_RECLAIM) !== 0 && anyNode) {
    head = yield* allocPages(k, order, node, gfp);
  }
  if (head !== NO_FRAME) makeCompound(k, head);
  return head;
}

/** An order-9 block becomes a huge page. */
export function makeCompound(k: Kernel, head: Pfn): void {
  const { frames, blocks, geometry } = k;
  frames.flags[head] = FRAME.HEAD;
  frames.flags.fill(FRAME.TAIL, head + 1, head + geometry.pagesPerHuge);
  frames.refCount[head] = 1;
  const block = head >> geometry.hugeOrder;
  blocks.flags[block] = 0;
  blocks.hugeMapCount[block] = 0;
  blocks.ptePages[block] = 0;
  spend(k, k.costs.allocHugeNs);
}

/** Maps a huge page fresh from the allocator; the caller holds the lock and has counted row and table. */
export function mapNewHuge(k: Kernel, vma: Vma, row: PmdRow, head: Pfn): void {
  addNewHugeRmap(k, head, vma, vpnOfRow(k.pt, row));
  k.pt.pmd.kind[row] = PMD.HUGE;
  k.pt.pmd.value[row] = head;
  const access = noAccessMark(vma.flags) | ((vma.flags & VM.WRITE) !== 0 ? PTE.WRITE : 0);
  k.pt.pmd.flags[row] = PTE.PRESENT | PTE.YOUNG | PTE.DIRTY | access;
  addAnonPages(vma.mm, k.geometry.pagesPerHuge);
  addHugePmds(vma.mm, 1);
  vma.mm.hugeTouched += k.pt.pmd.touched[row]!;
  lruAdd(k, head);
  queueFromBirth(k, head);
}

function* mapHugeZero(k: Kernel, mm: Mm, row: PmdRow): Path<FaultOutcome> {
  if (!(yield* getHugeZero(k, mm))) {
    k.vmstat[C.thp_fault_fallback]! += 1;
    return "fallback";
  }
  const lock = pageTableLock(k, row);
  yield lock.acquire;
  const won = k.pt.pmd.kind[row] === PMD.NONE;
  if (won) {
    k.pt.pmd.kind[row] = PMD.HUGE_ZERO;
    k.pt.pmd.value[row] = 0;
    k.pt.pmd.flags[row] = PTE.PRESENT | PTE.YOUNG;
    countUsed(k, row, 1);
    countTables(k, mm, 1);
  }
  yield lock.release;
  return won ? "zero-huge" : "retry";
}

/** The mm's reference to the huge zero page, which is allocated at its first use by anybody. */
function* getHugeZero(k: Kernel, mm: Mm): Path<boolean> {
  enter(k, "get_huge_zero_page");
  if (mm.usesHugeZero) return true;
  if (!k.thp.hugeZeroAllocated) {
    const head = yield* allocPages(k, k.geometry.hugeOrder, wantedNode(k), GFP.DIRECT_RECLAIM);
    if (head === NO_FRAME) {
      k.vmstat[C.thp_zero_page_alloc_failed]! += 1;
      return false;
    }
    spend(k, k.costs.zeroHugeNs);
    yield PREEMPT;
    keepHugeZero(k, head);
  }
  if (!mm.usesHugeZero) k.thp.hugeZeroUsers += 1;
  mm.usesHugeZero = true;
  return true;
}

/** A fresh block becomes the huge zero page, unless another CPU's has become it meanwhile. */
function keepHugeZero(k: Kernel, head: Pfn): void {
  k.vmstat[C.thp_zero_page_alloc]! += 1;
  if (k.thp.hugeZeroAllocated) {
    makeCompound(k, head);
    putPage(k, head);
    return;
  }
  k.frames.flags[head]! |= FRAME.RESERVED;
  k.thp.hugeZeroAllocated = true;
}
