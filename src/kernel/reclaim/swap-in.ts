/**
 * Fault on a swapped-out page: bring it back, one base page at a time.
 *
 * Models:       mm/memory.c do_swap_page(), v6.1: a page that no other entry names becomes exclusive and
 *               writable.
 * Not modelled: read-ahead, the swap cache, write-back races.
 */
import { C } from "../../core/counters.ts";
import type { Path } from "../../core/ops.ts";
import { NO_FRAME, type PmdRow, type Vpn } from "../../core/units.ts";
import { allocFast, allocPages } from "../buddy/alloc.ts";
import { putPage } from "../buddy/free.ts";
import { GFP_USER } from "../buddy/gfp.ts";
import { wantedNode } from "../fault/node.ts";
import type { FaultOutcome } from "../fault/outcome.ts";
import { pageTableLock } from "../locks.ts";
import { FRAME } from "../mm/frames.ts";
import { addAnonPages } from "../mm/mm.ts";
import { PMD, PTE, pteIndex } from "../mm/page-table.ts";
import { addNewAnonRmap, prepareAnonVma } from "../mm/rmap.ts";
import { noAccessMark, VM, type Vma } from "../mm/vma.ts";
import { enter, type Kernel, spend } from "../state.ts";
import { lruAdd } from "./lru.ts";
import { freeSwapSlot } from "./swap.ts";

/** Brings the page of a swap entry back. Counts a major fault. */
export function* faultSwapIn(k: Kernel, vma: Vma, row: PmdRow, vpn: Vpn, write: boolean): Path<FaultOutcome> {
  enter(k, "do_swap_page");
  prepareAnonVma(k, vma);
  let pfn = allocFast(k, 0, wantedNode(k), GFP_USER);
  if (pfn === NO_FRAME) pfn = yield* allocPages(k, 0, wantedNode(k), GFP_USER);
  if (pfn === NO_FRAME) return "oom";
  spend(k, k.costs.swapPageNs);
  const lock = pageTableLock(k, row);
  yield lock.acquire;
  const pte = k.pt.pmd.kind[row] === PMD.TABLE ? pteIndex(k.pt, row, vpn) : -1;
  const won = pte >= 0 && (k.pt.pteFlags[pte]! & PTE.SWAP) !== 0;
  if (won) {
    const slot = k.pt.ptePfn[pte]!;
    const alone = k.swap.useCount[slot] === 1;
    addNewAnonRmap(k, pfn, vma, vpn);
    if (!alone) k.frames.flags[pfn]! &= ~FRAME.EXCLUSIVE;
    if (k.witness !== undefined) k.witness.swappedIn(slot, pfn);
    freeSwapSlot(k, slot);
    vma.mm.swapEntries -= 1;
    const writable = write && alone && (vma.flags & VM.WRITE) !== 0;
    k.pt.ptePfn[pte] = pfn;
    k.pt.pteFlags[pte] =
      PTE.PRESENT | PTE.YOUNG | noAccessMark(vma.flags) | (writable ? PTE.WRITE | PTE.DIRTY : 0);
    addAnonPages(vma.mm, 1);
    lruAdd(k, pfn);
    k.vmstat[C.pgmajfault]! += 1;
    k.vmstat[C.pswpin]! += 1;
  }
  yield lock.release;
  if (won) return "swap-in";
  putPage(k, pfn);
  return "retry";
}
