/**
 * Fault in shared anonymous memory: base pages that every mapping of the area sees.
 *
 * Models:       mm/shmem.c shmem_fault() with shmem_enabled=never, v6.1, as far as counts go.
 * Not modelled: swap-out of shared pages, huge pages (shmem_enabled), the page cache's own LRU.
 */
import type { Path } from "../../core/ops.ts";
import { NO_FRAME, type PmdRow, type Vpn } from "../../core/units.ts";
import { allocFast, allocPages } from "../buddy/alloc.ts";
import { putPage } from "../buddy/free.ts";
import { GFP_USER } from "../buddy/gfp.ts";
import { pageTableLock } from "../locks.ts";
import { addFilePages } from "../mm/mm.ts";
import { PMD, PTE, pteIndex } from "../mm/page-table.ts";
import { installPteTable } from "../mm/tables.ts";
import { addPteRmap } from "../mm/unmap-rmap.ts";
import { VM, type Vma } from "../mm/vma.ts";
import { type Kernel, spend } from "../state.ts";
import { localNode } from "./node.ts";
import type { FaultOutcome } from "./outcome.ts";

/**
 * First touch of a page by this mapping; the page itself may exist already. Unlike private memory, a read
 * allocates.
 */
export function* faultShared(k: Kernel, vma: Vma, row: PmdRow, vpn: Vpn, write: boolean): Path<FaultOutcome> {
  const pages = vma.shared!.pages;
  const index = vma.pgoff + (vpn - vma.start);
  let pfn = pages.get(index);
  if (pfn === undefined) {
    let fresh = allocFast(k, 0, localNode(k), GFP_USER);
    if (fresh === NO_FRAME) fresh = yield* allocPages(k, 0, localNode(k), GFP_USER);
    if (fresh === NO_FRAME) return "oom";
    spend(k, k.costs.zeroPageNs);
    pfn = pages.get(index);
    if (pfn === undefined) {
      pages.set(index, fresh);
      pfn = fresh;
    } else {
      putPage(k, fresh);
    }
  }
  const lock = pageTableLock(k, row);
  yield lock.acquire;
  if (k.pt.pmd.kind[row] === PMD.NONE) installPteTable(k, vma.mm, row);
  const won = k.pt.pmd.kind[row] === PMD.TABLE && k.pt.pteFlags[pteIndex(k.pt, row, vpn)] === 0;
  if (won) {
    const pte = pteIndex(k.pt, row, vpn);
    addPteRmap(k, pfn);
    k.frames.refCount[pfn]! += 1;
    k.pt.ptePfn[pte] = pfn;
    k.pt.pteFlags[pte] =
      PTE.PRESENT | PTE.YOUNG | (write ? PTE.DIRTY : 0) | ((vma.flags & VM.WRITE) !== 0 ? PTE.WRITE : 0);
    addFilePages(vma.mm, 1);
  }
  yield lock.release;
  return won ? "anon-4k" : "retry";
}

/** The last area of the memory is gone: its pages go. */
export function dropShared(k: Kernel, vma: Vma): void {
  const shared = vma.shared;
  if (shared === undefined || --shared.users > 0) return;
  for (const pfn of shared.pages.values()) putPage(k, pfn);
  shared.pages.clear();
}
