/**
 * Where mmap puts a mapping whose address is left to the kernel: from the top down, in the highest gap that
 * holds it.
 *
 *     bottom ░░░░░░░[###]░░░░░░░░░░[####]░░░[######] top          ░ free, # occupied
 *                        └────────┴ new mapping: at the upper end of the highest gap that is large enough
 *
 * Kernel and re-layout of traces share this. All numbers are of one unit (bytes or pages), whichever the
 * caller has.
 *
 * Models:       mm/mmap.c arch_get_unmapped_area_topdown(), v6.1; mm/huge_memory.c thp_get_unmapped_area()
 *               and its callers for anonymous memory, v6.7 and v6.13.
 * Not modelled: the bottom-up fall-back when nothing is free below the top, guard gaps of growing stacks,
 *               colouring.
 */
import { assert } from "../lib/assert.ts";

/** How a kernel aligns mappings: see `Behaviours.mmapAlignment`. */
export type PlacementAlignment = "page" | "huge-if-large" | "huge-if-multiple";

/** Occupied ranges, ascending, not overlapping: range i is [starts[i], ends[i]), for i < count. */
export interface OccupiedRanges {
  readonly starts: ArrayLike<number>;
  readonly ends: ArrayLike<number>;
  readonly count: number;
}

export interface PlacementRequest {
  readonly length: number;
  /** Nothing is placed below this. */
  readonly bottom: number;
  /** mmap_base: nothing is placed at or above this. */
  readonly top: number;
  readonly alignment: PlacementAlignment;
  /** Size of a huge page, in the same unit. */
  readonly hugeSize: number;
}

/** Nothing fits: ENOMEM. */
export const NO_PLACE = -1;

/**
 * The lowest address of the new mapping, or NO_PLACE.
 *
 * A mapping that is to be aligned needs a gap of its length plus a huge page, and takes the highest aligned
 * place in it; without such a gap it is placed as if unaligned.
 */
export function placeTopDown(occupied: OccupiedRanges, request: PlacementRequest): number {
  const { length, hugeSize } = request;
  assert(length > 0, "a mapping has a length");
  if (wantsHugeAlignment(length, hugeSize, request.alignment)) {
    const gapEnd = highestGapEnd(occupied, length + hugeSize, request.bottom, request.top);
    if (gapEnd !== NO_PLACE) {
      const highest = gapEnd - length;
      return highest - (highest % hugeSize);
    }
  }
  const gapEnd = highestGapEnd(occupied, length, request.bottom, request.top);
  return gapEnd === NO_PLACE ? NO_PLACE : gapEnd - length;
}

/** Whether a kernel with that rule aligns an anonymous mapping of that length. */
export function wantsHugeAlignment(length: number, hugeSize: number, alignment: PlacementAlignment): boolean {
  if (alignment === "page" || length < hugeSize) return false;
  return alignment === "huge-if-large" || length % hugeSize === 0;
}

/** The upper end of the highest gap of at least `size` in [bottom, top), or NO_PLACE. */
function highestGapEnd(occupied: OccupiedRanges, size: number, bottom: number, top: number): number {
  let gapEnd = top;
  for (let i = firstAtOrAbove(occupied, top) - 1; i >= 0; i--) {
    const end = occupied.ends[i]!;
    if (gapEnd - Math.max(end, bottom) >= size) return gapEnd;
    gapEnd = Math.min(gapEnd, occupied.starts[i]!);
    if (gapEnd - bottom < size) return NO_PLACE;
  }
  return gapEnd - bottom >= size ? gapEnd : NO_PLACE;
}

/** Index of the first range that starts at or above the address; `count` when there is none. */
function firstAtOrAbove(occupied: OccupiedRanges, address: number): number {
  let low = 0;
  let high = occupied.count;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (occupied.starts[middle]! < address) low = middle + 1;
    else high = middle;
  }
  return low;
}
