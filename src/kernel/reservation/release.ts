/**
 * Releasing reservations: unused pages become free, used ones stay with their mappings.
 *
 *     zap · swap-out · migration of a used page · copy on write by the parent ──▶ the region's reservation
 *     an area's edge comes to lie inside a region                             ──▶ that region's
 *     mremap, and moves into areas that cannot have any                       ──▶ the range's
 *
 * Where the posted code moves reservations from area to area, nothing has to be done here: they are found by
 * address.
 *
 * Models:       khugepaged_free_reservation(), khugepaged_release_reservation(), the callers in mm/memory.c,
 *               mm/rmap.c, mm/mmap.c, mm/mremap.c of the 2018 RFC on v4.19; what its review wanted instead.
 * Not modelled: nothing beyond what `state.ts` leaves out.
 */
import { EVENT, RELEASE_CAUSES, type ReleaseCause } from "../../core/events.ts";
import { asPfn, asVpn, NO_ROW, type PmdRow } from "../../core/units.ts";
import { putPage } from "../buddy/free.ts";
import type { Mm } from "../mm/mm.ts";
import { ENTRIES_PER_TABLE, findRow, vpnOfRow } from "../mm/page-table.ts";
import { nextUsedRow } from "../mm/tables.ts";
import type { Vma } from "../mm/vma.ts";
import { emit, type Kernel, spend } from "../state.ts";
import { countReserved, forget, headOfBlock, regionOf, reservedBlock } from "./look.ts";

/** Releases the reservation of a block; returns the pages that became free. */
export function release(k: Kernel, block: number, cause: ReleaseCause): number {
  const row = regionOf(k, block);
  const unused = k.reservations.blocks.unused[block]!;
  const head = headOfBlock(k, block);
  const mmId = k.pt.pmdTables.mm[(row / ENTRIES_PER_TABLE) | 0]!;
  countReserved(k, block, -unused);
  emit(k, EVENT.release, mmId, vpnOfRow(k.pt, row), unused, RELEASE_CAUSES.indexOf(cause));
  forget(k, block);
  for (let i = 0; i < k.geometry.pagesPerHuge; i++) putPage(k, asPfn(head + i));
  spend(k, unused * k.costs.allocPageNs);
  return unused;
}

/** Releases the reservation of a row's region, if it has one. */
export function releaseRow(k: Kernel, row: PmdRow, cause: ReleaseCause): void {
  const block = reservedBlock(k, row);
  if (block >= 0) release(k, block, cause);
}

/** Releases the reservation that a frame belongs to, if it does. */
export function releaseOfFrame(k: Kernel, pfn: number, cause: ReleaseCause): void {
  if (k.reservations.live === 0) return;
  const block = pfn >> k.geometry.hugeOrder;
  if (k.reservations.blocks.region[block]! > 0) release(k, block, cause);
}

/** Releases the reservations of every region that overlaps [start, end). */
export function releaseRange(k: Kernel, mm: Mm, start: number, end: number, cause: ReleaseCause): void {
  if (k.reservations.live === 0) return;
  for (let row = nextUsedRow(k, mm, start, end); row !== NO_ROW; ) {
    const behind = vpnOfRow(k.pt, row) + k.geometry.pagesPerHuge;
    releaseRow(k, row, cause);
    row = nextUsedRow(k, mm, behind, end);
  }
}

/** An edge of an area comes to lie at `vpn`: a reservation that it would cut is released. */
export function releaseCut(k: Kernel, mm: Mm, vpn: number, cause: ReleaseCause): void {
  if (k.reservations.live === 0 || vpn % k.geometry.pagesPerHuge === 0) return;
  const row = findRow(k.pt, mm.directory, asVpn(vpn));
  if (row !== NO_ROW) releaseRow(k, row, cause);
}

/** [start, end) goes over to `target`, which in the posted code may be an area without a container. */
export function releaseForArea(
  k: Kernel,
  target: Vma,
  start: number,
  end: number,
  cause: ReleaseCause,
): void {
  if (k.behaviours.reservations !== "posted" || target.hasReservations) return;
  releaseRange(k, target.mm, start, end, cause);
}

/**
 * Before [start, end) moves to `to`, in `target`: what cannot move along is released. The reviewed design
 * moves nothing.
 */
export function releaseForMove(k: Kernel, target: Vma, start: number, end: number, to: number): void {
  if (k.reservations.live === 0) return;
  const n = k.geometry.pagesPerHuge;
  const movable = k.behaviours.reservations === "posted" && target.hasReservations && (to - start) % n === 0;
  if (!movable) {
    releaseRange(k, target.mm, start, end, "remap");
    return;
  }
  releaseCut(k, target.mm, start, "remap");
  releaseCut(k, target.mm, end, "remap");
}

/** A region's table moved to another row as a whole: its reservation moves along. */
export function moveReservation(k: Kernel, from: PmdRow, to: PmdRow): void {
  const block = reservedBlock(k, from);
  if (block < 0) return;
  k.reservations.ofRow[from] = 0;
  k.reservations.ofRow[to] = block + 1;
  k.reservations.blocks.region[block] = to + 1;
}
