/**
 * Moving one isolated page to another node: up to ten tries, none of them with more effort than taking what
 * is free.
 *
 *     allocate there ─▶ page lock ─▶ migration entries ─▶ nobody else refers to it? ─▶ copy ─▶ entries ─▶ LRU
 *          │ none: give up  │ held: next try                   │ no: entries accessible again, next try
 *
 * Whoever faults between unmapping and the new entries waits for the page lock. A page that was refused for
 * its references has been unmapped and mapped again: it is no hint any more, so each further try of a base
 * page must flush; a huge page is flushed on every try.
 *
 * Models:       mm/migrate.c migrate_pages(), unmap_and_move(), alloc_misplaced_dst_page(), v6.1 (from
 *               6.1.116 on).
 * Not modelled: writeback; the anon_vma's lock; a destination's page lock (nobody knows the page yet).
 */
import { C } from "../../core/counters.ts";
import { EVENT, MOVE_FAILURES, type MoveFailure } from "../../core/events.ts";
import type { Path } from "../../core/ops.ts";
import { NO_FRAME, type NodeId, type Pfn } from "../../core/units.ts";
import { allocFast, allocPages } from "../buddy/alloc.ts";
import { putPage } from "../buddy/free.ts";
import { GFP } from "../buddy/gfp.ts";
import { nodeOfFrame } from "../buddy/state.ts";
import { makeCompound } from "../fault/huge.ts";
import { FRAME } from "../mm/frames.ts";
import { tryLockPage, unlockPage } from "../mm/page-lock.ts";
import { mappingCount, mappingsOf } from "../mm/rmap.ts";
import { lruAdd, lruDrain } from "../reclaim/lru.ts";
import { pagesOf } from "../reclaim/lru-list.ts";
import { releaseOfFrame } from "../reservation/release.ts";
import { emit, type Kernel, spend } from "../state.ts";
import { queueFromBirth } from "../thp/deferred.ts";
import { noteCopied } from "../witness.ts";
import { settleMove, unmapForMove } from "./entries.ts";

const TRIES_MAX = 10;

type Try = "moved" | "again" | "no-memory";

/**
 * Moves an isolated page (the head of a huge one) to a node, for the fault that found it misplaced. True if
 * it has moved, and the mover's reference is gone; else the caller still has it isolated.
 */
export function* migrateIsolated(k: Kernel, head: Pfn, to: NodeId): Path<boolean> {
  const pages = pagesOf(k, head);
  let result: Try = "again";
  for (let tries = 0; tries < TRIES_MAX && result === "again"; tries++) {
    if (k.frames.refCount[head] === 1) {
      // Its owner let it go since it was isolated: as good as moved.
      putPage(k, head);
      result = "moved";
    } else {
      result = yield* tryMove(k, head, to);
    }
  }
  countOutcome(k, pages, result);
  if (result !== "moved") failed(k, head, to, result === "again" ? "busy" : "no-memory");
  return result === "moved";
}

/** What the counters say of it; kernels differ about huge pages that did not move. */
function countOutcome(k: Kernel, pages: number, result: Try): void {
  const { vmstat } = k;
  const { failedHuge, countsNoMemory } = k.behaviours.numaRules;
  if (result === "moved") {
    vmstat[C.pgmigrate_success]! += pages;
    if (pages > 1) vmstat[C.thp_migration_success]! += 1;
    return;
  }
  vmstat[C.pgmigrate_fail]! += failedHuge === "pages" ? pages : 1;
  if (pages > 1 && (result === "again" || countsNoMemory)) vmstat[C.thp_migration_fail]! += 1;
}

/** Tells that a page did not move, and why. */
export function failed(k: Kernel, head: Pfn, to: NodeId, why: MoveFailure): void {
  const order = pagesOf(k, head) > 1 ? k.geometry.hugeOrder : 0;
  emit(k, EVENT.migrateFailed, nodeOfFrame(k.buddy, head), to, order, MOVE_FAILURES.indexOf(why));
}

/** A frame of that node, or the head of a huge page there: what is free, without any effort. */
export function* allocThere(k: Kernel, huge: boolean, node: NodeId): Path<Pfn> {
  const order = huge ? k.geometry.hugeOrder : 0;
  const gfp = GFP.THISNODE | GFP.NORETRY;
  let pfn = allocFast(k, order, node, gfp);
  if (pfn === NO_FRAME) pfn = yield* allocPages(k, order, node, gfp);
  if (pfn !== NO_FRAME && huge) makeCompound(k, pfn);
  return pfn;
}

/** One try, with a target of its own. */
function* tryMove(k: Kernel, head: Pfn, node: NodeId): Path<Try> {
  const huge = (k.frames.flags[head]! & FRAME.HEAD) !== 0;
  const target = yield* allocThere(k, huge, node);
  if (target === NO_FRAME) return "no-memory";
  if (!(yield* tryLockPage(k, head))) {
    putPage(k, target);
    return "again";
  }
  const startNs = k.nowNs;
  const vpn = mappingsOf(k, head)[0]?.vpn ?? 0;
  const from = nodeOfFrame(k.buddy, head);
  const unmapped = yield* unmapForMove(k, head);
  releaseOfFrame(k, head, "migrate");
  const alone = unmapped && k.frames.refCount[head] === mappingCount(k, head) + 1;
  if (alone) {
    spend(k, k.costs.migratePageNs + (huge ? k.costs.copyHugeNs : k.costs.copyPageNs));
    noteCopied(k, head, target, huge ? k.geometry.pagesPerHuge : 1);
  }
  yield* settleMove(k, head, alone ? target : head);
  yield* unlockPage(k, head);
  if (!huge && k.behaviours.numaRules.restorePte === "before-moving")
    emit(k, EVENT.moveWindow, 0, alone ? 1 : 0, k.nowNs - startNs);
  if (!alone) {
    putPage(k, target);
    return "again";
  }
  finishMove(k, head, target);
  emit(k, EVENT.migrate, vpn, from, node, huge ? k.geometry.hugeOrder : 0);
  return "moved";
}

/** The old frame goes; the new one joins the LRU at once, and is its mappings' alone. */
export function finishMove(k: Kernel, head: Pfn, target: Pfn): void {
  const huge = (k.frames.flags[target]! & FRAME.HEAD) !== 0;
  putPage(k, head);
  lruAdd(k, target);
  lruDrain(k, k.cpu);
  if (huge) queueFromBirth(k, target);
  putPage(k, target);
}
