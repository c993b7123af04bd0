/**
 * Write fault on a huge page that a fork shares, in kernels before 5.8: the writer gets a huge page of its
 * own, or as many base pages.
 *
 *     allocate huge ──▶ copy ──▶ lock: same PMD? ──▶ map the copy, drop the old page
 *          └ none ──▶ allocate base pages, on the old page's node ──▶ copy each ──▶ a table
 *                          └ none ──▶ "oom": the caller splits the PMD and copies one base page
 *
 * Models:       mm/huge_memory.c do_huge_pmd_wp_page(), do_huge_pmd_wp_page_fallback(), v4.20.
 * Not modelled: memcg charges; debug_cow.
 */
import { C } from "../../core/counters.ts";
import { EVENT } from "../../core/events.ts";
import type { Path } from "../../core/ops.ts";
import { asPfn, asVpn, NO_FRAME, type Pfn, type PmdRow } from "../../core/units.ts";
import { allocFast, allocPages } from "../buddy/alloc.ts";
import { putPage } from "../buddy/free.ts";
import { GFP_USER } from "../buddy/gfp.ts";
import { nodeOfFrame } from "../buddy/state.ts";
import { pageTableLock } from "../locks.ts";
import { addAnonPages, addHugePmds } from "../mm/mm.ts";
import { PMD, PTE, takePteTable, vpnOfRow, WAS_HUGE } from "../mm/page-table.ts";
import { addNewAnonRmap, prepareAnonVma } from "../mm/rmap.ts";
import { removeHugeRmap } from "../mm/unmap-rmap.ts";
import { VM, type Vma } from "../mm/vma.ts";
import { lruAdd } from "../reclaim/lru.ts";
import { emit, type Kernel, spend } from "../state.ts";
import { faultGfp, mayBeHuge } from "../thp/eligible.ts";
import { flushRange } from "../tlb/shootdown.ts";
import { noteCopied } from "../witness.ts";
import { allocHuge, mapNewHuge } from "./huge.ts";
import { wantedNode } from "./node.ts";
import type { FaultOutcome } from "./outcome.ts";

/**
 * Copies the shared huge page `old` that a row maps; the caller has taken a reference of it, which is dropped
 * here. "oom": nothing could be had.
 */
export function* copySharedHuge(k: Kernel, vma: Vma, row: PmdRow, old: Pfn): Path<FaultOutcome> {
  prepareAnonVma(k, vma);
  const wanted = mayBeHuge(k, vma, "fault");
  const head = wanted ? yield* allocHuge(k, wantedNode(k), faultGfp(k, vma)) : NO_FRAME;
  let outcome: FaultOutcome;
  if (head === NO_FRAME) {
    outcome = yield* copyToBasePages(k, vma, row, old);
    k.vmstat[C.thp_fault_fallback]! += 1;
  } else {
    k.vmstat[C.thp_fault_alloc]! += 1;
    spend(k, k.costs.copyHugeNs);
    noteCopied(k, old, head, k.geometry.pagesPerHuge);
    outcome = yield* switchToHuge(k, vma, row, old, head);
  }
  putPage(k, old);
  return outcome;
}

function stillMaps(k: Kernel, row: PmdRow, old: Pfn): boolean {
  return k.pt.pmd.kind[row] === PMD.HUGE && k.pt.pmd.value[row] === old;
}

/** The row stops mapping the shared page. */
function dropOld(k: Kernel, vma: Vma, row: PmdRow, old: Pfn): void {
  const { mm } = vma;
  removeHugeRmap(k, old);
  addAnonPages(mm, -k.geometry.pagesPerHuge);
  addHugePmds(mm, -1);
  mm.hugeTouched -= k.pt.pmd.touched[row]!;
  putPage(k, old);
}

function* switchToHuge(k: Kernel, vma: Vma, row: PmdRow, old: Pfn, head: Pfn): Path<FaultOutcome> {
  const lock = pageTableLock(k, row);
  yield lock.acquire;
  const same = stillMaps(k, row, old);
  if (same) {
    const vpn = vpnOfRow(k.pt, row);
    dropOld(k, vma, row, old);
    mapNewHuge(k, vma, row, head);
    emit(k, EVENT.hugeFault, vma.mm.id, vpn, head);
    for (let i = 0; i < k.geometry.pagesPerHuge; i++) emit(k, EVENT.cowCopy, vma.mm.id, vpn + i);
    yield flushRange(k, vma.mm, vpn, k.geometry.pagesPerHuge, "cow");
  }
  yield lock.release;
  if (same) return "cow-huge";
  putPage(k, head);
  return "retry";
}

/** No huge page: base pages for all of it, or for none. */
function* copyToBasePages(k: Kernel, vma: Vma, row: PmdRow, old: Pfn): Path<FaultOutcome> {
  const n = k.geometry.pagesPerHuge;
  const node = nodeOfFrame(k.buddy, old);
  const pages: Pfn[] = [];
  while (pages.length < n) {
    let pfn = allocFast(k, 0, node, GFP_USER);
    if (pfn === NO_FRAME) pfn = yield* allocPages(k, 0, node, GFP_USER);
    if (pfn === NO_FRAME) break;
    pages.push(pfn);
  }
  if (pages.length < n) {
    for (const pfn of pages) putPage(k, pfn);
    return "oom";
  }
  spend(k, n * k.costs.copyPageNs);
  for (const [i, pfn] of pages.entries()) noteCopied(k, asPfn(old + i), pfn, 1);
  const lock = pageTableLock(k, row);
  yield lock.acquire;
  const same = stillMaps(k, row, old);
  if (same) {
    mapBasePages(k, vma, row, old, pages);
    yield flushRange(k, vma.mm, vpnOfRow(k.pt, row), n, "cow");
  }
  yield lock.release;
  if (same) return "cow-copy";
  for (const pfn of pages) putPage(k, pfn);
  return "retry";
}

function mapBasePages(k: Kernel, vma: Vma, row: PmdRow, old: Pfn, pages: readonly Pfn[]): void {
  const { pt } = k;
  const first = vpnOfRow(pt, row);
  dropOld(k, vma, row, old);
  pt.pmd.kind[row] = PMD.TABLE;
  const slot = takePteTable(pt);
  pt.pmd.value[row] = slot;
  const from = slot * pages.length;
  const writable = (vma.flags & VM.WRITE) !== 0 ? PTE.WRITE : 0;
  pages.forEach((pfn, i) => {
    addNewAnonRmap(k, asPfn(pfn), vma, asVpn(first + i));
    pt.ptePfn[from + i] = pfn;
    pt.pteFlags[from + i] = PTE.PRESENT | PTE.YOUNG | PTE.DIRTY | writable;
    lruAdd(k, pfn);
    emit(k, EVENT.cowCopy, vma.mm.id, first + i);
  });
  addAnonPages(vma.mm, pages.length);
  vma.mm.hasSplit = true;
  pt.pmd.flags[row] = WAS_HUGE;
}
