/**
 * A hint fault found a page on the wrong node: bring it here, if that can be had cheaply.
 *
 *     mapped once? ─▶ room above the high watermark? ─▶ isolate ─▶ migrate ─▶ moved
 *          └─ no ──────────┴─ no ──────────────────────┴─ on no list: no counter tells of it
 *
 * Models:       mm/migrate.c migrate_misplaced_page(), numamigrate_isolate_page(),
 *               migrate_balanced_pgdat(), v6.1; migrate_misplaced_folio_prepare(), v6.12.
 * Not modelled: executable pages of shared files (files are not modelled), tiering (which would wake kswapd).
 */
import { C } from "../../core/counters.ts";
import type { MoveFailure } from "../../core/events.ts";
import type { Path } from "../../core/ops.ts";
import type { NodeId, Pfn } from "../../core/units.ts";
import { putPage } from "../buddy/free.ts";
import { nodeOfFrame } from "../buddy/state.ts";
import { watermarkOk } from "../buddy/watermarks.ts";
import { FRAME } from "../mm/frames.ts";
import { mappingCount } from "../mm/rmap.ts";
import { lruIsolate, lruPutback } from "../reclaim/lru.ts";
import { pagesOf } from "../reclaim/lru-list.ts";
import { enter, type Kernel } from "../state.ts";
import { failed, migrateIsolated } from "./migrate.ts";

/** The caller's reference on the page is used up. True if the page is on that node now. */
export function* migrateMisplaced(k: Kernel, head: Pfn, to: NodeId): Path<boolean> {
  enter(k, "migrate_misplaced_page");
  const isolated = yield* isolateForMove(k, head, to);
  if (!isolated) {
    putPage(k, head);
    return false;
  }
  putPage(k, head);
  return yield* moveIsolated(k, head, to);
}

/** Moves a page that the caller has isolated; puts it back if it stays. */
export function* moveIsolated(k: Kernel, head: Pfn, to: NodeId): Path<boolean> {
  const pages = pagesOf(k, head);
  const moved = yield* migrateIsolated(k, head, to);
  if (moved) k.vmstat[C.numa_pages_migrated]! += pages;
  else lruPutback(k, head);
  return moved;
}

/** Takes the page off its list if it may move: refusals here are silent. */
export function* isolateForMove(k: Kernel, head: Pfn, to: NodeId): Path<boolean> {
  let refusal = whyNotHere(k, head, to);
  if (refusal === undefined) {
    const { lock } = k.lru.nodes[nodeOfFrame(k.buddy, head)]!;
    yield lock.acquire;
    const isolated = lruIsolate(k, head);
    yield lock.release;
    if (isolated) return true;
    refusal = "not-isolated";
  }
  failed(k, head, to, refusal);
  return false;
}

function whyNotHere(k: Kernel, head: Pfn, to: NodeId): MoveFailure | undefined {
  const flags = k.frames.flags[head]!;
  const pages = pagesOf(k, head);
  const lazy = (flags & FRAME.SWAPBACKED) === 0;
  if (lazy && (flags & FRAME.DIRTY) !== 0) return "refused";
  if (pages > 1 && k.behaviours.numaRules.refuseSharedHuge && mappingCount(k, head) > 1) return "refused";
  return hasRoom(k, to, pages) ? undefined : "no-room";
}

/** Some zone of the node would stay above its high watermark. */
export function hasRoom(k: Kernel, node: NodeId, pages: number): boolean {
  return k.buddy.nodes[node]!.zones.some(
    (zone) =>
      zone.managedPages > 0 && watermarkOk(k.buddy, zone, 0, zone.highPages + zone.boostPages + pages),
  );
}
