/**
 * Moving the edges of areas: split an area at an address, merge neighbours. An edge that comes to lie inside
 * a region splits a huge PMD there.
 *
 * Models:       mm/mmap.c __split_vma(), __vma_adjust(), mm/huge_memory.c vma_adjust_trans_huge(), v6.1.
 * Not modelled: file areas' interval trees; the map count limit (sysctl_max_map_count).
 */
import type { Op } from "../../core/ops.ts";
import { NO_ROW, type Vpn } from "../../core/units.ts";
import { assert } from "../../lib/assert.ts";
import { releaseCut, releaseForArea } from "../reservation/release.ts";
import { faultsReserve } from "../reservation/reserve.ts";
import type { Kernel } from "../state.ts";
import { splitPmd } from "../thp/split.ts";
import type { Mm } from "./mm.ts";
import { findRow, PMD } from "./page-table.ts";
import { cloneAnonVmas, reinsertInAnonVmas, unlinkAnonVmas } from "./rmap.ts";
import { insertVma, mergeCandidates, removeVma, type Vma } from "./vma.ts";

/** Splits the huge PMD that an edge at `vpn` would cut, if its whole region lay inside the area. */
function splitPmdAtEdge(k: Kernel, vma: Vma, vpn: number, ops: Op[]): void {
  const n = k.geometry.pagesPerHuge;
  const first = vpn - (vpn % n);
  if (first === vpn || first < vma.start || first + n > vma.end) return;
  const row = findRow(k.pt, vma.mm.directory, vpn as Vpn);
  if (row === NO_ROW) return;
  const kind = k.pt.pmd.kind[row];
  if (kind === PMD.HUGE || kind === PMD.HUGE_ZERO) ops.push(splitPmd(k, vma.mm, row));
}

/**
 * Splits an area at `vpn`, strictly inside it: the given one keeps the lower part, the upper one is returned.
 */
export function splitVma(k: Kernel, vma: Vma, vpn: number, ops: Op[]): Vma {
  assert(vpn > vma.start && vpn < vma.end, "an area is split strictly inside");
  splitPmdAtEdge(k, vma, vpn, ops);
  releaseCut(k, vma.mm, vpn, "split");
  const upper: Vma = {
    mm: vma.mm,
    start: vpn as Vpn,
    end: vma.end,
    flags: vma.flags,
    pgoff: vma.pgoff + (vpn - vma.start),
    anonVma: undefined,
    chain: [],
    readAhead: vma.readAhead,
    shared: vma.shared,
    hasReservations: vma.hasReservations && faultsReserve(k),
  };
  if (upper.shared !== undefined) upper.shared.users += 1;
  cloneAnonVmas(upper, vma);
  vma.end = vpn as Vpn;
  reinsertInAnonVmas(vma);
  vma.mm.lastVma = undefined;
  insertVma(vma.mm, upper);
  releaseForArea(k, upper, upper.start, upper.end, "split");
  return upper;
}

/**
 * An edge of an area moves so that it takes in [start, end); the absorbed area, if any, has left the list.
 */
function extendVma(k: Kernel, vma: Vma, start: number, end: number, absorbed: Vma | undefined): void {
  if (absorbed !== undefined) {
    if (vma.anonVma === undefined && absorbed.anonVma !== undefined) cloneAnonVmas(vma, absorbed);
    unlinkAnonVmas(k, absorbed);
    if (absorbed.shared !== undefined) absorbed.shared.users -= 1;
    releaseForArea(k, vma, absorbed.start, absorbed.end, "merge");
  }
  if (start < vma.start) {
    vma.pgoff -= vma.start - start;
    vma.start = start as Vpn;
  }
  if (end > vma.end) vma.end = end as Vpn;
  reinsertInAnonVmas(vma);
  vma.mm.lastVma = undefined;
}

/** A new area, or one whose flags change, that its neighbours may take in. */
export interface NewShape {
  readonly start: number;
  readonly end: number;
  readonly flags: number;
  readonly pgoff: number;
}

/**
 * Lets neighbours take in memory that is in no area yet; `from` is the area whose pages will move there
 * (mremap). Returns the area that now holds it, or undefined.
 */
export function mergeNew(k: Kernel, mm: Mm, shape: NewShape, from?: Vma): Vma | undefined {
  const { prev, next } = mergeCandidates(mm, { ...shape, from });
  const target = prev ?? next;
  if (target !== undefined && from !== undefined) shareAnonVmas(target, from);
  if (prev !== undefined && next !== undefined) {
    removeVma(mm, next);
    extendVma(k, prev, prev.start, next.end, next);
    return prev;
  }
  if (prev !== undefined) {
    extendVma(k, prev, prev.start, shape.end, undefined);
    return prev;
  }
  if (next !== undefined) {
    extendVma(k, next, shape.start, next.end, undefined);
    return next;
  }
  return undefined;
}

/**
 * Gives the part [start, end) of an area other flags: merges it into a neighbour that has them, else splits
 * it off. Returns the area that holds the part now.
 */
export function changeFlags(k: Kernel, vma: Vma, start: number, end: number, flags: number, ops: Op[]): Vma {
  const mm = vma.mm;
  const pgoff = vma.pgoff + (start - vma.start);
  const { prev, next } = mergeCandidates(mm, { start, end, flags, pgoff, from: vma });
  const atStart = start === vma.start;
  const atEnd = end === vma.end;
  const intoPrev = atStart ? prev : undefined;
  const intoNext = atEnd ? next : undefined;
  if (intoPrev !== undefined && atEnd) {
    removeVma(mm, vma);
    if (intoNext !== undefined) removeVma(mm, intoNext);
    extendVma(k, intoPrev, intoPrev.start, end, vma);
    if (intoNext !== undefined) extendVma(k, intoPrev, intoPrev.start, intoNext.end, intoNext);
    return intoPrev;
  }
  if (intoNext !== undefined && atStart) {
    removeVma(mm, vma);
    extendVma(k, intoNext, start, intoNext.end, vma);
    return intoNext;
  }
  if (intoPrev !== undefined) return moveEdgeToPrev(k, intoPrev, vma, end, ops);
  if (intoNext !== undefined) return moveEdgeToNext(k, vma, intoNext, start, ops);
  if (!atStart) vma = splitVma(k, vma, start, ops);
  if (!atEnd) splitVma(k, vma, end, ops);
  vma.flags = flags;
  return vma;
}

/** The lower part of `vma` goes to the area before it. */
function moveEdgeToPrev(k: Kernel, prev: Vma, vma: Vma, edge: number, ops: Op[]): Vma {
  splitPmdAtEdge(k, vma, edge, ops);
  releaseCut(k, vma.mm, edge, "merge");
  releaseForArea(k, prev, vma.start, edge, "merge");
  shareAnonVmas(prev, vma);
  vma.pgoff += edge - vma.start;
  vma.start = edge as Vpn;
  extendVma(k, prev, prev.start, edge, undefined);
  reinsertInAnonVmas(vma);
  return prev;
}

/** The upper part of `vma` goes to the area behind it. */
function moveEdgeToNext(k: Kernel, vma: Vma, next: Vma, edge: number, ops: Op[]): Vma {
  splitPmdAtEdge(k, vma, edge, ops);
  releaseCut(k, vma.mm, edge, "merge");
  releaseForArea(k, next, edge, vma.end, "merge");
  shareAnonVmas(next, vma);
  vma.end = edge as Vpn;
  reinsertInAnonVmas(vma);
  extendVma(k, next, edge, next.end, undefined);
  return next;
}

/** An area that has grown up to the next one of its kind takes it in. */
export function joinNext(k: Kernel, mm: Mm, vma: Vma): void {
  const shape = { start: vma.start, end: vma.end, flags: vma.flags, pgoff: vma.pgoff, from: vma };
  const { next } = mergeCandidates(mm, shape);
  if (next === undefined) return;
  removeVma(mm, next);
  extendVma(k, vma, vma.start, next.end, next);
}

function shareAnonVmas(target: Vma, source: Vma): void {
  if (target.anonVma === undefined && source.anonVma !== undefined) cloneAnonVmas(target, source);
}
