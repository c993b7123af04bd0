/**
 * Translating one reference: first level, second level, walk, fill.
 *
 * Both levels are filled on a walk, the first level also from the second. A write to an entry that was cached when its
 * page was clean or read-only walks again: the processor must set the dirty bit, or raise the fault.
 *
 * Models:       two-level data TLBs of x86 processors; accessed and dirty bits as the Intel and AMD manuals define them.
 * Not modelled: faults are counted once, by the walk that succeeds after them; the refused walk costs nothing here.
 */
import type { PageTables } from "../mm/page-table.ts";
import { findInLevel, insertInLevel, type Level, peekInLevel } from "./level.ts";
import { HUGE_KEY, type Tlb } from "./tlb.ts";
import { WALK_FAULT, walkHuge, walkSmall } from "./walk.ts";

/** Answers of a translation; a positive answer is the number of memory references that the walk took. */
export const IN_FIRST = -2;
export const MUST_FAULT = -1;
export const IN_SECOND = 0;

/** Translates a reference to a base page, whose PMD is a table. */
export function translateSmall(
  pt: PageTables,
  tlb: Tlb,
  cpu: number,
  linear: number,
  write: boolean,
): number {
  const wanted = (linear << 1) | 1;
  const first = findInLevel(tlb.l1Small, cpu, linear, wanted);
  if (first >= 0) {
    if (!write || (tlb.l1Small.tags[first]! & 1) === 1) return IN_FIRST;
    const walked = walkSmall(pt, tlb, cpu, linear, true);
    if (walked === WALK_FAULT) return MUST_FAULT;
    tlb.l1Small.tags[first] = wanted;
    makeWritable(tlb.l2, cpu, linear, wanted);
    return walked >>> 1;
  }
  const second = findInLevel(tlb.l2, cpu, linear, wanted);
  if (second >= 0 && (!write || (tlb.l2.tags[second]! & 1) === 1)) {
    insertInLevel(tlb.l1Small, cpu, linear, tlb.l2.tags[second]!);
    return IN_SECOND;
  }
  const walked = walkSmall(pt, tlb, cpu, linear, write);
  if (walked === WALK_FAULT) return MUST_FAULT;
  const tag = (linear << 1) | (walked & 1);
  if (second >= 0) tlb.l2.tags[second] = tag;
  else insertInLevel(tlb.l2, cpu, linear, tag);
  insertInLevel(tlb.l1Small, cpu, linear, tag);
  return walked >>> 1;
}

/** Translates a reference to a huge page, whose PMD maps it. */
export function translateHuge(pt: PageTables, tlb: Tlb, cpu: number, row: number, write: boolean): number {
  const wanted = ((HUGE_KEY + row) << 1) | 1;
  const first = findInLevel(tlb.l1Huge, cpu, row, wanted);
  if (first >= 0) {
    if (!write || (tlb.l1Huge.tags[first]! & 1) === 1) return IN_FIRST;
    const walked = walkHuge(pt, tlb, cpu, row, true);
    if (walked === WALK_FAULT) return MUST_FAULT;
    tlb.l1Huge.tags[first] = wanted;
    if (tlb.hugeWays > 0) makeWritable(tlb.l2, cpu, row, wanted);
    return walked >>> 1;
  }
  const second = tlb.hugeWays === 0 ? -1 : findInLevel(tlb.l2, cpu, row, wanted);
  if (second >= 0 && (!write || (tlb.l2.tags[second]! & 1) === 1)) {
    insertInLevel(tlb.l1Huge, cpu, row, tlb.l2.tags[second]!);
    return IN_SECOND;
  }
  const walked = walkHuge(pt, tlb, cpu, row, write);
  if (walked === WALK_FAULT) return MUST_FAULT;
  const tag = ((HUGE_KEY + row) << 1) | (walked & 1);
  if (second >= 0) tlb.l2.tags[second] = tag;
  else if (tlb.hugeWays > 0) insertHuge(tlb, cpu, row, tag);
  insertInLevel(tlb.l1Huge, cpu, row, tag);
  return walked >>> 1;
}

/** The second level's copy of an entry that has just been dirtied; its recency stays. */
function makeWritable(level: Level, cpu: number, index: number, wanted: number): void {
  const at = peekInLevel(level, cpu, index, wanted);
  if (at >= 0) level.tags[at] = wanted;
}

/**
 * Puts a huge page into the second level. Where only some ways of a set may hold huge pages and all of those do, the
 * oldest huge page goes, else the oldest entry of the set.
 */
function insertHuge(tlb: Tlb, cpu: number, row: number, tag: number): void {
  const level = tlb.l2;
  if (tlb.hugeWays === level.ways) {
    insertInLevel(level, cpu, row, tag);
    return;
  }
  const set = cpu * level.entries + (row & level.setMask) * level.ways;
  let hugePages = 0;
  let victim = set + level.ways - 1;
  for (let at = set; at < set + level.ways; at += 1) {
    const key = level.tags[at]! >>> 1;
    if (key < HUGE_KEY || key === 0x7fffffff) continue;
    hugePages += 1;
    if (hugePages === tlb.hugeWays) victim = at;
  }
  for (let to = victim; to > set; to -= 1) level.tags[to] = level.tags[to - 1]!;
  level.tags[set] = tag;
}
