/**
 * Moving one base page to another frame: every entry that maps it is pointed at the copy.
 *
 *     isolated page, references = mappings + 1 ──▶ copy ──▶ PTEs rewritten, TLBs flushed ──▶ old frame freed
 *
 * Models:       mm/migrate.c migrate_pages() for an anonymous base page, v6.1.
 * Not modelled: migration entries (all entries change in one step; a page whose page-table locks are not all
 *               free fails instead of waiting), ten retries, huge pages, pages without rmap.
 */
import { C } from "../../core/counters.ts";
import type { Op } from "../../core/ops.ts";
import type { Pfn } from "../../core/units.ts";
import { assert } from "../../lib/assert.ts";
import { pageTableLock } from "../locks.ts";
import { switchFrame } from "../migration/switch-frame.ts";
import { FRAME } from "../mm/frames.ts";
import { mappingsOf, type RmapHit } from "../mm/rmap.ts";
import { lruAdd } from "../reclaim/lru.ts";
import { type Kernel, spend } from "../state.ts";
import { flushRange } from "../tlb/shootdown.ts";
import { noteCopied } from "../witness.ts";
import { putPage } from "./free.ts";

/** True if every entry of those mappings may be changed now: nobody holds their locks. */
export function locksFree(k: Kernel, hits: readonly RmapHit[]): boolean {
  for (const hit of hits) if (pageTableLock(k, hit.row).holder !== -1) return false;
  return true;
}

/** Whether nobody but the base page's mappings and its isolator refers to it. */
export function onlyMapped(k: Kernel, pfn: Pfn, hits: readonly RmapHit[]): boolean {
  return hits.length === k.frames.mapCount[pfn] && k.frames.refCount[pfn] === hits.length + 1;
}

/**
 * Moves an isolated base page to a free frame that belongs to nobody (no flags, no references). On success
 * the old frame is freed, the new one is in the LRU batch, and the TLB flushes to yield are pushed to `ops`.
 */
export function movePage(k: Kernel, from: Pfn, to: Pfn, ops: Op[]): boolean {
  const { frames, vmstat } = k;
  const hits = mappingsOf(k, from);
  if (!onlyMapped(k, from, hits) || (frames.flags[from]! & FRAME.LOCKED) !== 0 || !locksFree(k, hits)) {
    vmstat[C.pgmigrate_fail]! += 1;
    return false;
  }
  assert(frames.flags[to] === 0 && frames.refCount[to] === 0, "a page moves to a frame that nobody has");
  spend(k, k.costs.migratePageNs + k.costs.copyPageNs);
  noteCopied(k, from, to, 1);
  for (const hit of hits) ops.push(flushRange(k, hit.mm, hit.vpn, 1, "migrate"));
  switchFrame(k, from, to, hits);
  putPage(k, from);
  lruAdd(k, to);
  putPage(k, to);
  vmstat[C.pgmigrate_success]! += 1;
  return true;
}
