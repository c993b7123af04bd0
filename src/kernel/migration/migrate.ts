/**
 * Moving one isolated page to another node: up to ten tries, none of them with more effort than taking what
 * is free.
 *
 *     allocate there ─▶ lock entries ─▶ nobody else refers to it? ─▶ copy ─▶ entries to the copy ─▶ LRU
 *          │ none: give up                     │ no: entries become accessible again, next try
 *
 * A page that was refused for its references has been unmapped and mapped again: it is no hint any more, so
 * each further try of a base page must flush; a huge page is flushed on every try.
 *
 * Models:       mm/migrate.c migrate_pages(), unmap_and_move(), alloc_misplaced_dst_page(); mm/rmap.c
 *               try_to_migrate_one(), v6.1 (from 6.1.116 on).
 * Not modelled: migration entries (whoever faults meanwhile waits for the page-table lock instead), the page
 *               lock, writeback, FOLL_PIN's look at the PMD, stacks that exec is still setting up.
 */
import { C } from "../../core/counters.ts";
import { EVENT } from "../../core/events.ts";
import type { Path } from "../../core/ops.ts";
import { asVpn, NO_FRAME, type NodeId, type Pfn } from "../../core/units.ts";
import { allocFast, allocPages } from "../buddy/alloc.ts";
import { putPage } from "../buddy/free.ts";
import { GFP } from "../buddy/gfp.ts";
import { nodeOfFrame } from "../buddy/state.ts";
import { makeCompound } from "../fault/huge.ts";
import { pageTableLock } from "../locks.ts";
import { FRAME } from "../mm/frames.ts";
import { PTE, vpnOfRow } from "../mm/page-table.ts";
import { mappingsOf, type RmapHit } from "../mm/rmap.ts";
import { lruAdd, lruDrain } from "../reclaim/lru.ts";
import { pagesOf } from "../reclaim/lru-list.ts";
import { releaseOfFrame } from "../reservation/release.ts";
import { emit, type Kernel, spend } from "../state.ts";
import { queueFromBirth } from "../thp/deferred.ts";
import { flushRange } from "../tlb/shootdown.ts";
import { accessible, switchFrame } from "./switch-frame.ts";

const TRIES_MAX = 10;

type Try = "moved" | "again" | "no-memory";

/**
 * Moves an isolated page (the head of a huge one) to a node, for the fault that found it misplaced. True if
 * it has moved, and the mover's reference is gone; else the caller still has it isolated.
 */
export function* migrateIsolated(k: Kernel, head: Pfn, to: NodeId): Path<boolean> {
  const pages = pagesOf(k, head);
  const huge = pages > 1;
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
  const moved = result === "moved";
  k.vmstat[moved ? C.pgmigrate_success : C.pgmigrate_fail]! += pages;
  if (huge) k.vmstat[moved ? C.thp_migration_success : C.thp_migration_fail]! += 1;
  return moved;
}

function* allocThere(k: Kernel, huge: boolean, node: NodeId): Path<Pfn> {
  const order = huge ? k.geometry.hugeOrder : 0;
  const gfp = GFP.THISNODE | GFP.NORETRY;
  let pfn = allocFast(k, order, node, gfp);
  if (pfn === NO_FRAME) pfn = yield* allocPages(k, order, node, gfp);
  if (pfn !== NO_FRAME && huge) makeCompound(k, pfn);
  return pfn;
}

/** One try, with a target of its own. */
function* tryMove(k: Kernel, head: Pfn, node: NodeId): Path<Try> {
  const { frames } = k;
  const huge = (frames.flags[head]! & FRAME.HEAD) !== 0;
  const target = yield* allocThere(k, huge, node);
  if (target === NO_FRAME) return "no-memory";
  const first = mappingsOf(k, head)[0];
  const lock = first === undefined ? undefined : pageTableLock(k, first.row);
  if (lock !== undefined) yield lock.acquire;
  const hits = mappingsOf(k, head);
  // The first lock is ours; a page in several tables moves only while the others are free.
  const otherHeld = hits.some(
    ({ row }) => pageTableLock(k, row) !== lock && pageTableLock(k, row).holder !== -1,
  );
  const mapped = huge ? k.blocks.hugeMapCount[head >> k.geometry.hugeOrder]! : frames.mapCount[head]!;
  let result: Try = "again";
  if (hits.length > 0 && hits.length === mapped && !otherHeld && (frames.flags[head]! & FRAME.LOCKED) === 0) {
    for (const hit of hits) yield* unmapFor(k, hit);
    releaseOfFrame(k, head, "migrate");
    if (frames.refCount[head] === hits.length + 1) {
      move(k, head, target, hits, node);
      result = "moved";
    }
  }
  if (lock !== undefined) yield lock.release;
  if (result !== "moved") putPage(k, target);
  return result;
}

/** What unmapping one entry flushes; afterwards it is accessible, whatever becomes of the try. */
function* unmapFor(k: Kernel, hit: RmapHit): Path {
  const { mm, vpn, row, huge, pte } = hit;
  const { pt, geometry } = k;
  const n = geometry.pagesPerHuge;
  if (huge) {
    pt.pmd.flags[row] = accessible(pt.pmd.flags[row]!, hit);
    yield flushRange(k, mm, vpnOfRow(pt, row), n, "migrate", n);
    return;
  }
  if ((pt.pteFlags[pte]! & PTE.HINT) === 0) yield flushRange(k, mm, asVpn(vpn), 1, "migrate");
  pt.pteFlags[pte] = accessible(pt.pteFlags[pte]!, hit);
}

/** Copies the page and puts the copy in its place. */
function move(k: Kernel, head: Pfn, target: Pfn, hits: readonly RmapHit[], node: NodeId): void {
  const huge = (k.frames.flags[head]! & FRAME.HEAD) !== 0;
  const from = nodeOfFrame(k.buddy, head);
  spend(k, k.costs.migratePageNs + (huge ? k.costs.copyHugeNs : k.costs.copyPageNs));
  switchFrame(k, head, target, hits);
  putPage(k, head);
  lruAdd(k, target);
  lruDrain(k, k.cpu);
  if (huge) queueFromBirth(k, target);
  putPage(k, target);
  emit(k, EVENT.migrate, hits[0]!.vpn, from, node, huge ? k.geometry.hugeOrder : 0);
}
