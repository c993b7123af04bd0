/**
 * What references leave behind beside their translations: counts, pages that were touched, time.
 */
import { addTouched } from "../kernel/mm/mm.ts";
import { noteOnlyRead, type PageTables, PMD } from "../kernel/mm/page-table.ts";
import type { Kernel } from "../kernel/state.ts";

/**
 * Counts references that missed the first level. Every reference is counted as a first-level hit by
 * `countReferences`; a miss is taken off again here.
 */
export function countMisses(
  k: Kernel,
  cpu: number,
  seconds: number,
  walks: number,
  walkReferences: number,
): void {
  const { stats } = k.tlb;
  stats.l1Hits[cpu]! -= seconds + walks;
  stats.l2Hits[cpu]! += seconds;
  stats.walks[cpu]! += walks;
  stats.walkReferences[cpu]! += walkReferences;
}

/** True until the program touches a page for the first time since it was mapped. */
export function isUntouched(pt: PageTables, linear: number): boolean {
  return (pt.touched[linear >>> 3]! & (1 << (linear & 7))) === 0;
}

/**
 * The program touched this page for the first time since it was mapped: to write, unless it says that it only
 * read.
 */
export function markTouched(k: Kernel, linear: number, onlyRead = false): void {
  noteOnlyRead(k.pt, linear, onlyRead);
  k.pt.touched[linear >>> 3]! |= 1 << (linear & 7);
  const { hugeOrder } = k.pt.geometry;
  k.pt.pmd.touched[linear >>> hugeOrder]! += 1;
  const table = linear >>> (hugeOrder + 9);
  const mm = k.mms[k.pt.pmdTables.mm[table]!];
  if (mm === undefined) return;
  addTouched(mm, 1);
  if (k.pt.pmd.kind[linear >>> hugeOrder] === PMD.HUGE) mm.hugeTouched += 1;
}

/** Counts references as first-level hits: `countMisses` knows better. */
export function countReferences(k: Kernel, cpu: number, references: number): void {
  const { stats } = k.tlb;
  stats.references[cpu]! += references;
  stats.l1Hits[cpu]! += references;
}

/** Moves the clock by whole nanoseconds; the rest waits for the next call. */
export function passTime(k: Kernel, cpu: number, ps: number): void {
  const wholeNs = Math.floor(ps / 1000);
  k.tlb.remainderPs[cpu] = ps - wholeNs * 1000;
  k.nowNs += wholeNs;
}

/** Both, at the end of a run of references. */
export function passReferences(k: Kernel, cpu: number, references: number, ps: number): void {
  countReferences(k, cpu, references);
  passTime(k, cpu, ps);
}
