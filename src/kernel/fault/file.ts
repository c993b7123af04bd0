/**
 * Fault in a file's mapping: the page is counted, not modelled; a write to a private mapping gets an
 * anonymous copy.
 *
 * Models:       mm/memory.c do_read_fault(), do_cow_fault(), do_shared_fault(), v6.1, as far as counts go.
 * Not modelled: the page cache (its pages are no frames of the machine), read-ahead, huge pages of files.
 */
import type { Path } from "../../core/ops.ts";
import { asPfn, NO_FRAME, type PmdRow, type Vpn } from "../../core/units.ts";
import { allocFast, allocPages } from "../buddy/alloc.ts";
import { putPage } from "../buddy/free.ts";
import { GFP_USER } from "../buddy/gfp.ts";
import { pageTableLock } from "../locks.ts";
import { addAnonPages, addFilePages } from "../mm/mm.ts";
import { PMD, PTE, pteIndex } from "../mm/page-table.ts";
import { addNewAnonRmap, prepareAnonVma } from "../mm/rmap.ts";
import { installPteTable } from "../mm/tables.ts";
import { VM, type Vma } from "../mm/vma.ts";
import { lruAdd } from "../reclaim/lru.ts";
import { enter, type Kernel, spend } from "../state.ts";
import { noteZeroed } from "../witness.ts";
import { wantedNode } from "./node.ts";
import type { FaultOutcome } from "./outcome.ts";

/**
 * Pages that a read fault maps around itself when nothing is known of the page cache (fault_around_bytes = 64
 * KiB).
 */
const FAULT_AROUND_PAGES = 16;

/** First touch of a page of a file's mapping. */
export function* faultFile(k: Kernel, vma: Vma, row: PmdRow, vpn: Vpn, write: boolean): Path<FaultOutcome> {
  enter(k, "do_fault");
  const privateWrite = write && (vma.flags & VM.SHARED) === 0;
  let pfn = NO_FRAME;
  if (privateWrite) {
    prepareAnonVma(k, vma);
    pfn = allocFast(k, 0, wantedNode(k), GFP_USER);
    if (pfn === NO_FRAME) pfn = yield* allocPages(k, 0, wantedNode(k), GFP_USER);
    if (pfn === NO_FRAME) return "oom";
    spend(k, k.costs.copyPageNs);
    noteZeroed(k, asPfn(pfn), 1);
  }
  const lock = pageTableLock(k, row);
  yield lock.acquire;
  if (k.pt.pmd.kind[row] === PMD.NONE) installPteTable(k, vma.mm, row);
  const won = k.pt.pmd.kind[row] === PMD.TABLE && k.pt.pteFlags[pteIndex(k.pt, row, vpn)] === 0;
  if (won && privateWrite) {
    addNewAnonRmap(k, asPfn(pfn), vma, vpn);
    const pte = pteIndex(k.pt, row, vpn);
    k.pt.ptePfn[pte] = pfn;
    k.pt.pteFlags[pte] = PTE.PRESENT | PTE.YOUNG | PTE.DIRTY | PTE.WRITE;
    addAnonPages(vma.mm, 1);
    lruAdd(k, pfn);
  } else if (won) {
    mapAround(k, vma, row, vpn, write);
  }
  yield lock.release;
  if (won) return "file";
  if (pfn !== NO_FRAME) putPage(k, pfn);
  return "retry";
}

/** Maps the page and, unless the trace records each fault itself, its neighbours. */
function mapAround(k: Kernel, vma: Vma, row: PmdRow, vpn: Vpn, write: boolean): void {
  const around = aroundWindow(k, vma, vpn);
  const alone = write || vma.mm.filePagesFromTrace;
  const from = alone ? vpn : around.start;
  const to = alone ? vpn + 1 : around.end;
  const writable = (vma.flags & VM.SHARED) !== 0 && (vma.flags & VM.WRITE) !== 0 ? PTE.WRITE : 0;
  for (let page = from; page < to; page++) {
    const pte = pteIndex(k.pt, row, page as Vpn);
    if (k.pt.pteFlags[pte] !== 0) continue;
    k.pt.ptePfn[pte] = 0;
    k.pt.pteFlags[pte] = PTE.PRESENT | PTE.FILE | writable | (page === vpn ? PTE.YOUNG : 0);
    if (!vma.mm.filePagesFromTrace) addFilePages(vma.mm, 1);
  }
}

/**
 * The pages that a read fault may map at once, under one page table: from an aligned address on, or from the
 * area's start where that lies behind it, and then as many pages behind that start.
 */
export function aroundWindow(
  k: Kernel,
  vma: Vma,
  vpn: Vpn,
): { readonly start: number; readonly end: number } {
  const regionStart = vpn - (vpn % k.geometry.pagesPerHuge);
  const start = Math.max(vpn - (vpn % FAULT_AROUND_PAGES), vma.start, regionStart);
  return {
    start,
    end: Math.min(start + FAULT_AROUND_PAGES, vma.end, regionStart + k.geometry.pagesPerHuge),
  };
}
