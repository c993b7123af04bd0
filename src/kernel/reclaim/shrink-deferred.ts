/**
 * The shrinker of the deferred split queue: under pressure, huge pages that are mapped in part only are
 * split, and the rest of their memory becomes free. From 6.12 on, also those that were hardly ever touched.
 *
 * Models:       mm/huge_memory.c deferred_split_scan(), v6.1, thp_underused(), v6.12; mm/vmscan.c
 *               do_shrink_slab(), v6.1.
 * Not modelled: contents of pages beyond what `zero-pages.ts` knows; drop_caches; memcg queues; waiting for
 *               page-table locks (a huge page whose locks are not free goes to the end of the queue).
 */
import { C } from "../../core/counters.ts";
import type { Op, Path } from "../../core/ops.ts";
import type { NodeId, Pfn } from "../../core/units.ts";
import { putPage } from "../buddy/free.ts";
import { locksFree } from "../buddy/move-page.ts";
import { nodeOfFrame } from "../buddy/state.ts";
import { BLOCK } from "../mm/frames.ts";
import { holdsData } from "../mm/page-table.ts";
import { mappingsOf } from "../mm/rmap.ts";
import type { Kernel } from "../state.ts";
import { thpForget } from "../thp/deferred.ts";
import { splitPage } from "../thp/split.ts";
import { allMappings } from "./references.ts";

/** Objects of one call, and of the least amount of work that is worth one (SHRINK_BATCH). */
const BATCH_OBJECTS = 128;

/** How many queued huge pages one pass at that priority looks at; what is too little for a batch waits. */
export function objectsToScan(queued: number, waiting: number, priority: number): number {
  const wanted = Math.floor(waiting / 2 ** priority) + 2 * Math.floor(queued / 2 ** priority);
  return Math.min(wanted, 2 * queued);
}

/** Runs the shrinker of one node. Returns huge pages split. */
export function* shrinkDeferred(k: Kernel, node: NodeId, priority: number): Path<number> {
  const queued = k.thp.deferredLength[node]!;
  if (queued === 0) return 0;
  const lru = k.lru.nodes[node]!;
  const wanted = objectsToScan(queued, lru.shrinkWaiting, priority);
  const added = 2 * Math.floor(queued / 2 ** priority);
  let left = wanted;
  let scanned = 0;
  let split = 0;
  const ops: Op[] = [];
  while (left > 0 && (left >= BATCH_OBJECTS || left >= queued)) {
    const objects = Math.min(left, BATCH_OBJECTS);
    const heads = firstQueued(k, node, objects);
    for (const head of heads) if (splitQueued(k, head, ops)) split++;
    for (const op of ops) yield op;
    ops.length = 0;
    scanned += objects;
    left -= objects;
    if (k.thp.deferredLength[node] === 0) break;
  }
  lru.shrinkWaiting = Math.min(Math.max(lru.shrinkWaiting + added - scanned, 0), 2 * queued);
  return split;
}

/** The oldest queued huge pages. */
function firstQueued(k: Kernel, node: NodeId, objects: number): Pfn[] {
  const heads: Pfn[] = [];
  for (let block = k.thp.deferredFirst[node]!; block >= 0 && heads.length < objects; ) {
    heads.push((block << k.geometry.hugeOrder) as Pfn);
    block = k.blocks.deferredNext[block]!;
  }
  return heads;
}

/** Splits one queued huge page; one that cannot be split goes back to the end of the queue. */
function splitQueued(k: Kernel, head: Pfn, ops: Op[]): boolean {
  const block = head >> k.geometry.hugeOrder;
  const whole = k.behaviours.underusedShrinker && (k.blocks.flags[block]! & BLOCK.PARTIAL) === 0;
  if (whole && !isUnderused(k, head)) {
    thpForget(k, head);
    return false;
  }
  if (!locksFree(k, allMappings(k, head))) {
    moveToEnd(k, block);
    return false;
  }
  k.frames.refCount[head]! += 1;
  const split = splitPage(k, head, head, ops);
  if (split && whole) k.vmstat[C.thp_underused_split_page]! += 1;
  if (!split) moveToEnd(k, block);
  putPage(k, head);
  return split;
}

/** A huge page that could not be split is looked at again after all others. */
function moveToEnd(k: Kernel, block: number): void {
  const { blocks, thp } = k;
  const node = nodeOfFrame(k.buddy, block << k.geometry.hugeOrder);
  const next = blocks.deferredNext[block]!;
  const prev = blocks.deferredPrev[block]!;
  if (next < 0) return;
  if (prev < 0) thp.deferredFirst[node] = next;
  else blocks.deferredNext[prev] = next;
  blocks.deferredPrev[next] = prev;
  blocks.deferredNext[thp.deferredLast[node]!] = block;
  blocks.deferredPrev[block] = thp.deferredLast[node]!;
  blocks.deferredNext[block] = -1;
  thp.deferredLast[node] = block;
}

/** More base pages hold zeros than max_ptes_none allows. At 511 no page is underused. */
function isUnderused(k: Kernel, head: Pfn): boolean {
  const { pagesPerHuge } = k.geometry;
  const { maxPtesNone, shrinkUnderused } = k.tunables;
  if (!shrinkUnderused || maxPtesNone >= pagesPerHuge - 1) return false;
  const hit = mappingsOf(k, head).find((mapping) => mapping.huge);
  if (hit === undefined) return false;
  const first = hit.row * pagesPerHuge;
  let zeros = 0;
  for (let linear = first; linear < first + pagesPerHuge; linear++) {
    if (!holdsData(k.pt, linear)) zeros++;
  }
  return zeros > maxPtesNone;
}
