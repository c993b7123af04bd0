/**
 * Per-CPU lists: what most allocations and frees touch instead of the zone.
 *
 *     allocate ◀─ head [ … ] tail ◀─ refill (batch, in order of the free lists)
 *     free ─────▶ head [ … ] tail ─▶ returned to the zone when the lists hold `high` pages
 *
 * One list for each order 0–3 and type, and one for huge blocks, which a refill fills with two. Before 5.13
 * base pages alone, of a fixed `high`.
 *
 * Models:       mm/page_alloc.c rmqueue_pcplist(), rmqueue_bulk(), free_unref_page_commit(),
 *               free_pcppages_bulk(), v6.1; of base pages alone, v5.12.
 * Not modelled: 6.7's self-tuning `high`; the second huge list of later kernels.
 */
import { assert } from "../../lib/assert.ts";
import { FRAME, rowOfHuge } from "../mm/frames.ts";
import { takeBlock } from "./fallback.ts";
import { freeBlock } from "./lists.ts";
import { type Buddy, MIGRATE, NONE, PCP_TYPES, type Pcp, type Zone } from "./state.ts";

/** Which per-CPU list serves that order and type; NONE: the order goes to the zone directly. */
export function pcpList(b: Buddy, order: number, type: number): number {
  if (b.pcpHuge && order === b.geometry.hugeOrder) return PCP_TYPES * (b.pcpOrderMax + 1);
  return order <= b.pcpOrderMax ? order * PCP_TYPES + type : NONE;
}

/** Row of the links of a block on a list. */
export function pcpRow(b: Buddy, list: number, pfn: number): number {
  const huge = list === PCP_TYPES * (b.pcpOrderMax + 1);
  return huge ? rowOfHuge(b.frames, b.geometry.hugeOrder, pfn) : pfn;
}

function orderOfList(b: Buddy, list: number): number {
  return list === PCP_TYPES * (b.pcpOrderMax + 1) ? b.geometry.hugeOrder : Math.floor(list / PCP_TYPES);
}

function pushFrame(b: Buddy, pcp: Pcp, list: number, pfn: number, tail: boolean): void {
  const { next, prev, flags } = b.frames;
  const { heads, tails } = pcp;
  flags[pfn] = FRAME.PCP;
  const neighbour = tail ? tails[list]! : heads[list]!;
  const row = pcpRow(b, list, pfn);
  next[row] = tail ? NONE : neighbour;
  prev[row] = tail ? neighbour : NONE;
  if (neighbour === NONE) {
    heads[list] = pfn;
    tails[list] = pfn;
  } else if (tail) {
    next[pcpRow(b, list, neighbour)] = pfn;
    tails[list] = pfn;
  } else {
    prev[pcpRow(b, list, neighbour)] = pfn;
    heads[list] = pfn;
  }
  pcp.countPages += 1 << orderOfList(b, list);
}

/** Takes the first frame of a list, or the last. */
function popFrame(b: Buddy, pcp: Pcp, list: number, tail: boolean): number {
  const { next, prev, flags } = b.frames;
  const { heads, tails } = pcp;
  const pfn = (tail ? tails : heads)[list]!;
  const neighbour = (tail ? prev : next)[pcpRow(b, list, pfn)]!;
  (tail ? tails : heads)[list] = neighbour;
  if (neighbour === NONE) (tail ? heads : tails)[list] = NONE;
  else (tail ? next : prev)[pcpRow(b, list, neighbour)] = NONE;
  flags[pfn] = 0;
  pcp.countPages -= 1 << orderOfList(b, list);
  return pfn;
}

/** A block from the CPU's list, or NONE when the zone lock is needed. */
export function popPcp(b: Buddy, zone: Zone, cpu: number, order: number, type: number): number {
  const list = pcpList(b, order, type);
  if (list === NONE) return NONE;
  const pcp = zone.pcps[cpu]!;
  if (pcp.heads[list] === NONE) return NONE;
  pcp.freeFactor >>= 1;
  return popFrame(b, pcp, list, false);
}

/**
 * Blocks that one refill of that order takes: never fewer than two, unless the zone is too small to keep any.
 */
export function refillBlocks(pcp: Pcp, order: number): number {
  return pcp.batchPages > 1 ? Math.max(pcp.batchPages >> order, 2) : 1;
}

/**
 * Under the zone lock: refills the CPU's list, or takes straight from the zone; returns one block or NONE.
 */
export function takeFromZone(
  b: Buddy,
  zone: Zone,
  cpu: number,
  order: number,
  type: number,
  noFragment: boolean,
): number {
  const list = pcpList(b, order, type);
  if (list === NONE) return takeBlock(b, zone, order, type, noFragment);
  const pcp = zone.pcps[cpu]!;
  pcp.freeFactor >>= 1;
  for (let blocks = refillBlocks(pcp, order); blocks > 0; blocks--) {
    const pfn = takeBlock(b, zone, order, type, noFragment);
    if (pfn === NONE) break;
    pushFrame(b, pcp, list, pfn, true);
  }
  return pcp.heads[list] === NONE ? NONE : popFrame(b, pcp, list, false);
}

/** Frees a block to the CPU's list; a list that became too long gives some back to the zone. */
export function pushPcp(b: Buddy, zone: Zone, cpu: number, pfn: number, order: number): void {
  const blockType = b.blocks.migrateType[pfn >> b.geometry.hugeOrder]!;
  const list = pcpList(b, order, blockType === MIGRATE.HIGHATOMIC ? MIGRATE.MOVABLE : blockType);
  if (list === NONE) {
    freeBlock(b, zone, pfn, order, blockType);
    return;
  }
  const pcp = zone.pcps[cpu]!;
  pushFrame(b, pcp, list, pfn, false);
  // Frees of orders 1–3 that follow one another say that their user is done: nothing of it is kept.
  const freeAll = pcp.freeFactor > 0 && order > 0 && order <= b.pcpOrderMax;
  const highPages = freeAll
    ? 0
    : b.pcpHuge && zone.reclaiming > 0
      ? Math.min(pcp.batchPages << 2, pcp.highPages)
      : pcp.highPages;
  if (pcp.countPages < highPages) return;
  returnPages(b, zone, pcp, freeAll ? pcp.countPages : pagesToReturn(b, pcp, highPages), list);
}

function pagesToReturn(b: Buddy, pcp: Pcp, highPages: number): number {
  if (!b.pcpHuge) return pcp.batchPages;
  if (highPages < pcp.batchPages) return 1;
  const mostPages = highPages - pcp.batchPages;
  const scaled = pcp.batchPages << pcp.freeFactor;
  if (scaled < mostPages) pcp.freeFactor++;
  return Math.max(pcp.batchPages, Math.min(scaled, mostPages));
}

/** Gives pages back to the zone, oldest first, list by list, beginning with `firstList`. */
function returnPages(b: Buddy, zone: Zone, pcp: Pcp, pages: number, firstList: number): void {
  let left = Math.min(pages, pcp.countPages);
  let low = 0;
  let high = pcp.heads.length - 1;
  let list = firstList - 1;
  while (left > 0) {
    for (;;) {
      if (++list > high) list = low;
      if (pcp.heads[list] !== NONE) break;
      if (list === high) high--;
      if (list === low) low++;
    }
    const order = orderOfList(b, list);
    while (left > 0 && pcp.heads[list] !== NONE) {
      const pfn = popFrame(b, pcp, list, true);
      freeBlock(b, zone, pfn, order, typeForReturn(b, pfn, list));
      left -= 1 << order;
    }
  }
}

/** A block returns to the lists of the type under which its CPU kept it; huge ones to their pageblock's. */
function typeForReturn(b: Buddy, pfn: number, list: number): number {
  if (list === PCP_TYPES * (b.pcpOrderMax + 1)) return b.blocks.migrateType[pfn >> b.geometry.hugeOrder]!;
  return list % PCP_TYPES;
}

/** Empties the lists of one CPU for one zone. */
export function drainPcp(b: Buddy, zone: Zone, cpu: number): void {
  const pcp = zone.pcps[cpu]!;
  returnPages(b, zone, pcp, pcp.countPages, 0);
  assert(pcp.countPages === 0, "a drained per-CPU list is empty");
}

/** Empties the lists of every CPU. */
export function drainAllPcps(b: Buddy): void {
  for (const zone of b.zones) {
    for (let cpu = 0; cpu < zone.pcps.length; cpu++) drainPcp(b, zone, cpu);
  }
}
