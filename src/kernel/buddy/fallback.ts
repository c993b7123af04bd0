/**
 * Taking a block of another migratetype when one's own lists are empty, and claiming its pageblock with it.
 *
 *     own lists empty ─▶ largest block of a fallback type ─▶ claim the pageblock?
 *                                  yes: its free pages change lists, maybe its type as well ◀─┤
 *                                  no: a block alone, the smallest that will do             ◀─┘
 *
 * Models:       mm/page_alloc.c __rmqueue(), __rmqueue_fallback(), steal_suitable_fallback(),
 *               boost_watermark(), v6.1.
 * Not modelled: CMA, highatomic reserves (the type exists, nothing makes such blocks).
 */
import { FRAME } from "../mm/frames.ts";
import { firstFree, linkFree, takeSmallest, unlinkFree } from "./lists.ts";
import { type Buddy, MIGRATE, NONE, type Zone } from "./state.ts";

/** Where each type looks when its own lists are empty, in order. */
const FALLBACKS: readonly (readonly number[])[] = [
  [MIGRATE.RECLAIMABLE, MIGRATE.UNMOVABLE], // movable
  [MIGRATE.RECLAIMABLE, MIGRATE.MOVABLE], // unmovable
  [MIGRATE.UNMOVABLE, MIGRATE.MOVABLE], // reclaimable
  [],
];

/** vm.watermark_boost_factor, in 1/10000 of the high watermark. */
const WATERMARK_BOOST_FACTOR = 15_000;

/** A block of that order and type; takes from other types if it must. NONE if the zone has none. */
export function takeBlock(b: Buddy, zone: Zone, order: number, type: number, noFragment: boolean): number {
  const own = takeSmallest(b, zone, order, type);
  if (own !== NONE) return own;
  return claimFallback(b, zone, order, type, noFragment) ? takeSmallest(b, zone, order, type) : NONE;
}

/** First type among the fallbacks that has a free block of exactly that order, or NONE. */
export function fallbackType(zone: Zone, order: number, type: number): number {
  if (zone.counts[order] === 0) return NONE;
  for (const other of FALLBACKS[type]!) {
    if (zone.heads[order * 4 + other] !== NONE) return other;
  }
  return NONE;
}

/** Whether a request of that type that found a block of that order may take the whole pageblock. */
export function mayClaim(b: Buddy, order: number, type: number): boolean {
  return order >= b.geometry.hugeOrder >> 1 || type !== MIGRATE.MOVABLE;
}

/** Moves a block of another type to the requester's lists. False if no other type has one either. */
function claimFallback(b: Buddy, zone: Zone, order: number, type: number, noFragment: boolean): boolean {
  const { hugeOrder, maxOrder } = b.geometry;
  const orderMin = noFragment && order < hugeOrder ? hugeOrder : order;
  for (let found = maxOrder; found >= orderMin; found--) {
    const other = fallbackType(zone, found, type);
    if (other === NONE) continue;
    const claim = mayClaim(b, found, type);
    // A movable request that may not have the whole block breaks up the smallest one it can find.
    if (!claim && type === MIGRATE.MOVABLE && found > order) return stealSmallest(b, zone, order, type);
    steal(b, zone, found, other, type, claim);
    return true;
  }
  return false;
}

function stealSmallest(b: Buddy, zone: Zone, order: number, type: number): boolean {
  for (let found = order; found <= b.geometry.maxOrder; found++) {
    const other = fallbackType(zone, found, type);
    if (other === NONE) continue;
    steal(b, zone, found, other, type, mayClaim(b, found, type));
    return true;
  }
  return false;
}

function steal(b: Buddy, zone: Zone, order: number, from: number, type: number, claim: boolean): void {
  const { hugeOrder, pagesPerHuge } = b.geometry;
  const pfn = firstFree(b, zone, order, from);
  const block = pfn >> hugeOrder;
  if (order >= hugeOrder) {
    for (let i = 0; i < 1 << (order - hugeOrder); i++) b.blocks.migrateType[block + i] = type;
  } else {
    boostWatermark(b, zone);
  }
  if (order >= hugeOrder || !claim) {
    unlinkFree(b, zone, pfn, order);
    linkFree(b, zone, pfn, order, type, true);
    return;
  }
  const oldType = b.blocks.migrateType[block]!;
  const { freePages, movablePages } = moveBlockToType(b, zone, block, type);
  const usedOtherPages = pagesPerHuge - freePages - movablePages;
  const unmovableAlike = oldType === MIGRATE.MOVABLE ? usedOtherPages : 0;
  const alikePages = type === MIGRATE.MOVABLE ? movablePages : unmovableAlike;
  if (freePages + alikePages >= pagesPerHuge >> 1) b.blocks.migrateType[block] = type;
}

/**
 * All free blocks of a pageblock change to the lists of one type. Counts its free pages and its movable ones.
 */
function moveBlockToType(b: Buddy, zone: Zone, block: number, type: number) {
  const { pagesPerHuge } = b.geometry;
  const end = Math.min((block + 1) * pagesPerHuge, zone.endPfn);
  let freePages = 0;
  let movablePages = 0;
  let pfn = Math.max(block * pagesPerHuge, zone.startPfn);
  while (pfn < end) {
    const flags = b.frames.flags[pfn]!;
    if ((flags & FRAME.BUDDY) !== 0) {
      const order = b.frames.anonVma[pfn]!;
      unlinkFree(b, zone, pfn, order);
      linkFree(b, zone, pfn, order, type, true);
      freePages += 1 << order;
      pfn += 1 << order;
    } else {
      if ((flags & FRAME.LRU) !== 0) movablePages++;
      pfn++;
    }
  }
  return { freePages, movablePages };
}

/**
 * Mixing types below pageblock size raises the zone's watermarks, so that kswapd frees whole blocks in time.
 */
function boostWatermark(b: Buddy, zone: Zone): void {
  const { pagesPerHuge } = b.geometry;
  if (!b.avoidsFragmentation) return;
  if (pagesPerHuge * 4 > zone.managedPages) return;
  const limitPages = Math.floor((zone.highPages * WATERMARK_BOOST_FACTOR) / 10_000);
  if (limitPages === 0) return;
  zone.boostPages = Math.min(zone.boostPages + pagesPerHuge, Math.max(limitPages, pagesPerHuge));
  zone.boosted = true;
}
