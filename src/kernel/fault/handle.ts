/**
 * A page fault from its entry to its outcome: find the area, check the access, walk down, dispatch.
 *
 *     mmap_lock (read) ──▶ area allows it? ──▶ PMD none and may be huge? ──▶ huge fault ──▶ fallback ┐
 *                                               PMD huge, write to read-only? ──▶ reuse or split ────┤
 *                                               PTE none ▸ anonymous · file · shared    PTE swap ▸ in │◀┘
 *                                               PTE read-only, write ▸ reuse or copy
 *                                               PTE or PMD is a NUMA hint ▸ migrate or restore
 *
 * Models:       mm/memory.c handle_mm_fault(), __handle_mm_fault(), handle_pte_fault(), v6.1.
 * Not modelled: per-VMA locks (6.4+), userfaultfd, stack growth, retries that drop the mmap lock.
 */
import { C } from "../../core/counters.ts";
import type { Path } from "../../core/ops.ts";
import { NO_FRAME, type PmdRow, type Vpn } from "../../core/units.ts";
import { putPage } from "../buddy/free.ts";
import { pageTableLock } from "../locks.ts";
import type { Mm } from "../mm/mm.ts";
import { PMD, PTE, pteIndex } from "../mm/page-table.ts";
import { ensureRow } from "../mm/tables.ts";
import { findVma, VM, type Vma } from "../mm/vma.ts";
import { numaPolicy } from "../numa/policy.ts";
import { faultSwapIn } from "../reclaim/swap-in.ts";
import { promoteAtFault } from "../reservation/promote.ts";
import { reachedThreshold } from "../reservation/reserve.ts";
import { enter, type Kernel, spend } from "../state.ts";
import { mayBeHuge } from "../thp/eligible.ts";
import { faultAnonymous, frameForFirstWrite, mapFirstWrite } from "./anonymous.ts";
import { faultFile } from "./file.ts";
import { faultHuge } from "./huge.ts";
import { faultHugeWriteProtected } from "./huge-write-protect.ts";
import type { FaultOutcome } from "./outcome.ts";
import { faultShared } from "./shared.ts";
import { faultWriteProtected } from "./write-protect.ts";

/** Handles a fault of the current CPU on a page. Takes and drops the mmap lock itself. */
export function* handleFault(k: Kernel, mm: Mm, vpn: Vpn, write: boolean): Path<FaultOutcome> {
  enter(k, "handle_mm_fault");
  spend(k, k.costs.faultNs);
  yield mm.mmapLock.acquireRead;
  const vma = findVma(mm, vpn);
  let outcome: FaultOutcome = "segv";
  let promote = false;
  if (vma !== undefined && allows(vma, write)) {
    const row = ensureRow(k, mm, vpn);
    const atEntry = k.behaviours.pgfaultAt === "entry";
    if (atEntry) k.vmstat[C.pgfault]! += 1;
    const huge = hugePath(k, vma, row, vpn, write);
    outcome = huge === undefined ? "fallback" : yield* huge;
    if (outcome === "fallback") {
      enter(k, "handle_pte_fault");
      const pfn = isFirstWrite(k, vma, row, vpn, write) ? frameForFirstWrite(k, vma) : NO_FRAME;
      if (pfn === NO_FRAME) outcome = yield* ptePath(k, vma, row, vpn, write);
      else {
        const lock = pageTableLock(k, row);
        yield lock.acquire;
        outcome = mapFirstWrite(k, vma, row, vpn, pfn) ? "anon-4k" : "retry";
        yield lock.release;
        if (outcome === "retry") putPage(k, pfn);
      }
    }
    if (!atEntry) k.vmstat[C.pgfault]! += 1;
    promote = outcome === "anon-4k" && reachedThreshold(k, row);
  }
  yield mm.mmapLock.releaseRead;
  if (promote) yield* promoteAtFault(k, mm, vpn);
  return outcome;
}

function allows(vma: Vma, write: boolean): boolean {
  return write ? (vma.flags & VM.WRITE) !== 0 : (vma.flags & (VM.READ | VM.WRITE | VM.EXEC)) !== 0;
}

/** The path of a fault that a huge page may answer; undefined when the base-page paths decide. */
function hugePath(
  k: Kernel,
  vma: Vma,
  row: PmdRow,
  vpn: Vpn,
  write: boolean,
): Path<FaultOutcome> | undefined {
  const kind = k.pt.pmd.kind[row]!;
  if (kind === PMD.NONE) return mayBeHuge(k, vma, "fault") ? faultHuge(k, vma, row, vpn, write) : undefined;
  const hint = (k.pt.pmd.flags[row]! & PTE.HINT) !== 0;
  if (kind === PMD.TABLE) return hint ? numaPolicy(k).faultTable?.(k, vma, row) : undefined;
  if (hint) return numaPolicy(k).faultHuge(k, vma, row, write);
  if (!write || (k.pt.pmd.flags[row]! & PTE.WRITE) !== 0) return spurious();
  return faultHugeWriteProtected(k, vma, row);
}

/** Flags of the PTE; 0 when there is none. */
function flagsOf(k: Kernel, row: PmdRow, vpn: Vpn): number {
  return k.pt.pmd.kind[row] === PMD.TABLE ? k.pt.pteFlags[pteIndex(k.pt, row, vpn)]! : 0;
}

/** Whether the page is private memory that nobody has touched yet, and is to be written. */
function isFirstWrite(k: Kernel, vma: Vma, row: PmdRow, vpn: Vpn, write: boolean): boolean {
  return write && vma.shared === undefined && (vma.flags & VM.FILE) === 0 && flagsOf(k, row, vpn) === 0;
}

/** The base-page paths, by the state of the PTE. */
function ptePath(k: Kernel, vma: Vma, row: PmdRow, vpn: Vpn, write: boolean): Path<FaultOutcome> {
  const flags = flagsOf(k, row, vpn);
  if (flags === 0) {
    if (vma.shared !== undefined) return faultShared(k, vma, row, vpn, write);
    if ((vma.flags & VM.FILE) !== 0) return faultFile(k, vma, row, vpn, write);
    return faultAnonymous(k, vma, row, vpn, write);
  }
  if ((flags & PTE.SWAP) !== 0) return faultSwapped(k, vma, row, vpn, write);
  if ((flags & PTE.HINT) !== 0) return numaPolicy(k).faultSmall(k, vma, row, vpn);
  if (write && (flags & PTE.WRITE) === 0) return faultWriteProtected(k, vma, row, vpn);
  return spurious();
}

// biome-ignore lint/correctness/useYield: a path that has nothing to wait for
function* spurious(): Path<FaultOutcome> {
  return "spurious";
}

/**
 * A swapped page comes back; a write goes on to copy it in the same fault if others name the slot as well.
 */
function* faultSwapped(k: Kernel, vma: Vma, row: PmdRow, vpn: Vpn, write: boolean): Path<FaultOutcome> {
  const outcome = yield* faultSwapIn(k, vma, row, vpn, write);
  if (outcome !== "swap-in" || !write) return outcome;
  const copied = yield* faultWriteProtected(k, vma, row, vpn);
  return copied === "oom" ? copied : outcome;
}
