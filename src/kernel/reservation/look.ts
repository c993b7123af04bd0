/**
 * Looking reservations up: by region, by frame; and the accounts of their unused pages.
 *
 * Models:       khugepaged_find_reservation(), NR_THP_RESERVED of the 2018 RFC.
 * Not modelled: the hash table (a column answers the same).
 */
import { C } from "../../core/counters.ts";
import { asPmdRow, type Pfn, type PmdRow } from "../../core/units.ts";
import { nodeOfFrame } from "../buddy/state.ts";
import type { Kernel } from "../state.ts";
import type { NodeReservations } from "./state.ts";

/** The block reserved for a row's region, or -1. */
export function reservedBlock(k: Kernel, row: PmdRow): number {
  return k.reservations.live === 0 ? -1 : k.reservations.ofRow[row]! - 1;
}

/** True if the frame belongs to a reservation, which then holds a reference to it. */
export function isReserved(k: Kernel, pfn: number): boolean {
  return k.reservations.live > 0 && k.reservations.blocks.region[pfn >> k.geometry.hugeOrder]! > 0;
}

/** References that a reservation holds to a frame: 1 or 0. */
export function reservationHolds(k: Kernel, pfn: number): number {
  return isReserved(k, pfn) ? 1 : 0;
}

/** The region of a reserved block. */
export function regionOf(k: Kernel, block: number): PmdRow {
  return asPmdRow(k.reservations.blocks.region[block]! - 1);
}

/** First frame of a block. */
export function headOfBlock(k: Kernel, block: number): Pfn {
  return (block << k.geometry.hugeOrder) as Pfn;
}

/** Pages of a reservation that faults have taken. */
export function usedPages(k: Kernel, block: number): number {
  return k.geometry.pagesPerHuge - k.reservations.blocks.unused[block]!;
}

export function nodeReservations(k: Kernel, block: number): NodeReservations {
  return k.reservations.nodes[nodeOfFrame(k.buddy, headOfBlock(k, block))]!;
}

/** nr_thp_reserved of the block's node changed by `pages`. */
export function countReserved(k: Kernel, block: number, pages: number): void {
  nodeReservations(k, block).reservedPages += pages;
  k.vmstat[C.nr_thp_reserved]! += pages;
}

/** Puts a block at the end of its node's list: used just now. */
export function linkNewest(k: Kernel, block: number): void {
  const { next, prev } = k.reservations.blocks;
  const node = nodeReservations(k, block);
  next[block] = -1;
  prev[block] = node.last;
  if (node.last < 0) node.first = block;
  else next[node.last] = block;
  node.last = block;
  node.length += 1;
}

/** Takes a block off its node's list. */
export function unlink(k: Kernel, block: number): void {
  const { next, prev } = k.reservations.blocks;
  const node = nodeReservations(k, block);
  const before = prev[block]!;
  const after = next[block]!;
  if (before < 0) node.first = after;
  else next[before] = after;
  if (after < 0) node.last = before;
  else prev[after] = before;
  node.length -= 1;
}

/** The block is nobody's reservation any more; its frames keep their references. */
export function forget(k: Kernel, block: number): void {
  const { reservations } = k;
  unlink(k, block);
  reservations.ofRow[regionOf(k, block)] = 0;
  reservations.blocks.region[block] = 0;
  reservations.blocks.unused[block] = 0;
  reservations.live -= 1;
}
