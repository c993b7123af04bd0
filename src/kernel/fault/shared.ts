/**
 * Fault in shared anonymous memory: base pages that every mapping of the area sees.
 *
 * Models:       mm/shmem.c shmem_fault() with shmem_enabled=never, v6.1, as far as counts go.
 * Not modelled: swap-out of shared pages, huge pages (shmem_enabled), the page cache's own LRU.
 */
import type { Path } from "../../core/ops.ts";
import { asVpn, NO_FRAME, type Pfn, type PmdRow, type Vpn } from "../../core/units.ts";
import { allocFast, allocPages } from "../buddy/alloc.ts";
import { putPage } from "../buddy/free.ts";
import { GFP_USER } from "../buddy/gfp.ts";
import { pageTableLock } from "../locks.ts";
import { addFilePages } from "../mm/mm.ts";
import { PMD, PTE, pteIndex } from "../mm/page-table.ts";
import { installPteTable } from "../mm/tables.ts";
import { addPteRmap } from "../mm/unmap-rmap.ts";
import { VM, type Vma } from "../mm/vma.ts";
import { enter, type Kernel, spend } from "../state.ts";
import { noteZeroed } from "../witness.ts";
import { aroundWindow } from "./file.ts";
import { wantedNode } from "./node.ts";
import type { FaultOutcome } from "./outcome.ts";

/**
 * First touch of a page by this mapping; the page itself may exist already. Unlike private memory, a read
 * allocates.
 */
export function* faultShared(k: Kernel, vma: Vma, row: PmdRow, vpn: Vpn, write: boolean): Path<FaultOutcome> {
  enter(k, "shmem_fault");
  const { pages, sizePages } = vma.shared!;
  const index = vma.pgoff + (vpn - vma.start);
  if (index >= sizePages) return "segv";
  let pfn = pages.get(index);
  if (pfn === undefined) {
    let fresh = allocFast(k, 0, wantedNode(k), GFP_USER);
    if (fresh === NO_FRAME) fresh = yield* allocPages(k, 0, wantedNode(k), GFP_USER);
    if (fresh === NO_FRAME) return "oom";
    spend(k, k.costs.zeroPageNs);
    noteZeroed(k, fresh, 1);
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
    mapShared(k, vma, row, vpn, pfn, PTE.YOUNG | (write ? PTE.DIRTY : 0));
    if (!write) mapAround(k, vma, row, vpn);
  }
  yield lock.release;
  return won ? "anon-4k" : "retry";
}

function mapShared(k: Kernel, vma: Vma, row: PmdRow, vpn: Vpn, pfn: Pfn, marks: number): void {
  const pte = pteIndex(k.pt, row, vpn);
  addPteRmap(k, pfn);
  k.frames.refCount[pfn]! += 1;
  k.pt.ptePfn[pte] = pfn;
  k.pt.pteFlags[pte] = PTE.PRESENT | marks | ((vma.flags & VM.WRITE) !== 0 ? PTE.WRITE : 0);
  if (!vma.mm.filePagesFromTrace) addFilePages(vma.mm, 1);
}

/** A read maps its neighbours too, as far as they exist, lie in the area and under the same table. */
function mapAround(k: Kernel, vma: Vma, row: PmdRow, vpn: Vpn): void {
  const { start, end } = aroundWindow(k, vma, vpn);
  for (let page = start; page < end; page++) {
    const pfn = vma.shared!.pages.get(vma.pgoff + (page - vma.start));
    if (pfn === undefined || k.pt.pteFlags[pteIndex(k.pt, row, asVpn(page))] !== 0) continue;
    mapShared(k, vma, row, asVpn(page), pfn, 0);
  }
}

/** The last area of the memory is gone: its pages go. */
export function dropShared(k: Kernel, vma: Vma): void {
  const shared = vma.shared;
  if (shared === undefined || --shared.users > 0) return;
  for (const pfn of shared.pages.values()) putPage(k, pfn);
  shared.pages.clear();
}
