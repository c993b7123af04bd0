/**
 * Hint faults on huge pages before 5.14: the page lock keeps others out, and a routine of its own copies the
 * page while the PMD stays a hint. No flush is needed: nobody could use the entry since the scanner's.
 *
 *     PMD lock ─▶ page locked by a mover? wait, try again
 *              ─▶ trylock page ─▶ stay: restore ─▶ account
 *                              ─▶ move: unlock PMD ─▶ lock: same? ─▶ copy routine ─▶ account
 *
 * Models:       mm/huge_memory.c do_huge_pmd_numa_page(), v5.12.
 * Not modelled: the anon_vma's lock (a split needs the page lock too); a page that somebody locks between the
 *               look at the PMD and the trylock (both happen in one step here).
 */
import { EVENT } from "../../core/events.ts";
import type { Path } from "../../core/ops.ts";
import { NO_NODE, type Pfn, type PmdRow } from "../../core/units.ts";
import { putPage } from "../buddy/free.ts";
import { pageTableLock } from "../locks.ts";
import { copyHuge } from "../migration/copy-huge.ts";
import { waitForMove } from "../migration/entries.ts";
import { isPageLocked, tryLockPage, unlockPage } from "../mm/page-lock.ts";
import { PTE } from "../mm/page-table.ts";
import type { Vma } from "../mm/vma.ts";
import { HINT } from "../numa/account.ts";
import { touchStack } from "../numa/stack.ts";
import { currentTask } from "../numa/state.ts";
import { emit, enter, type Kernel } from "../state.ts";
import { account, lookAtPage } from "./hint.ts";
import { flushHuge, restorePmd } from "./hint-huge.ts";
import { hintedHead } from "./hinted.ts";
import type { FaultOutcome } from "./outcome.ts";

/** Access to a huge page whose PMD is a hint. Enters without the lock. */
export function* faultHintHugeCopied(k: Kernel, vma: Vma, row: PmdRow): Path<FaultOutcome> {
  enter(k, "do_huge_pmd_numa_page");
  touchStack(k, currentTask(k));
  const pages = k.geometry.pagesPerHuge;
  const lock = pageTableLock(k, row);
  yield lock.acquire;
  const head = hintedHead(k, row);
  const locked = head >= 0 && isPageLocked(k, head);
  if (head < 0 || locked) {
    yield lock.release;
    if (locked) yield* waitForMove(k, head);
    return "retry";
  }
  const noGroup = (k.pt.pmd.flags[row]! & PTE.WRITE) === 0 ? HINT.NO_GROUP : 0;
  const got = yield* tryLockPage(k, head);
  const look = lookAtPage(k, vma, head, noGroup);
  if (!got || look.target === NO_NODE) {
    if (got) restorePmd(k, row, false);
    yield lock.release;
    if (got) yield* unlockPage(k, head);
    if (got) account(k, look, pages, look.node, 0);
    return got ? "hint-huge" : "retry";
  }
  k.frames.refCount[head]! += 1;
  yield lock.release;
  const moved = yield* moveLocked(k, vma, row, head, look.target);
  if (moved === undefined) return "hint-huge";
  account(k, look, pages, moved ? look.target : look.node, moved ? HINT.MIGRATED : HINT.FAILED);
  emit(k, EVENT.moveWindow, k.geometry.hugeOrder, moved ? 1 : 0, k.nowNs - look.sinceNs);
  return "hint-huge";
}

/** Looks again and copies; undefined if the PMD changed meanwhile. The page is unlocked afterwards. */
function* moveLocked(k: Kernel, vma: Vma, row: PmdRow, head: Pfn, to: number): Path<boolean | undefined> {
  const lock = pageTableLock(k, row);
  yield lock.acquire;
  const same = hintedHead(k, row) === head;
  const looks = k.behaviours.numaRules.flushPending !== "never";
  if (same && looks && vma.mm.flushesPending > 0) yield flushHuge(k, vma, row);
  yield lock.release;
  if (same) return yield* copyHuge(k, vma, row, head, to as never);
  yield* unlockPage(k, head);
  putPage(k, head);
  return undefined;
}
