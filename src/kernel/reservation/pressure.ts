/**
 * What memory pressure does to reservations.
 *
 *     as posted:    a shrinker walks the node's list, oldest use first; a reservation whose mm is busy (its
 *                   mmap lock is held by anybody, the reclaiming fault itself included) is passed over
 *     as reviewed:  at the first sign (kswapd begins to work, or a task reclaims) all of them are dropped;
 *                   kcompactd is woken to clean up, and looks again at the blocks that it passed over
 *
 * Models:       thp_lru_free_reservation(), thp_resvs_shrink_scan() of the 2018 RFC on v4.19; mm/vmscan.c
 *               do_shrink_slab(), v4.20.
 * Not modelled: memory cgroups; drop_caches.
 */
import { C } from "../../core/counters.ts";
import { type Lock, type Path, PREEMPT } from "../../core/ops.ts";
import type { NodeId } from "../../core/units.ts";
import { resetSkips } from "../buddy/compact.ts";
import { wakeKcompactd } from "../buddy/kswapd-wake.ts";
import { ENTRIES_PER_TABLE } from "../mm/page-table.ts";
import { objectsToScan } from "../reclaim/shrink-deferred.ts";
import type { Kernel } from "../state.ts";
import { regionOf } from "./look.ts";
import { release } from "./release.ts";

/** Objects of one call of the shrinker (SHRINK_BATCH). */
const BATCH_OBJECTS = 128;
/** Reservations that are dropped before another CPU may run. */
const DROPPED_AT_ONCE = 32;

function isFree(lock: Lock): boolean {
  return lock.holder === -1 && lock.readers === 0;
}

/** Whether the shrinker gets the locks that it tries for. */
function canRelease(k: Kernel, block: number): boolean {
  const mm = k.mms[k.pt.pmdTables.mm[(regionOf(k, block) / ENTRIES_PER_TABLE) | 0]!];
  return mm !== undefined && mm.users > 0 && isFree(mm.mmapLock);
}

/** The posted shrinker, for one node at one priority of reclaim. Returns reservations released. */
export function* shrinkReservations(k: Kernel, node: NodeId, priority: number): Path<number> {
  if (k.behaviours.reservations !== "posted") return 0;
  const list = k.reservations.nodes[node]!;
  const queued = list.length;
  if (queued === 0) return 0;
  let left = objectsToScan(queued, list.shrinkWaiting, priority);
  const added = 2 * Math.floor(queued / 2 ** priority);
  let scanned = 0;
  let released = 0;
  while (left > 0 && (left >= BATCH_OBJECTS || left >= queued) && list.length > 0) {
    const objects = Math.min(left, BATCH_OBJECTS);
    released += walkList(k, node, objects);
    scanned += objects;
    left -= objects;
    yield PREEMPT;
  }
  list.shrinkWaiting = Math.min(Math.max(list.shrinkWaiting + added - scanned, 0), 2 * queued);
  return released;
}

/** Looks at the oldest reservations of a node and releases those whose locks are free. */
function walkList(k: Kernel, node: NodeId, objects: number): number {
  const { next } = k.reservations.blocks;
  let released = 0;
  let block = k.reservations.nodes[node]!.first;
  for (let looked = 0; looked < objects && block >= 0; looked++) {
    const after = next[block]!;
    if (canRelease(k, block)) {
      release(k, block, "pressure");
      released++;
    }
    block = after;
  }
  return released;
}

/**
 * The reviewed answer to pressure: every reservation of every process goes, and kcompactd cleans up. Returns
 * pages freed.
 */
export function* dropAllReservations(k: Kernel): Path<number> {
  if (k.behaviours.reservations !== "reviewed") return 0;
  let freedPages = 0;
  for (const { id, zones } of k.buddy.nodes) {
    const list = k.reservations.nodes[id]!;
    if (list.length === 0) continue;
    // Compaction has learned to pass reserved blocks over; from now on their pages can move.
    for (const zone of zones) resetSkips(k, zone);
    wakeKcompactd(k, id, k.geometry.hugeOrder);
    for (let left = list.length; left > 0 && list.first >= 0; left--) {
      freedPages += release(k, list.first, "pressure");
      k.vmstat[C.thp_res_dropped]! += 1;
      if (left % DROPPED_AT_ONCE === 0) yield PREEMPT;
    }
  }
  return freedPages;
}
