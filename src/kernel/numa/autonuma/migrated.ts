/**
 * knuma_migratedN: moves what is queued to node N, a batch every 100 ms.
 *
 *     round: one page from the tail of each other node's list ─▶ pin ▸ split ▸ off the queue ▸ isolate
 *     batch: rounds until 32768 pages, or none, or no room above the high watermark ─▶ migrate them all
 *
 * Models:       knuma_migrated(), knumad_do_migrate(), isolate_migratepages(), AutoNUMA 14 to 24.
 * Not modelled: waking kswapd where there is no room; too_many_isolated (the code has a note there);
 *               migration with waiting ("sync"): it is tried as often as the model's migration tries.
 */
import { C } from "../../../core/counters.ts";
import { type Op, type Path, PREEMPT, sleepOp } from "../../../core/ops.ts";
import { asPfn, MS_NS, type NodeId, type Pfn } from "../../../core/units.ts";
import { putPage } from "../../buddy/free.ts";
import { pageTableLock } from "../../locks.ts";
import { migrateIsolated } from "../../migration/migrate.ts";
import { hasRoom } from "../../migration/misplaced.ts";
import { FRAME } from "../../mm/frames.ts";
import { mappingCount, mappingsOf } from "../../mm/rmap.ts";
import { lruPutback } from "../../reclaim/lru.ts";
import { pagesOf } from "../../reclaim/lru-list.ts";
import type { Kernel } from "../../state.ts";
import { splitPage } from "../../thp/split.ts";
import { isolatePage } from "../early/isolate.ts";
import { autonuma, autonumaForm, KNOB, knobNumber } from "./of.ts";
import { dequeue, queuedTo } from "./queue.ts";

/** The daemon of a node: runs until its queue is empty; `wakeMigrator` starts it again. */
export function* knumaMigrated(k: Kernel, node: NodeId): Path {
  const queue = autonuma(k).queues[node]!;
  while (queue.pages > 0) {
    yield* migrateBatch(k, node);
    if (queue.pages === 0) break;
    yield sleepOp(knobNumber(k, KNOB.MIGRATE_SLEEP) * MS_NS);
  }
  queue.running = false;
}

/** One batch; at most a page of each other node beyond the limit. */
export function* migrateBatch(k: Kernel, node: NodeId): Path {
  const a = autonuma(k);
  const batch: Pfn[] = [];
  const limit = knobNumber(k, KNOB.PAGES_TO_MIGRATE);
  let isolated = 0;
  while (isolated < limit && hasRoom(k, node, isolated)) {
    const before = batch.length;
    for (let from = 0; from < k.machine.nodes; from++) {
      if (from !== node) yield* isolateOldest(k, node, from, batch);
    }
    if (batch.length === before) break;
    isolated = batch.length;
  }
  a.figures.isolatedPages += isolated;
  const posted = autonumaForm(k).counted === "isolated";
  if (posted) a.pagesMigrated += isolated;
  for (const pfn of batch) {
    const moved = yield* migrateIsolated(k, pfn, node);
    if (!moved) lruPutback(k, pfn);
    if (moved) k.vmstat[C.numa_pages_migrated]! += 1;
    if (moved && !posted) a.pagesMigrated += 1;
    if (moved) a.figures.movedPages += 1;
    else a.figures.failedPages += 1;
  }
}

/** The oldest page of one list, split if it is huge, comes off the queue and off the LRU. */
function* isolateOldest(k: Kernel, node: NodeId, from: number, batch: Pfn[]): Path {
  const a = autonuma(k);
  const { lock, lists } = a.queues[node]!;
  const list = lists[from]!;
  yield lock.acquire;
  const pfn = asPfn(list.values().next().value ?? -1);
  if (pfn < 0) {
    yield lock.release;
    return;
  }
  if (k.frames.refCount[pfn] === 0) {
    // It is being freed, which takes it off by itself: the next one's turn.
    list.delete(pfn);
    list.add(pfn);
    a.figures.rotatedPages += 1;
    yield lock.release;
    return;
  }
  k.frames.refCount[pfn]! += 1;
  yield lock.release;
  if ((k.frames.flags[pfn]! & FRAME.LRU) === 0) {
    yield* letGo(k, pfn);
    return;
  }
  if (pagesOf(k, pfn) > 1 && !(yield* splitQueued(k, pfn))) return;
  yield* dequeue(k, pfn);
  if (autonumaForm(k).reference === "before-isolation") {
    // From here on the page may be freed and become somebody else's.
    putPage(k, pfn);
    yield PREEMPT;
    if (k.frames.refCount[pfn]! > 0 && (yield* isolatePage(k, pfn))) batch.push(pfn);
    else a.figures.lostPages += 1;
    return;
  }
  const got = yield* isolatePage(k, pfn);
  putPage(k, pfn);
  if (got) batch.push(pfn);
  else a.figures.lostPages += 1;
}

/** Off the queue, and the migrator's reference goes. */
function* letGo(k: Kernel, pfn: Pfn): Path {
  yield* dequeue(k, pfn);
  putPage(k, pfn);
  autonuma(k).figures.lostPages += 1;
}

/** Splits a queued huge page. False: it was freed, or somebody else holds it, and it is let go. */
function* splitQueued(k: Kernel, head: Pfn): Path<boolean> {
  const first = mappingsOf(k, head)[0];
  if (first === undefined && mappingCount(k, head) === 0) {
    if (autonumaForm(k).splitFreed === "let-go") yield* letGo(k, head);
    return false;
  }
  const lock = first === undefined ? undefined : pageTableLock(k, first.row);
  if (lock !== undefined) yield lock.acquire;
  const ops: Op[] = [];
  const huge = (k.frames.flags[head]! & FRAME.HEAD) !== 0;
  const split = !huge || splitPage(k, head, head, ops);
  for (const op of ops) yield op;
  if (split && huge && autonumaForm(k).tail === "queued-first") yield* publishTails(k, head);
  if (lock !== undefined) yield lock.release;
  if (!split) yield* letGo(k, head);
  return split;
}

/** As posted first: each tail is on the list before its migrate_nid says so. */
export function* publishTails(k: Kernel, head: Pfn): Path {
  const a = autonuma(k);
  const nid = a.migrateNid![head]!;
  if (queuedTo(a, head) < 0) return;
  for (let i = 1; i < k.geometry.pagesPerHuge; i++) a.migrateNid![head + i] = 0;
  for (let i = 1; i < k.geometry.pagesPerHuge; i++) {
    yield PREEMPT;
    a.migrateNid![head + i] = nid;
  }
}
