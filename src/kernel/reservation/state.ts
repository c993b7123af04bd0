/**
 * Reservations of huge pages: a block held for one region, of which only touched pages are mapped.
 *
 *     region (PMD row)   s . . s . . . .      used: mapped by a PTE, at its own offset
 *                        │     │
 *     block of frames    ■ □ □ ■ □ □ □ □      □ unused: held by the reservation alone
 *
 * A reservation is exactly one pageblock, and is its row in these columns. Each frame of the block has one
 * reference of the reservation; a used frame has one more for each mapping.
 *
 * Models:       struct thp_reservation, struct thp_resvs of the RFC "mm: thp: implement THP reservations for
 *               anonymous memory" (November 2018) on v4.19; one container for each mm as its review asked.
 * Not modelled: the containers' locks (what they guard changes in single steps), the descriptors' memory (so
 *               that a descriptor is always on the node of its block, whichever list the posted code means).
 */
import { type Columns, makeTable, type Table } from "../../core/table.ts";
import type { Behaviours } from "../behaviours.ts";
import type { MachineSpec } from "../machine.ts";

/** One row a pageblock. */
export const RESERVATION_COLUMNS = {
  /** PMD row of the region that the block is reserved for, plus 1; 0: not reserved. */
  region: Int32Array,
  /** Pages that no fault has taken since the reservation was made. */
  unused: Uint16Array,
  /** Neighbours on the node's list, oldest use first; blocks, -1 ends. */
  next: Int32Array,
  prev: Int32Array,
} as const satisfies Columns;

/** Reservations of one node, in order of last use. */
export interface NodeReservations {
  first: number;
  last: number;
  length: number;
  /** Unused pages of all of them, as the kernel has counted them: nr_thp_reserved of the node. */
  reservedPages: number;
  /** Reservations that the shrinker still owes a look, too few so far for a batch. */
  shrinkWaiting: number;
}

export interface Reservations {
  readonly blocks: Table<typeof RESERVATION_COLUMNS>;
  /**
   * By PMD row: the block reserved for its region, plus 1; 0: none. Empty in kernels without reservations.
   */
  readonly ofRow: Int32Array;
  readonly nodes: readonly NodeReservations[];
  /** Reservations that exist. */
  live: number;
}

export function makeReservations(
  machine: MachineSpec,
  behaviours: Behaviours,
  blocks: number,
  rows: number,
): Reservations {
  const none = behaviours.reservations === "none";
  return {
    blocks: makeTable(RESERVATION_COLUMNS, none ? 0 : blocks),
    ofRow: new Int32Array(none ? 0 : rows),
    nodes: Array.from({ length: machine.nodes }, () => ({
      first: -1,
      last: -1,
      length: 0,
      reservedPages: 0,
      shrinkWaiting: 0,
    })),
    live: 0,
  };
}
