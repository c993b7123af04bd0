/**
 * Hint faults on huge pages: like those on base pages, with one fault for the whole of it.
 *
 *     lock ─▶ same entry? ─▶ stay: restore ─▶ account      move: unlock ─▶ migrate ─▶ account
 *                              │                             └─ failed: lock ─▶ still the hint? restore
 *                              └─ as first posted in 2021: restore here, before unlocking
 *
 * Models:       mm/huge_memory.c do_huge_pmd_numa_page(), v5.14 to v6.12; before: see hint-huge-copy.ts.
 * Not modelled: memory policies, device pages.
 */

import { EVENT } from "../../core/events.ts";
import type { Op, Path } from "../../core/ops.ts";
import { NO_NODE, type Pfn, type PmdRow } from "../../core/units.ts";
import { pageTableLock } from "../locks.ts";
import { movingPage, waitForMove } from "../migration/entries.ts";
import { isolateForMove, migrateMisplaced, moveIsolated } from "../migration/misplaced.ts";
import { PTE, vpnOfRow } from "../mm/page-table.ts";
import type { Vma } from "../mm/vma.ts";
import { HINT } from "../numa/account.ts";
import { touchStack } from "../numa/stack.ts";
import { currentTask } from "../numa/state.ts";
import { emit, enter, type Kernel } from "../state.ts";
import { flushRange } from "../tlb/shootdown.ts";
import { account, isWritable, type Look, lookAtPage } from "./hint.ts";
import { hintedHead } from "./hinted.ts";
import type { FaultOutcome } from "./outcome.ts";

/** Access to a huge page whose PMD is a hint. Enters without the lock. */
export function* faultHintHuge(k: Kernel, vma: Vma, row: PmdRow): Path<FaultOutcome> {
  enter(k, "do_huge_pmd_numa_page");
  touchStack(k, currentTask(k));
  const pages = k.geometry.pagesPerHuge;
  const { flushPending, isolateUnderLock, restoreHuge } = k.behaviours.numaRules;
  const lock = pageTableLock(k, row);
  yield lock.acquire;
  const head = hintedHead(k, row);
  const moving = head < 0 ? head : movingPage(k, row, -1);
  if (head < 0 || moving >= 0) {
    yield lock.release;
    if (moving >= 0) yield* waitForMove(k, moving);
    return "retry";
  }
  if (flushPending === "always" && vma.mm.flushesPending > 0) yield flushHuge(k, vma, row);
  const writable = isWritable(k, vma, k.pt.pmd.flags[row]!, head);
  const look = lookAtPage(k, vma, head, writable ? 0 : HINT.NO_GROUP);
  if (look.target === NO_NODE) {
    restorePmd(k, row, writable);
    yield lock.release;
    account(k, look, pages, look.node, 0);
    return "hint-huge";
  }
  let moved = false;
  if (restoreHuge === "before-moving") restorePmd(k, row, writable);
  if (isolateUnderLock) {
    const isolated = yield* isolateForMove(k, head, look.target);
    if (!isolated) restorePmd(k, row, writable);
    yield lock.release;
    if (!isolated) account(k, look, pages, look.node, HINT.FAILED);
    if (!isolated) return "hint-huge";
    moved = yield* moveIsolated(k, head, look.target);
  } else {
    k.frames.refCount[head]! += 1;
    yield lock.release;
    moved = yield* migrateMisplaced(k, head, look.target);
  }
  if (moved) account(k, look, pages, look.target, HINT.MIGRATED);
  else yield* restoreAfterFailure(k, row, head, writable, look);
  emit(k, EVENT.moveWindow, k.geometry.hugeOrder, moved ? 1 : 0, k.nowNs - look.sinceNs);
  return "hint-huge";
}

/** The page has not moved: its PMD becomes accessible, unless the attempt has changed it already. */
function* restoreAfterFailure(k: Kernel, row: PmdRow, head: Pfn, writable: boolean, look: Look): Path {
  const lock = pageTableLock(k, row);
  yield lock.acquire;
  const same = hintedHead(k, row) === head && movingPage(k, row, -1) < 0;
  if (same) restorePmd(k, row, writable);
  yield lock.release;
  if (same || k.behaviours.numaRules.accountChanged)
    account(k, look, k.geometry.pagesPerHuge, look.node, HINT.FAILED);
}

/** Carries out for one huge page what somebody has changed and not flushed yet. */
export function flushHuge(k: Kernel, { mm }: Vma, row: PmdRow): Op {
  const n = k.geometry.pagesPerHuge;
  return flushRange(k, mm, vpnOfRow(k.pt, row), n, "migrate", n);
}

export function restorePmd(k: Kernel, row: PmdRow, writable: boolean): void {
  const { flags } = k.pt.pmd;
  flags[row] = (flags[row]! & ~PTE.HINT) | PTE.YOUNG | (writable ? PTE.WRITE : 0);
}
