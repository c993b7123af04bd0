/**
 * Moving one base page for the fault that found it misplaced, as it was done in 2012.
 *
 *     mapped once? ─▶ window? ─▶ room above the high watermark? ─▶ isolate ─▶ migrate_pages()
 *
 * Models:       mm/migrate.c migrate_misplaced_page(), numamigrate_isolate_page(), v3.8; numa/core without
 *               the window.
 * Not modelled: the two versions of the helper differ in who drops the caller's reference: for base pages
 *               nothing shows of that.
 */
import { C } from "../../../core/counters.ts";
import type { Path } from "../../../core/ops.ts";
import type { NodeId, Pfn } from "../../../core/units.ts";
import { putPage } from "../../buddy/free.ts";
import { migrateIsolated } from "../../migration/migrate.ts";
import { hasRoom } from "../../migration/misplaced.ts";
import { pageMapCount } from "../../mm/rmap.ts";
import { lruPutback } from "../../reclaim/lru.ts";
import { enter, type Kernel } from "../../state.ts";
import { isolatePage } from "./isolate.ts";
import { chargeWindow, windowPages } from "./rate-limit.ts";

export interface MoveRules {
  /** No more than the window of the target lets through. */
  readonly limited: boolean;
  readonly unsharedOnly: boolean;
}

/** The caller's reference on the page is used up. True if the page is on that node now. */
export function* moveBasePage(k: Kernel, pfn: Pfn, to: NodeId, rules: MoveRules): Path<boolean> {
  enter(k, "migrate_misplaced_page");
  const shared = rules.unsharedOnly && pageMapCount(k, pfn) !== 1;
  const refused = shared || (rules.limited && !chargeWindow(k, to, 1, windowPages(k) + 1));
  const isolated = !refused && hasRoom(k, to, 1) && (yield* isolatePage(k, pfn));
  putPage(k, pfn);
  if (!isolated) return false;
  const moved = yield* migrateIsolated(k, pfn, to);
  if (moved) k.vmstat[C.numa_pages_migrated]! += 1;
  else lruPutback(k, pfn);
  return moved;
}
