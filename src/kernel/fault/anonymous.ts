/**
 * Anonymous fault: give a first-touched page of a private mapping a zeroed frame, or the shared zero page for
 * a read.
 *
 *     decide ──▶ allocate ──▶ lock PTE ──▶ re-check ──▶ map ──▶ unlock
 *                (may sleep)               (lost the race? free, retry)
 *
 * The frame is allocated *before* the page-table lock is taken, because allocation may sleep. Between the
 * two, another CPU may map the same page; hence the re-check.
 *
 * Models:       mm/memory.c do_anonymous_page(), v6.1.
 * Not modelled: userfaultfd, memcg charge, multi-size THP (off by default in 6.18).
 */
import type { Lock, Path } from "../../core/ops.ts";
import { NO_FRAME, type Pfn, type PmdRow, type Vpn } from "../../core/units.ts";
import { allocFast, allocPages } from "../buddy/alloc.ts";
import { putPage } from "../buddy/free.ts";
import { GFP_USER } from "../buddy/gfp.ts";
import { pageTableLock } from "../locks.ts";
import { addAnonPages, type Mm } from "../mm/mm.ts";
import { PMD, PTE, pteIndex } from "../mm/page-table.ts";
import { addNewAnonRmap, prepareAnonVma } from "../mm/rmap.ts";
import { installPteTable } from "../mm/tables.ts";
import { VM, type Vma } from "../mm/vma.ts";
import { lruAdd } from "../reclaim/lru.ts";
import {
  mayComeFromReservation,
  reservedMapped,
  reservedPage,
  returnReserved,
} from "../reservation/reserve.ts";
import { enter, type Kernel, spend } from "../state.ts";
import { noteZeroed } from "../witness.ts";
import { wantedNode } from "./node.ts";
import type { FaultOutcome } from "./outcome.ts";

/** Whether, under the page-table lock, the page's PTE is still none; the table is made if the PMD is none. */
function stillNone(k: Kernel, mm: Mm, row: PmdRow, vpn: Vpn): boolean {
  if (k.pt.pmd.kind[row] === PMD.NONE) installPteTable(k, mm, row);
  return k.pt.pmd.kind[row] === PMD.TABLE && k.pt.pteFlags[pteIndex(k.pt, row, vpn)] === 0;
}

/**
 * What by far the most faults need, without a path of its own: a zeroed frame from the CPU's list for a
 * first write. NO_FRAME: `faultAnonymous` takes more thought, or time.
 */
export function frameForFirstWrite(k: Kernel, vma: Vma): Pfn {
  enter(k, "do_anonymous_page");
  prepareAnonVma(k, vma);
  if (mayComeFromReservation(k)) return NO_FRAME;
  const pfn = allocFast(k, 0, wantedNode(k), GFP_USER);
  if (pfn !== NO_FRAME) zeroed(k, pfn);
  return pfn;
}

function zeroed(k: Kernel, pfn: Pfn): void {
  spend(k, k.costs.zeroPageNs);
  noteZeroed(k, pfn, 1);
}

/** Maps a zeroed frame at a page, under the page-table lock; false if another CPU was there first. */
export function mapFirstWrite(k: Kernel, vma: Vma, row: PmdRow, vpn: Vpn, pfn: Pfn): boolean {
  if (!stillNone(k, vma.mm, row, vpn)) return false;
  addNewAnonRmap(k, pfn, vma, vpn);
  const pte = pteIndex(k.pt, row, vpn);
  k.pt.ptePfn[pte] = pfn;
  k.pt.pteFlags[pte] = PTE.PRESENT | PTE.YOUNG | PTE.DIRTY | ((vma.flags & VM.WRITE) !== 0 ? PTE.WRITE : 0);
  addAnonPages(vma.mm, 1);
  lruAdd(k, pfn);
  return true;
}

/**
 * First touch of a page that no huge page backs: a read, or a write for which `frameForFirstWrite` had
 * nothing at hand.
 */
export function* faultAnonymous(
  k: Kernel,
  vma: Vma,
  row: PmdRow,
  vpn: Vpn,
  write: boolean,
): Path<FaultOutcome> {
  const lock = pageTableLock(k, row);
  if (!write) return yield* mapZeroPage(k, vma.mm, row, vpn, lock);
  const mayBeReserved = mayComeFromReservation(k);
  const reserved = mayBeReserved ? yield* reservedPage(k, vma, row, vpn) : NO_FRAME;
  let pfn = reserved;
  if (pfn === NO_FRAME && mayBeReserved) pfn = allocFast(k, 0, wantedNode(k), GFP_USER);
  if (pfn === NO_FRAME) pfn = yield* allocPages(k, 0, wantedNode(k), GFP_USER);
  if (pfn === NO_FRAME) return "oom";
  zeroed(k, pfn);

  yield lock.acquire;
  const won = mapFirstWrite(k, vma, row, vpn, pfn);
  if (won && reserved !== NO_FRAME) reservedMapped(k, row, reserved);
  yield lock.release;
  if (won) return "anon-4k";
  if (reserved === NO_FRAME) putPage(k, pfn);
  else returnReserved(k, row, reserved);
  return "retry";
}

function* mapZeroPage(k: Kernel, mm: Mm, row: PmdRow, vpn: Vpn, lock: Lock): Path<FaultOutcome> {
  enter(k, "do_anonymous_page");
  yield lock.acquire;
  const won = stillNone(k, mm, row, vpn);
  if (won) {
    const pte = pteIndex(k.pt, row, vpn);
    k.pt.ptePfn[pte] = 0;
    k.pt.pteFlags[pte] = PTE.PRESENT | PTE.ZERO | PTE.YOUNG;
  }
  yield lock.release;
  return won ? "zero-4k" : "retry";
}
