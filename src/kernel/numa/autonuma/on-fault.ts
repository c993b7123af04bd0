/**
 * The later AutoNUMA: no queues, the faulting task moves the page itself, within a rate limit.
 *
 *     used from another node before, or never and that is not enough ─▶ false sharing: no move until the
 *         first fault of the next pass is over, wherever the page lies
 *     else ─▶ elsewhere? ▸ window? ▸ room? ▸ split a huge page ▸ isolate each page ▸ migrate
 *
 * Pages that were isolated count for the new node, whatever comes of their migration.
 *
 * Models:       autonuma_should_migrate_page(), autonuma_migrate_page(), AutoNUMA 27 and 28.
 * Not modelled: trace points.
 */
import { C } from "../../../core/counters.ts";
import type { Op, Path } from "../../../core/ops.ts";
import { asPfn, MS_NS, type NodeId, type Pfn } from "../../../core/units.ts";
import { putPage } from "../../buddy/free.ts";
import { nodeOfFrame } from "../../buddy/state.ts";
import { localNode } from "../../fault/node.ts";
import { pageTableLock } from "../../locks.ts";
import { migrateIsolated } from "../../migration/migrate.ts";
import { hasRoom } from "../../migration/misplaced.ts";
import { FRAME } from "../../mm/frames.ts";
import { mappingsOf } from "../../mm/rmap.ts";
import { lruPutback } from "../../reclaim/lru.ts";
import type { Kernel } from "../../state.ts";
import { splitPage } from "../../thp/split.ts";
import { isolatePage } from "../early/isolate.ts";
import { exchangeLast, LAST_NONE, lastUser } from "../early/last-nid.ts";
import { chargeWindow } from "../early/rate-limit.ts";
import type { EarlyTask } from "../early/state.ts";
import { autonuma, autonumaForm, KNOB, knobNumber, knobOr } from "./of.ts";

/** Moves the page here, if it may. The node that the fault counts for. Uses the caller's reference up. */
export function* migrateOnFault(k: Kernel, task: EarlyTask, pfn: Pfn, pages: number): Path<NodeId> {
  const here = localNode(k);
  const node = nodeOfFrame(k.buddy, pfn);
  if (!shouldMigrate(k, task, pfn, here, node, pages)) {
    putPage(k, pfn);
    return node;
  }
  const bases = pages === 1 ? [pfn] : yield* splitForMove(k, pfn);
  if (bases.length === 0) putPage(k, pfn);
  const a = autonuma(k);
  let isolated = 0;
  for (const base of bases) {
    const got = yield* isolatePage(k, base);
    // The fault's own reference would count as somebody else's.
    if (base === pfn) putPage(k, pfn);
    if (!got) {
      a.figures.lostPages += 1;
      continue;
    }
    isolated += 1;
    const moved = yield* migrateIsolated(k, base, here);
    if (!moved) lruPutback(k, base);
    if (moved) k.vmstat[C.numa_pages_migrated]! += 1;
    if (moved) a.figures.movedPages += 1;
    else a.figures.failedPages += 1;
  }
  a.figures.isolatedPages += isolated;
  a.pagesMigrated += isolated;
  return isolated > 0 ? here : node;
}

function shouldMigrate(
  k: Kernel,
  task: EarlyTask,
  pfn: Pfn,
  here: NodeId,
  node: NodeId,
  pages: number,
): boolean {
  const last = lastUser(k, pfn);
  if (last !== here) {
    exchangeLast(k, pfn, here);
    if (last !== LAST_NONE || knobOr(k, KNOB.FIRST_FAULT, 1) === 0) {
      task.falseSharing = autonumaForm(k).falseSharing === "stops-task";
      return false;
    }
  }
  if (task.falseSharing || node === here || (k.frames.flags[pfn]! & FRAME.LRU) === 0) return false;
  const windowNs = knobNumber(k, KNOB.MIGRATE_SLEEP) * MS_NS;
  return (
    chargeWindow(k, here, pages, knobNumber(k, KNOB.PAGES_TO_MIGRATE), windowNs) && hasRoom(k, here, pages)
  );
}

/** Only base pages can be migrated: the base pages of a huge one, or none if it cannot be split. */
function* splitForMove(k: Kernel, head: Pfn): Path<Pfn[]> {
  const first = mappingsOf(k, head)[0];
  if (first === undefined) return [];
  const lock = pageTableLock(k, first.row);
  yield lock.acquire;
  const ops: Op[] = [];
  const huge = (k.frames.flags[head]! & FRAME.HEAD) !== 0;
  const split = huge && splitPage(k, head, head, ops);
  for (const op of ops) yield op;
  yield lock.release;
  if (!split) return [];
  return Array.from({ length: k.geometry.pagesPerHuge }, (_, i) => asPfn(head + i));
}
