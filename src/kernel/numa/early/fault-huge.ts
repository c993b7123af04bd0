/**
 * A hint fault on a huge page, in the order of 2012: the page lock serialises migrations, and the PMD stays a
 * hint until the page has moved or was refused.
 *
 *     lock PMD ▸ same? ▸ +1 ▸ misplaced? ─ no ─▶ restore, account
 *                                │ yes
 *                  unlock ▸ lock page (may sleep) ▸ lock PMD ▸ same? ▸ unlock ─▶ move ─▶ account
 *                                                                    └─ failed: lock ▸ same? restore
 *
 * Models:       mm/huge_memory.c do_huge_pmd_numa_page(), v3.8 (F0–F3) and 340ef3902cf2 (F4); the same of
 *               numa/core 22/31.
 * Not modelled: 3.8 reads an uninitialised `migrated` where the page is not misplaced: false here.
 */

import type { Path } from "../../../core/ops.ts";
import { NO_NODE, type NodeId, type Pfn, type PmdRow } from "../../../core/units.ts";
import { putPage } from "../../buddy/free.ts";
import { hintedHead } from "../../fault/hinted.ts";
import type { FaultOutcome } from "../../fault/outcome.ts";
import { pageTableLock } from "../../locks.ts";
import { tryLockPage, unlockPage, waitForPage } from "../../mm/page-lock.ts";
import { enter, type Kernel } from "../../state.ts";
import { countHint, lockHinted, unmarkPmd } from "./hint.ts";
import { type HugeForm, moveHugePage } from "./move-huge.ts";

/** What the designs do differently. */
export interface HugeFault {
  readonly form: HugeForm;
  /** Flags that a restored entry loses with its hint. */
  readonly lost: number;
  /** Where the page should be, or NO_NODE. Under the lock. */
  readonly misplaced: (head: Pfn) => NodeId;
  /** Tells the task's statistics: pages on a node, moved there or not. */
  readonly account: (node: NodeId, pages: number, moved: boolean) => void;
}

/** Access to a huge page whose PMD is a hint. Enters without the lock. */
export function* faultHugeEarly(k: Kernel, row: PmdRow, of: HugeFault): Path<FaultOutcome> {
  enter(k, "do_huge_pmd_numa_page");
  const pages = k.geometry.pagesPerHuge;
  const lock = pageTableLock(k, row);
  const head = yield* lockHinted(k, row, -1);
  if (head < 0) return "retry";
  k.frames.refCount[head]! += 1;
  const node = countHint(k, head);
  const to = of.misplaced(head);
  if (to === NO_NODE) {
    putPage(k, head);
    unmarkPmd(k, row, of.lost);
    yield lock.release;
    of.account(node, pages, false);
    return "hint-huge";
  }
  yield lock.release;
  yield* lockPage(k, head);
  yield lock.acquire;
  if (hintedHead(k, row) !== head) {
    yield* unlockPage(k, head);
    putPage(k, head);
    yield lock.release;
    of.account(node, pages, false);
    return "hint-huge";
  }
  yield lock.release;
  const moved = yield* moveHugePage(k, { row, head, to, form: of.form });
  if (moved !== "failed") {
    of.account(to, pages, true);
    return "hint-huge";
  }
  return yield* restoreAfterFailure(k, row, head, node, of);
}

/** lock_page(): sleeps until the page is its own. */
function* lockPage(k: Kernel, head: Pfn): Path {
  while (!(yield* tryLockPage(k, head))) yield* waitForPage(k, head);
}

/** The page stays. All forms but F4 come here with the page still locked. */
function* restoreAfterFailure(
  k: Kernel,
  row: PmdRow,
  head: Pfn,
  node: NodeId,
  of: HugeFault,
): Path<FaultOutcome> {
  const lock = pageTableLock(k, row);
  yield lock.acquire;
  if (hintedHead(k, row) === head) unmarkPmd(k, row, of.lost);
  if (of.form !== "F4") yield* unlockPage(k, head);
  yield lock.release;
  of.account(node, k.geometry.pagesPerHuge, false);
  return "hint-huge";
}
