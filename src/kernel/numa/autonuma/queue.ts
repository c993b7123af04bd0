/**
 * The queues of pages that wait to move: one for each target node, with a list for each source.
 *
 *     enqueue ─▶ head of list[source] ───────────────────▶ tail ─▶ knuma_migratedN
 *        compound lock of the page ▸ lock of the queue       a page is on one list at most
 *
 * Models:       __autonuma_migrate_page_add(), __autonuma_migrate_page_remove(),
 *               autonuma_migrate_split_huge_page(), autonuma_free_page(), AutoNUMA 14 to 24.
 * Not modelled: interrupts off. The path that frees or moves a page takes it off its list in one step,
 *               without the locks.
 */
import type { Path } from "../../../core/ops.ts";
import { asPfn, type NodeId, type Pfn } from "../../../core/units.ts";
import { nodeOfFrame } from "../../buddy/state.ts";
import { pagesOf } from "../../reclaim/lru-list.ts";
import type { Kernel } from "../../state.ts";
import { autonuma, autonumaForm, KNOB, knobNumber } from "./of.ts";
import { type AutonumaState, compoundLock } from "./state.ts";

/** The node that a page waits for, or −1. */
export function queuedTo(a: AutonumaState, pfn: number): number {
  return a.migrateNid === undefined ? -1 : a.migrateNid[pfn]! - 1;
}

/** Links a page into the list of its source; under the queue's lock. */
function link(k: Kernel, a: AutonumaState, pfn: number, to: number, from: number): void {
  a.migrateNid ??= new Uint8Array(k.frames.rows);
  a.queuedFrom ??= new Uint8Array(k.frames.rows);
  a.queues[to]!.lists[from]!.add(pfn);
  a.queuedFrom[pfn] = from;
}

/** Takes a page off its list; under the queue's lock. What is not queued is left alone. */
function unlink(k: Kernel, a: AutonumaState, pfn: number): void {
  const to = queuedTo(a, pfn);
  if (to < 0) return;
  const queue = a.queues[to]!;
  queue.lists[a.queuedFrom![pfn]!]!.delete(pfn);
  queue.pages -= pagesOf(k, asPfn(pfn));
  a.migrateNid![pfn] = 0;
}

/**
 * Queues a page (a head) to a node. The caller has seen it on `from`: posted, that is not looked at again
 * under the lock.
 */
export function* enqueue(k: Kernel, pfn: Pfn, to: NodeId, from: NodeId): Path {
  const a = autonuma(k);
  const lock = compoundLock(a, pfn);
  yield lock.acquire;
  const stale = k.frames.refCount[pfn] === 0 || nodeOfFrame(k.buddy, pfn) !== from;
  if (autonumaForm(k).enqueue === "before-lock" || !stale) yield* enqueueLocked(k, a, pfn, to, from);
  yield lock.release;
}

function* enqueueLocked(k: Kernel, a: AutonumaState, pfn: Pfn, to: NodeId, from: NodeId): Path {
  const before = queuedTo(a, pfn);
  if (before >= 0) {
    yield a.queues[before]!.lock.acquire;
    unlink(k, a, pfn);
    yield a.queues[before]!.lock.release;
  }
  const queue = a.queues[to]!;
  const pages = pagesOf(k, pfn);
  yield queue.lock.acquire;
  link(k, a, pfn, to, from);
  queue.pages += pages;
  a.migrateNid![pfn] = to + 1;
  yield queue.lock.release;
  a.figures.queuedPages += pages;
  if (queue.pages > a.figures.queuePeakPages) a.figures.queuePeakPages = queue.pages;
  const limit = knobNumber(k, KNOB.PAGES_TO_MIGRATE);
  const crossed = queue.pages >= limit && queue.pages - pages < limit;
  if (crossed && knobNumber(k, KNOB.DEFER) === 0) wakeMigrator(a, to);
}

/** Takes a page off whatever list it is on. */
export function* dequeue(k: Kernel, pfn: Pfn): Path {
  const a = autonuma(k);
  const lock = compoundLock(a, pfn);
  yield lock.acquire;
  const to = queuedTo(a, pfn);
  if (to >= 0) {
    yield a.queues[to]!.lock.acquire;
    unlink(k, a, pfn);
    yield a.queues[to]!.lock.release;
  }
  yield lock.release;
}

/** A migrator that has nothing to do starts again. */
export function wakeMigrator(a: AutonumaState, node: number): void {
  const queue = a.queues[node]!;
  if (queue.running || queue.pages === 0 || a.onWake === undefined) return;
  queue.running = true;
  a.onWake(node);
}

/** The page was freed, or lives in another frame now. */
export function forgetQueued(k: Kernel, pfn: number): void {
  const a = k.numa.early?.autonuma;
  if (a?.migrateNid !== undefined) unlink(k, a, pfn);
}

/** A queued huge page became base pages: its tails stand beside it, and are already counted. */
export function queueTails(k: Kernel, head: number, pages: number): void {
  const a = k.numa.early?.autonuma;
  if (a?.migrateNid === undefined) return;
  const to = queuedTo(a, head);
  if (to < 0) return;
  for (let pfn = head + 1; pfn < head + pages; pfn++) {
    link(k, a, pfn, to, a.queuedFrom![head]!);
    a.migrateNid[pfn] = to + 1;
  }
}

/** What is wrong with the queues, in words; undefined if nothing is. */
export function wrongQueue(k: Kernel): string | undefined {
  const a = k.numa.early?.autonuma;
  if (a === undefined) return undefined;
  for (const [node, queue] of a.queues.entries()) {
    let pages = 0;
    for (const [from, list] of queue.lists.entries()) {
      for (const pfn of list) {
        pages += pagesOf(k, asPfn(pfn));
        if (queuedTo(a, pfn) !== node || a.queuedFrom![pfn] !== from)
          return `frame ${pfn} is on node ${node}'s list from ${from}, but waits for ${queuedTo(a, pfn)}`;
        if (k.frames.refCount[pfn] === 0) return `frame ${pfn} is free and waits on node ${node}'s list`;
        if (nodeOfFrame(k.buddy, asPfn(pfn)) !== from)
          return `frame ${pfn} waits on node ${node}'s list from ${from} and is not there`;
      }
    }
    if (pages !== queue.pages) return `node ${node}'s queue counts ${queue.pages} pages and holds ${pages}`;
  }
  const twice = a.list.find((each, at) => a.list.indexOf(each) !== at);
  if (twice !== undefined) return `mm ${twice.mm.id} is on knuma_scand's list twice`;
  const missing = [...a.mms.values()].find((each) => each.listed && !a.list.includes(each));
  return missing === undefined ? undefined : `mm ${missing.mm.id} should be on knuma_scand's list`;
}
