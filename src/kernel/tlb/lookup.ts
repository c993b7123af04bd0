/**
 * Translating one reference: first level, second level, walk, fill.
 *
 * Both levels are filled on a walk, the first level also from the second. A write to an entry that was
 * cached when its page was clean or read-only walks again: the processor must set the dirty bit, or raise
 * the fault.
 *
 * Models:       two-level data TLBs of x86 processors; accessed and dirty bits as the Intel and AMD manuals
 * define them.
 * Not modelled: faults are counted once, by the walk that succeeds after them; the refused walk costs
 * nothing here.
 */
import { type PageTables, PMD } from "../mm/page-table.ts";
import {
  EMPTY,
  exchangeInLevel,
  findInLevel,
  insertInLevel,
  type Level,
  newestPlace,
  peekInLevel,
} from "./level.ts";
import { type CpuTlb, HUGE_KEY } from "./tlb.ts";
import { WALK_FAULT, walkHuge, walkSmall } from "./walk.ts";

/** Answers of a translation; a positive answer is the number of memory references that the walk took. */
export const IN_FIRST = -2;
export const MUST_FAULT = -1;
export const IN_SECOND = 0;

/**
 * Translates a reference with levels of any shape, allowed or not. `pmd` is the kind of its row's PMD, not
 * NONE; for a huge page only the row of `linear` counts.
 */
export function translate(pt: PageTables, t: CpuTlb, pmd: number, linear: number, write: boolean): number {
  if (pmd === PMD.TABLE) return translateKey(pt, t, t.l1Small, linear, linear, write);
  const row = linear >>> t.hugeOrder;
  return translateKey(pt, t, t.l1Huge, HUGE_KEY + row, row, write);
}

/** `index` chooses the sets: the linear page, or the row of a huge one. */
function translateKey(
  pt: PageTables,
  t: CpuTlb,
  level: Level,
  key: number,
  index: number,
  write: boolean,
): number {
  const wanted = (key << 1) | 1;
  const first = findInLevel(level, index, wanted);
  if (first < 0) {
    const filled = refill(pt, t, key, index, write);
    if (filled === WALK_FAULT) return MUST_FAULT;
    insertInLevel(level, index, (wanted - 1) | (filled & 1));
    return filled >>> 1;
  }
  if (!write || (level.tags[first]! & 1) === 1) return IN_FIRST;
  const walked = walk(pt, t, key, write);
  if (walked === WALK_FAULT) return MUST_FAULT;
  level.tags[first] = wanted;
  const second = peekInLevel(t.l2, index, wanted);
  if (second >= 0) t.l2.tags[second] = wanted;
  return walked >>> 1;
}

function walk(pt: PageTables, t: CpuTlb, key: number, write: boolean): number {
  return key < HUGE_KEY ? walkSmall(pt, t, key, write) : walkHuge(pt, t, key - HUGE_KEY, write);
}

/**
 * Second level, then walk. The answer is as a walk's: references × 2 + writable, with no references for a
 * hit. A refused walk leaves the level as it was. Where only some ways of a set may hold huge pages, or
 * none, and all of those do, the oldest huge page goes and not the oldest entry of the set.
 */
function refill(pt: PageTables, t: CpuTlb, key: number, index: number, write: boolean): number {
  const level = t.l2;
  const found = findInLevel(level, index, (key << 1) | 1);
  if (found >= 0 && (!write || (level.tags[found]! & 1) === 1)) return level.tags[found]! & 1;
  const walked = walk(pt, t, key, write);
  if (walked === WALK_FAULT) return WALK_FAULT;
  const tag = (key << 1) | (walked & 1);
  const limited = key >= HUGE_KEY && t.hugeWays < level.ways;
  if (found >= 0) level.tags[found] = tag;
  else if (!limited) insertInLevel(level, index, tag);
  else if (t.hugeWays > 0) replaceHuge(level, index, t.hugeWays, tag);
  return walked;
}

function replaceHuge(level: Level, index: number, hugeWays: number, tag: number): void {
  const set = newestPlace(level, index);
  let hugePages = 0;
  let victim = set + level.ways - 1;
  for (let at = set; at < set + level.ways; at += 1) {
    if (level.tags[at] === EMPTY || level.tags[at]! >>> 1 < HUGE_KEY) continue;
    hugePages += 1;
    if (hugePages === hugeWays) victim = at;
  }
  exchangeInLevel(level, index, victim, tag);
}
