/**
 * Direct reclaim: an allocation that found nothing frees memory itself before it tries again.
 *
 *     priority 12 ─▶ each node: LRU lists, shrinkers ─▶ 32 pages freed, or compaction could work? done
 *          ▲                                                            no │
 *          └────────────────────── one priority further, down to 0 ───────┘
 *
 * Models:       mm/vmscan.c try_to_free_pages(), do_try_to_free_pages(), shrink_zones(), shrink_node(),
 *               should_continue_reclaim(), compaction_ready(), v6.1.
 * Not modelled: throttling, memcg, cpusets, shrinkers other than those of the deferred split queue and of
 *               reservations.
 */
import { C } from "../../core/counters.ts";
import { EVENT } from "../../core/events.ts";
import type { Path } from "../../core/ops.ts";
import type { NodeId } from "../../core/units.ts";
import { GFP } from "../buddy/gfp.ts";
import type { Zone } from "../buddy/state.ts";
import { COMPACT, compactGapPages, compactionSuitable, isCostly } from "../buddy/suitable.ts";
import { watermarkOk } from "../buddy/watermarks.ts";
import { dropAllReservations, shrinkReservations } from "../reservation/pressure.ts";
import { emit, enter, type Kernel } from "../state.ts";
import { SCAN_CLUSTER_PAGES, SCAN_PRIORITY_FIRST, type Scan, shrinkLists } from "./shrink.ts";
import { shrinkDeferred } from "./shrink-deferred.ts";
import { LRU_LIST } from "./state.ts";

/** For a costly order reclaim stops once compaction has what it needs above the high watermark. */
function compactionReady(k: Kernel, zone: Zone, order: number): boolean {
  const suitable = compactionSuitable(k.buddy, zone, order, zone.minPages + zone.boostPages);
  if (suitable === COMPACT.SUCCESS) return true;
  if (suitable === COMPACT.SKIPPED) return false;
  return watermarkOk(k.buddy, zone, 0, zone.highPages + zone.boostPages + compactGapPages(order));
}

/** Pages of a node that reclaim could get at: without swap, lazily freed ones alone. */
export function reclaimablePages(k: Kernel, node: NodeId): number {
  const { sizePages } = k.lru.nodes[node]!;
  const anon = sizePages[LRU_LIST.INACTIVE]! + sizePages[LRU_LIST.ACTIVE]!;
  return sizePages[LRU_LIST.LAZY]! + (k.swap.free > 0 ? anon : 0);
}

/**
 * Whether a round for a high order goes on with the same priority: it makes progress, and compaction still
 * lacks memory.
 */
function continues(k: Kernel, scan: Scan, order: number, freedBefore: number): boolean {
  if (order === 0 || !(isCostly(k.buddy, order) || scan.priority < SCAN_PRIORITY_FIRST - 2)) return false;
  if (scan.freedPages === freedBefore) return false;
  for (const zone of k.buddy.nodes[scan.node]!.zones) {
    const suitable = compactionSuitable(k.buddy, zone, order, zone.minPages + zone.boostPages);
    if (suitable === COMPACT.SUCCESS || suitable === COMPACT.CONTINUE) return false;
  }
  const { sizePages } = k.lru.nodes[scan.node]!;
  const inactive = sizePages[LRU_LIST.LAZY]! + (k.swap.free > 0 ? sizePages[LRU_LIST.INACTIVE]! : 0);
  return inactive > compactGapPages(order);
}

/** Reclaims on one node at the scan's priority. */
export function* shrinkNode(k: Kernel, scan: Scan, order: number): Path {
  for (;;) {
    const freedBefore = scan.freedPages;
    yield* shrinkLists(k, scan);
    yield* shrinkDeferred(k, scan.node, scan.priority);
    if (k.reservations.live > 0) yield* shrinkReservations(k, scan.node, scan.priority);
    if (scan.freedPages > freedBefore) k.buddy.nodes[scan.node]!.kswapd.failures = 0;
    if (!continues(k, scan, order, freedBefore)) return;
  }
}

/** The nodes that a request may use, nearest first. */
function nodesOf(k: Kernel, node: NodeId, gfp: number): NodeId[] {
  if ((gfp & GFP.THISNODE) !== 0) return [node];
  return [...new Set(k.buddy.nodes[node]!.zonelist.map((zone) => zone.node))];
}

/** Frees memory for one allocation. Returns pages freed, or 1 if compaction may now work; 0: no progress. */
export function* directReclaim(k: Kernel, order: number, node: NodeId, gfp: number): Path<number> {
  enter(k, "try_to_free_pages");
  const startNs = k.nowNs;
  const dropped = k.reservations.live > 0 ? yield* dropAllReservations(k) : 0;
  if (dropped > 0) return dropped;
  const nodes = nodesOf(k, node, gfp);
  k.vmstat[(gfp & GFP.UNMOVABLE) !== 0 ? C.allocstall_normal : C.allocstall_movable]! += 1;
  let freed = 0;
  let scanned = 0;
  let ready = false;
  for (let priority = SCAN_PRIORITY_FIRST; priority >= 0; priority--) {
    for (const id of nodes) {
      const zones = k.buddy.nodes[id]!.zones;
      const enough = zones.filter((zone) => isCostly(k.buddy, order) && compactionReady(k, zone, order));
      if (enough.length > 0) ready = true;
      if (enough.length === zones.length) continue;
      const scan: Scan = {
        node: id,
        byKswapd: false,
        targetPages: SCAN_CLUSTER_PAGES - freed,
        maySwap: true,
        priority,
        scannedPages: 0,
        freedPages: 0,
      };
      yield* shrinkNode(k, scan, order);
      freed += scan.freedPages;
      scanned += scan.scannedPages;
    }
    if (freed >= SCAN_CLUSTER_PAGES || ready) break;
  }
  emit(k, EVENT.reclaim, node, scanned, freed, k.nowNs - startNs);
  return freed > 0 ? freed : ready ? 1 : 0;
}
