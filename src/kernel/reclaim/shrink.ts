/**
 * Scanning the LRU lists of a node: old pages of the active list move to the inactive one, old pages of the
 * inactive list are reclaimed.
 *
 *     active ─oldest 32─▶ inactive ─oldest 32─▶ used again? back · else swap or discard
 *
 * Models:       mm/vmscan.c get_scan_count(), shrink_lruvec(), shrink_inactive_list(), shrink_active_list(),
 *               inactive_is_low(), v6.1.
 * Not modelled: refault distances and the cost of each kind (anonymous memory has the weight vm.swappiness
 *               against lazily freed memory's 200 - swappiness), file lists, memcg.
 */
import { C } from "../../core/counters.ts";
import type { Op, Path } from "../../core/ops.ts";
import { GIB, type NodeId, PAGE_BYTES, type Pfn } from "../../core/units.ts";
import { intSqrt } from "../buddy/watermarks.ts";
import { FRAME } from "../mm/frames.ts";
import { type Kernel, spend } from "../state.ts";
import { lruDrain, lruIsolate, lruReturn } from "./lru.ts";
import { pagesOf } from "./lru-list.ts";
import { reclaimList } from "./reclaim-list.ts";
import { allMappings, clearYoung } from "./references.ts";
import { LRU_END, LRU_LIST } from "./state.ts";

/** Pages that one step looks at (SWAP_CLUSTER_MAX). */
export const SCAN_CLUSTER_PAGES = 32;
/** The first and gentlest priority: a list is scanned by its 4096th part. */
export const SCAN_PRIORITY_FIRST = 12;

/** One round of reclaim on one node. */
export interface Scan {
  readonly node: NodeId;
  readonly byKswapd: boolean;
  readonly targetPages: number;
  /** Swap may be used; kswapd leaves it alone while it only takes a boost away. */
  readonly maySwap: boolean;
  priority: number;
  scannedPages: number;
  freedPages: number;
}

/** Whether the inactive list is too short for the active one: more so the larger both are. */
export function inactiveIsLow(inactivePages: number, activePages: number): boolean {
  const gib = Math.floor(((inactivePages + activePages) * PAGE_BYTES) / GIB);
  return inactivePages * (gib > 0 ? intSqrt(10 * gib) : 1) < activePages;
}

/** Base pages to scan of each list at the scan's priority, indexed by LRU_LIST. */
export function scanTargets(k: Kernel, scan: Scan): number[] {
  const { sizePages } = k.lru.nodes[scan.node]!;
  const { swappiness } = k.tunables;
  const part = (list: number) => Math.floor(sizePages[list]! / 2 ** scan.priority);
  const lazy = part(LRU_LIST.LAZY);
  if (!scan.maySwap || k.swap.free === 0 || swappiness === 0) return [0, 0, lazy];
  // Plenty of memory that is free for the taking: swap nothing.
  if (lazy > 0 && scan.priority > 0) return [0, 0, lazy];
  const weight = scan.priority === 0 ? 1 : swappiness / 200;
  const anon = (list: number) => Math.ceil(part(list) * weight);
  return [anon(LRU_LIST.INACTIVE), anon(LRU_LIST.ACTIVE), lazy];
}

/** Scans the lists of a node at one priority until enough was freed. */
export function* shrinkLists(k: Kernel, scan: Scan): Path {
  const lru = k.lru.nodes[scan.node]!;
  const left = scanTargets(k, scan);
  const mayDeactivate = anonInactiveIsLow(k, scan.node);
  while (left[LRU_LIST.INACTIVE]! > 0 || left[LRU_LIST.LAZY]! > 0) {
    for (const list of [LRU_LIST.INACTIVE, LRU_LIST.ACTIVE, LRU_LIST.LAZY]) {
      if (left[list] === 0) continue;
      const pages = Math.min(left[list]!, SCAN_CLUSTER_PAGES);
      left[list]! -= pages;
      if (list === LRU_LIST.ACTIVE) {
        if (mayDeactivate) yield* shrinkActive(k, scan, pages);
      } else {
        yield* shrinkInactive(k, scan, list, pages);
      }
    }
    if (scan.freedPages >= scan.targetPages) break;
  }
  // Even when nothing was taken from them, the two lists are kept in proportion.
  if (k.swap.useCount.length > 0 && anonInactiveIsLow(k, scan.node) && lru.sizePages[LRU_LIST.ACTIVE]! > 0) {
    yield* shrinkActive(k, scan, SCAN_CLUSTER_PAGES);
  }
}

function anonInactiveIsLow(k: Kernel, node: NodeId): boolean {
  const { sizePages } = k.lru.nodes[node]!;
  return inactiveIsLow(sizePages[LRU_LIST.INACTIVE]!, sizePages[LRU_LIST.ACTIVE]!);
}

/** Isolates the oldest pages of a list, up to that many base pages (a huge page may exceed it). */
function isolateOldest(k: Kernel, scan: Scan, list: number, pages: number): Pfn[] {
  const { tails } = k.lru.nodes[scan.node]!;
  const taken: Pfn[] = [];
  for (let scanned = 0; scanned < pages && tails[list] !== LRU_END; ) {
    const pfn = tails[list]! as Pfn;
    scanned += pagesOf(k, pfn);
    lruIsolate(k, pfn);
    taken.push(pfn);
  }
  return taken;
}

function* shrinkInactive(k: Kernel, scan: Scan, list: number, pages: number): Path {
  const { lock } = k.lru.nodes[scan.node]!;
  lruDrain(k, k.cpu);
  yield lock.acquire;
  const taken = isolateOldest(k, scan, list, pages);
  yield lock.release;
  const scanned = taken.reduce((sum, pfn) => sum + pagesOf(k, pfn), 0);
  const ops: Op[] = [];
  const freed = reclaimList(k, taken, false, ops);
  for (const op of ops) yield op;
  scan.scannedPages += scanned;
  scan.freedPages += freed;
  k.vmstat[scan.byKswapd ? C.pgscan_kswapd : C.pgscan_direct]! += scanned;
  k.vmstat[scan.byKswapd ? C.pgsteal_kswapd : C.pgsteal_direct]! += freed;
}

/** The oldest active pages become inactive, used or not; their young bits start anew. */
function* shrinkActive(k: Kernel, scan: Scan, pages: number): Path {
  const { lock } = k.lru.nodes[scan.node]!;
  lruDrain(k, k.cpu);
  yield lock.acquire;
  const taken = isolateOldest(k, scan, LRU_LIST.ACTIVE, pages);
  yield lock.release;
  for (const pfn of taken) {
    const size = pagesOf(k, pfn);
    clearYoung(k, allMappings(k, pfn));
    spend(k, k.costs.reclaimPageNs);
    k.frames.flags[pfn]! &= ~FRAME.ACTIVE;
    k.vmstat[C.pgdeactivate]! += size;
    scan.scannedPages += size;
    lruReturn(k, pfn);
  }
}
