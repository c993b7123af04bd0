/**
 * Moving a huge page whole, before generic migration could: a copy by hand under the page lock, with the PMD
 * compared again before it is replaced.
 *
 *     mapped once? ▸ window ─▶ allocate ─▶ isolate ─▶ who else refers to it? ─▶ copy ─▶ lock ─▶ same PMD?
 *                                                          (F0–F4)                              └─▶ switch
 *
 * Who unlocks and who drops the caller's reference, by form:
 *
 *     failure before isolation    F0–F3: reference dropped here, page left locked     F4: unlock, then drop
 *     PMD changed after the copy  F0–F3: unlocked here, and success is claimed        F4: failure
 *
 * Models:       mm/migrate.c migrate_misplaced_transhuge_page(), numamigrate_isolate_page(), v3.8-rc1 (F0),
 *               the patches of 20 Dec, 7 Jan and 9 Jan (F1–F3), commit 340ef3902cf2 (F4); numa/core 22/31.
 * Not modelled: mlocked pages; the flags Active and Unevictable on their way to the copy and back.
 */

import { C } from "../../../core/counters.ts";
import { EVENT } from "../../../core/events.ts";
import { type Path, PREEMPT } from "../../../core/ops.ts";
import { asVpn, NO_FRAME, type NodeId, type Pfn, type PmdRow } from "../../../core/units.ts";
import { putPage } from "../../buddy/free.ts";
import { nodeOfFrame } from "../../buddy/state.ts";
import { hintedHead } from "../../fault/hinted.ts";
import { pageTableLock } from "../../locks.ts";
import { allocThere } from "../../migration/migrate.ts";
import { hasRoom } from "../../migration/misplaced.ts";
import { switchFrame } from "../../migration/switch-frame.ts";
import { FRAME } from "../../mm/frames.ts";
import { unlockPage } from "../../mm/page-lock.ts";
import { vpnOfRow } from "../../mm/page-table.ts";
import { mappingCount, mappingsOf } from "../../mm/rmap.ts";
import { lruAdd, lruPutback } from "../../reclaim/lru.ts";
import { emit, enter, type Kernel, spend } from "../../state.ts";
import { queueFromBirth } from "../../thp/deferred.ts";
import { noteCopied } from "../../witness.ts";
import { isolatePage } from "./isolate.ts";
import { chargeWindow, windowPages } from "./rate-limit.ts";

/** The form of the routine: 3.8's five, or numa/core's, which looks at nothing. */
export type HugeForm = "F0" | "F1" | "F2" | "F3" | "F4" | "numacore";

export interface HugeMove {
  readonly row: PmdRow;
  readonly head: Pfn;
  readonly to: NodeId;
  readonly form: HugeForm;
}

/**
 * What the routine came to. "failed": the page stays, and who unlocks it depends on the form; "claimed": the
 * PMD had changed, the page is unlocked and in place, and the caller is told of success.
 */
export type HugeMoved = "moved" | "claimed" | "failed";

/** The caller holds the page lock and a reference, the PMD is its hint. See above for who lets go of what. */
export function* moveHugePage(k: Kernel, move: HugeMove): Path<HugeMoved> {
  enter(k, "migrate_misplaced_transhuge_page");
  const { head, form } = move;
  const pages = k.geometry.pagesPerHuge;
  const target = allowed(k, move) ? yield* allocTarget(k, move) : NO_FRAME;
  if (target === NO_FRAME) return yield* giveUp(k, move, true);
  if (!(yield* isolate(k, move))) {
    if (form !== "numacore") k.vmstat[C.pgmigrate_fail]! += pages;
    putPage(k, target);
    // F0–F3: the isolation dropped the reference, whether it succeeded or not.
    return yield* giveUp(k, move, form === "F4");
  }
  if (!(yield* countAllows(k, move, target))) return "failed";
  spend(k, k.costs.migratePageNs + k.costs.copyHugeNs);
  noteCopied(k, head, target, pages);
  yield PREEMPT;
  const lock = pageTableLock(k, move.row);
  yield lock.acquire;
  if (hintedHead(k, move.row) !== head) {
    yield lock.release;
    return yield* undo(k, move, target);
  }
  replace(k, move, target);
  yield lock.release;
  yield* unlockPage(k, head);
  finish(k, move, target);
  return "moved";
}

/** Only pages of one address space, and no more than the target's window lets through. */
function allowed(k: Kernel, { head, to, form }: HugeMove): boolean {
  if (form === "numacore") return true;
  return mappingCount(k, head) === 1 && chargeWindow(k, to, k.geometry.pagesPerHuge, windowPages(k) + 1);
}

/** What is free on that node, without any effort. */
function* allocTarget(k: Kernel, { to, form }: HugeMove): Path<Pfn> {
  const target = yield* allocThere(k, true, to);
  if (target === NO_FRAME && form !== "numacore") k.vmstat[C.pgmigrate_fail]! += k.geometry.pagesPerHuge;
  return target;
}

/** Before anything was isolated. F4 unlocks; the others leave that to the caller. */
function* giveUp(k: Kernel, { head, form }: HugeMove, drop: boolean): Path<HugeMoved> {
  if (form === "F4") yield* unlockPage(k, head);
  if (drop) putPage(k, head);
  return "failed";
}

/** Off the LRU, with a reference of its own; the caller's goes. */
function* isolate(k: Kernel, { head, to, form }: HugeMove): Path<boolean> {
  if (form === "numacore") {
    // A page that is on no list is taken along all the same.
    if (yield* isolatePage(k, head)) uncount(k, head);
    else k.frames.refCount[head]! += 1;
    return true;
  }
  // The watermark is looked at for one page, whatever the size.
  const got = hasRoom(k, to, 1) && (yield* isolatePage(k, head));
  if (form !== "F4") {
    putPage(k, head);
    return got;
  }
  if (!got) return false;
  if (k.frames.refCount[head] !== 3) {
    lruPutback(k, head);
    return false;
  }
  putPage(k, head);
  return true;
}

/** numa/core knows no NR_ISOLATED. */
function uncount(k: Kernel, head: Pfn): void {
  k.vmstat[C.nr_isolated_anon]! -= k.geometry.pagesPerHuge;
  k.frames.flags[head]! &= ~FRAME.ISOLATED;
}

/** F1 to F3 look at the references here: a mapping and the isolation are expected. */
function* countAllows(k: Kernel, { head, form }: HugeMove, target: Pfn): Path<boolean> {
  const looks = form === "F1" || form === "F2" || form === "F3";
  if (!looks || k.frames.refCount[head] === 2) return true;
  const pages = k.geometry.pagesPerHuge;
  yield PREEMPT;
  putPage(k, target);
  k.vmstat[C.pgmigrate_fail]! += pages;
  // F1: nobody remembers that the page is isolated.
  if (form !== "F1") lruPutback(k, head);
  // F2: back on the list, but NR_ISOLATED still has it.
  if (form === "F2") k.vmstat[C.nr_isolated_anon]! += pages;
  return false;
}

/** The PMD changed while the page was copied: the copy goes. */
function* undo(k: Kernel, { head, form }: HugeMove, target: Pfn): Path<HugeMoved> {
  putPage(k, target);
  if (form === "numacore") {
    if ((k.frames.flags[head]! & (FRAME.LRU | FRAME.BATCHED)) === 0) recountAndPutBack(k, head);
    else putPage(k, head);
    putPage(k, head);
    return "failed";
  }
  yield* unlockPage(k, head);
  lruPutback(k, head);
  k.vmstat[C.pgmigrate_fail]! += k.geometry.pagesPerHuge;
  return form === "F4" ? "failed" : "claimed";
}

function recountAndPutBack(k: Kernel, head: Pfn): void {
  k.vmstat[C.nr_isolated_anon]! += k.geometry.pagesPerHuge;
  k.frames.flags[head]! |= FRAME.ISOLATED;
  lruPutback(k, head);
}

/** The PMD goes from hint to copy in one step. References that nobody expected stay with the old frame. */
function replace(k: Kernel, { row, head, to, form }: HugeMove, target: Pfn): void {
  const hits = mappingsOf(k, head).filter((hit) => hit.row === row);
  const from = nodeOfFrame(k.buddy, head);
  const left = k.frames.refCount[head]! - hits.length;
  switchFrame(k, head, target, hits);
  k.frames.refCount[head] = left;
  k.frames.refCount[target] = hits.length + 1;
  if (form !== "numacore") k.vmstat[C.pgmigrate_success]! += k.geometry.pagesPerHuge;
  k.vmstat[C.numa_pages_migrated]! += k.geometry.pagesPerHuge;
  emit(k, EVENT.migrate, asVpn(vpnOfRow(k.pt, row)), from, to, k.geometry.hugeOrder);
}

/** The copy goes to the LRU, the old page's references go. */
function finish(k: Kernel, { head, form }: HugeMove, target: Pfn): void {
  lruAdd(k, target);
  queueFromBirth(k, target);
  putPage(k, target);
  if ((k.frames.flags[head]! & FRAME.ISOLATED) !== 0) {
    k.vmstat[C.nr_isolated_anon]! -= k.geometry.pagesPerHuge;
    k.frames.flags[head]! &= ~FRAME.ISOLATED;
  }
  // The isolation's reference; numa/core's caller still holds its own.
  putPage(k, head);
  if (form === "numacore") putPage(k, head);
}
