/**
 * khugepaged: walks the registered address spaces, a budget of pages a pass, and collapses what its knobs
 * allow.
 *
 *     pass: drain LRU batches ──▶ visit mm, mm, … until the budget is used or the list is through ──▶ sleep
 *
 * Each region looked at costs pagesPerHuge of the budget, whatever comes of it.
 *
 * Models:       mm/khugepaged.c khugepaged_do_scan(), khugepaged_scan_mm_slot(), v6.1.
 * Not modelled: file and shmem regions, freezing, its nice value (it runs on a CPU of its own choosing).
 */
import { EVENT } from "../../core/events.ts";
import { canRead, type Path, PREEMPT, sleepOp } from "../../core/ops.ts";
import { asVpn, NO_ROW, type Vpn } from "../../core/units.ts";
import type { Mm } from "../mm/mm.ts";
import { findRow, PMD } from "../mm/page-table.ts";
import { type Vma, vmaIndex } from "../mm/vma.ts";
import { lruDrainAll } from "../reclaim/lru.ts";
import { releaseRow } from "../reservation/release.ts";
import { emit, type Kernel, spend } from "../state.ts";
import { mayBeHuge } from "../thp/eligible.ts";
import { wheelSleepNs } from "../timer.ts";
import { lookAtRegion, SCAN_RESULTS, type ScanResult } from "./check.ts";
import { collapseRegion, promoteReserved } from "./collapse.ts";

/**
 * The daemon: runs while huge pages are on and an address space is registered; the driver starts it again.
 *
 * On most live systems the list is never empty (other programs have been registered since boot): the daemon
 * sleeps from pass to pass, and a new address space is seen by the next pass. Where it is empty, the first
 * one to register wakes the daemon, whose pass begins at once.
 */
export function* khugepaged(k: Kernel): Path {
  const state = k.khugepaged;
  while (k.tunables.enabled !== "never" && (state.othersRegistered || state.list.length > 0)) {
    const startNs = k.nowNs;
    spend(k, PASS_NS);
    yield* pass(k);
    state.usedNs += k.nowNs - startNs;
    if (k.tunables.scanSleepMs > 0) yield sleepOp(wheelSleepNs(k.nowNs, k.tunables.scanSleepMs));
    else yield PREEMPT;
  }
  state.running = false;
}

/** Going round once without finding anything to look at: assumed. */
const PASS_NS = 1_000;

/** One pass over the list. */
function* pass(k: Kernel): Path {
  const state = k.khugepaged;
  const budget = k.tunables.pagesToScan;
  const collapsedBefore = state.pagesCollapsed;
  const startNs = k.nowNs;
  let used = 0;
  let timesAtHead = 0;
  let mayWait = true;
  if (k.behaviours.khugepagedDrains) lruDrainAll(k);
  while (used < budget && state.list.length > 0) {
    yield PREEMPT;
    if (state.mm === undefined) timesAtHead++;
    if (state.list.length === 0 || timesAtHead >= 2) break;
    const visit = yield* visitMm(k, budget - used);
    used += visit.used;
    if (used >= budget) break;
    if (visit.result === "alloc-failed") {
      if (!mayWait) break;
      mayWait = false;
      yield sleepOp(wheelSleepNs(k.nowNs, k.tunables.allocSleepMs));
    }
  }
  emit(k, EVENT.scanPass, used, state.pagesCollapsed - collapsedBefore, k.nowNs - startNs);
}

interface Visit {
  used: number;
  result: ScanResult | undefined;
  /** All areas have been gone through, or the mm could not be entered: the cursor moves on. */
  finished: boolean;
}

/**
 * Visits the mm under the cursor until the budget is used, the lock had to be dropped, or its areas are done.
 */
function* visitMm(k: Kernel, budget: number): Path<Visit> {
  const state = k.khugepaged;
  if (state.mm === undefined) {
    state.mm = state.list[0];
    state.vpn = 0;
  }
  const mm = state.mm!;
  const visit: Visit = { used: 0, result: undefined, finished: true };
  if (canRead(mm.mmapLock)) {
    yield mm.mmapLock.acquireRead;
    visit.used = 1;
    const locked = yield* scanAreas(k, mm, budget, visit);
    if (locked) yield mm.mmapLock.releaseRead;
  }
  if ((visit.finished || mm.users === 0) && state.mm === mm) {
    const at = state.list.indexOf(mm);
    state.mm = state.list[at + 1];
    state.vpn = 0;
    if (state.mm === undefined) state.fullScans++;
  }
  return visit;
}

/** Walks the areas from the cursor on; true while the mmap lock is still held. */
function* scanAreas(k: Kernel, mm: Mm, budget: number, visit: Visit): Path<boolean> {
  const state = k.khugepaged;
  const n = k.geometry.pagesPerHuge;
  for (let at = vmaIndex(mm, state.vpn); at < mm.vmas.length; at++) {
    const vma = mm.vmas[at]!;
    const first = Math.ceil(vma.start / n) * n;
    const end = vma.end - (vma.end % n);
    if (!mayBeHuge(k, vma, "khugepaged") || state.vpn > end) {
      visit.used++;
      continue;
    }
    if (state.vpn < first) state.vpn = first;
    while (state.vpn < end) {
      const vpn = asVpn(state.vpn);
      const looked = yield* scanRegion(k, mm, vma, vpn);
      visit.result = looked.result;
      state.vpn += n;
      visit.used += n;
      if (!looked.locked) {
        visit.finished = false;
        return false;
      }
      if (visit.used >= budget) {
        visit.finished = false;
        return true;
      }
    }
  }
  return true;
}

interface Looked {
  readonly result: ScanResult;
  /** The mmap lock is still held for reading. */
  readonly locked: boolean;
}

/** Looks at one region and collapses it if it may. */
function* scanRegion(k: Kernel, mm: Mm, vma: Vma, vpn: Vpn): Path<Looked> {
  const result = yield* collapseIfAllowed(k, mm, vma, vpn, "khugepaged");
  if (result.result === "ok") k.khugepaged.pagesCollapsed++;
  else emit(k, EVENT.scanRefused, mm.id, vpn, SCAN_RESULTS.indexOf(result.result));
  return result;
}

/** The shared part of khugepaged and MADV_COLLAPSE: one region, from the look to the collapse. */
export function* collapseIfAllowed(
  k: Kernel,
  mm: Mm,
  vma: Vma,
  vpn: Vpn,
  asker: "khugepaged" | "collapse",
): Path<Looked> {
  const row = findRow(k.pt, vma.mm.directory, vpn);
  if (row === NO_ROW) return { result: "pmd-null", locked: true };
  const kind = k.pt.pmd.kind[row];
  if (kind === PMD.NONE) return { result: "pmd-none", locked: true };
  if (kind !== PMD.TABLE) return { result: "pmd-mapped", locked: true };
  const limits = asker === "khugepaged";
  let look = lookAtRegion(k, row, limits, false);
  if (look.block >= 0) {
    if (look.result === "ok")
      return { result: yield* promoteReserved(k, mm, vpn, look, asker), locked: false };
    if (limits) return { result: look.result, locked: true };
    // Who asks for a huge page now gets one, by copy.
    releaseRow(k, row, "collapse");
    look = lookAtRegion(k, row, false, false);
  }
  if (look.result !== "ok") return { result: look.result, locked: true };
  return { result: yield* collapseRegion(k, mm, vpn, look, asker), locked: false };
}
