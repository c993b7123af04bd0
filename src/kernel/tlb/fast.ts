/**
 * The look-up of the hot reference loop: the same answers as `translate`, for levels that are plain sets of
 * tags and references that the page table allows. Everything else goes to `translate`.
 *
 *     page table allows? ─▶ first set ─▶ second set ─▶ walk       (nothing ever has to be taken back)
 *            └─ no ─▶ translate
 *
 * Measured: searching and shifting in one pass over one array is 1.5 times as fast as searching first; a
 * function with the places of its sets at hand is twice as fast as one that asks each level for them.
 *
 * Models:       two-level x86 data TLBs, as `lookup.ts` does.
 * Not modelled: nothing beyond what `lookup.ts` leaves out.
 */
import { type PageTables, PMD, PTE } from "../mm/page-table.ts";
import { EMPTY, findInLevel, insertInLevel, shiftIn } from "./level.ts";
import { IN_FIRST, IN_SECOND, MUST_FAULT, translate } from "./lookup.ts";
import { type FastSets, HUGE_KEY, type Tlb } from "./tlb.ts";
import { walkCost } from "./walk.ts";

// Own constants: V8 folds a module's own ones into the code, but reads imported ones each time.
const NO_TAG = EMPTY;
const FIRST = IN_FIRST;
const SECOND = IN_SECOND;
const NOWHERE = 1;
const CLEAN = 2;
const FIRST_HUGE_KEY = HUGE_KEY;
const { NONE, TABLE } = PMD;
const { PRESENT, WRITE, HINT, YOUNG } = PTE;
const WRITABLE = PTE.WRITE | PTE.DIRTY;
const USED_TO_WRITE = PTE.YOUNG | PTE.DIRTY;

/**
 * Translates one reference; answers as `translate` does. `write` is 1 for a write: numbers are quick to test.
 */
export function lookUp(
  pt: PageTables,
  tlb: Tlb,
  sets: FastSets,
  cpu: number,
  pmd: number,
  linear: number,
  write: 0 | 1,
): number {
  if (pmd === NONE) return MUST_FAULT;
  if (pmd === TABLE && sets.smallWays !== 0) return lookUpSmall(pt, tlb, sets, cpu, linear, write);
  if (pmd === TABLE) return lookUpLinked(pt, tlb, sets, cpu, linear, write);
  if (sets.hugeWays === 0) return translate(pt, tlb, cpu, pmd, linear, write === 1);
  const row = linear >>> tlb.hugeOrder;
  const flags = pt.pmd.flags[row]!;
  if (refuses(flags, write)) return translate(pt, tlb, cpu, pmd, linear, write === 1);
  const first = (sets.hugeFirst + (row & sets.hugeMask) * sets.hugeWays) | 0;
  const second = (sets.secondFirst + (row & sets.secondMask) * sets.secondWays) | 0;
  const wanted = ((FIRST_HUGE_KEY + row) << 1) | 1;
  const found = search(sets.tags, first, sets.hugeWays, second, sets.secondWays, wanted, write);
  if (found <= SECOND) return found;
  const tag = wanted - 1 + markUsed(pt.pmd.flags, row, flags, write);
  fill(sets, first, second, tag, found);
  return walkCost(pt, tlb, cpu, row, 0);
}

/**
 * The same for a base page whose PMD is a table, where `sets.smallWays` is not 0. V8 inlines it where it is
 * called.
 */
export function lookUpSmall(
  pt: PageTables,
  tlb: Tlb,
  sets: FastSets,
  cpu: number,
  linear: number,
  write: 0 | 1,
): number {
  const order = tlb.hugeOrder;
  const row = linear >>> order;
  const at = pteAt(pt, order, linear);
  const flags = pt.pteFlags[at]!;
  if (refuses(flags, write)) return translate(pt, tlb, cpu, TABLE, linear, write === 1);
  const first = (sets.smallFirst + (linear & sets.smallMask) * sets.smallWays) | 0;
  const second = (sets.secondFirst + (linear & sets.secondMask) * sets.secondWays) | 0;
  const wanted = (linear << 1) | 1;
  const inFirst = shiftIn(sets.tags, first, sets.smallWays, wanted);
  if (inFirst !== NO_TAG) {
    if ((inFirst & 1) >= write) return FIRST;
    setWritable(sets.tags, second, sets.secondWays, wanted);
  } else {
    const inSecond = shiftIn(sets.tags, second, sets.secondWays, wanted);
    if (inSecond !== NO_TAG && (inSecond & 1) >= write) {
      sets.tags[first] = inSecond;
      return SECOND;
    }
  }
  const tag = wanted - 1 + markUsed(pt.pteFlags, at, flags, write);
  sets.tags[first] = tag;
  if (inFirst === NO_TAG) sets.tags[second] = tag;
  return walkCost(pt, tlb, cpu, row, 1);
}

/** The same where the first level is one large set. */
function lookUpLinked(
  pt: PageTables,
  tlb: Tlb,
  sets: FastSets,
  cpu: number,
  linear: number,
  write: 0 | 1,
): number {
  const level = tlb.l1Small;
  const row = linear >>> tlb.hugeOrder;
  const at = pteAt(pt, tlb.hugeOrder, linear);
  const flags = pt.pteFlags[at]!;
  const wanted = (linear << 1) | 1;
  const inFirst = findInLevel(level, cpu, linear, wanted);
  if (inFirst >= 0 && (level.tags[inFirst]! & 1) >= write) return IN_FIRST;
  if (inFirst >= 0 || refuses(flags, write)) return translate(pt, tlb, cpu, TABLE, linear, write === 1);
  const { tags, secondWays } = sets;
  const second = (sets.secondFirst + (linear & sets.secondMask) * secondWays) | 0;
  const inSecond = shiftIn(tags, second, secondWays, wanted);
  if (inSecond !== NO_TAG && (inSecond & 1) >= write) {
    insertInLevel(level, cpu, linear, inSecond);
    return IN_SECOND;
  }
  tags[second] = wanted - 1 + markUsed(pt.pteFlags, at, flags, write);
  insertInLevel(level, cpu, linear, tags[second]!);
  return walkCost(pt, tlb, cpu, row, 1);
}

/** Where the PTE of a linear page lies; its row's PMD is a table. */
function pteAt(pt: PageTables, order: number, linear: number): number {
  return ((pt.pmd.value[linear >>> order]! << order) + (linear & ((1 << order) - 1))) | 0;
}

/** True if an entry with these flags does not allow the access, as far as one can see without the TLB. */
function refuses(flags: number, write: 0 | 1): boolean {
  const needed = write === 1 ? PRESENT | WRITE : PRESENT;
  return (flags & (needed | HINT)) !== needed;
}

/**
 * Sets the accessed and dirty bits of an entry; 1 if it may be cached as one that is written without a walk.
 */
function markUsed(column: Uint8Array, at: number, flags: number, write: 0 | 1): 0 | 1 {
  const used = write === 1 ? flags | USED_TO_WRITE : flags | YOUNG;
  column[at] = used;
  return (used & WRITABLE) === WRITABLE ? 1 : 0;
}

/**
 * Looks in the sets of both levels. FIRST or SECOND: found, all is done. NOWHERE: both newest places wait
 * for the tag. CLEAN: the first level has it, but a write must walk.
 */
function search(
  tags: Int32Array,
  first: number,
  firstWays: number,
  second: number,
  secondWays: number,
  wanted: number,
  write: 0 | 1,
): number {
  const inFirst = shiftIn(tags, first, firstWays, wanted);
  if (inFirst !== NO_TAG) return (inFirst & 1) >= write ? FIRST : CLEAN;
  const inSecond = shiftIn(tags, second, secondWays, wanted);
  if (inSecond === NO_TAG || (inSecond & 1) < write) return NOWHERE;
  tags[first] = inSecond;
  return SECOND;
}

/**
 * After a walk: the tag goes into the newest places, or makes writable what is there; then its recency stays.
 */
function fill(sets: FastSets, first: number, second: number, tag: number, found: number): void {
  const { tags } = sets;
  tags[first] = tag;
  if (found === NOWHERE) tags[second] = tag;
  else setWritable(tags, second, sets.secondWays, tag);
}

/** Makes the entry of a key in a set writable, if it is there. */
function setWritable(tags: Int32Array, set: number, ways: number, wanted: number): void {
  for (let at = set; at < set + ways; at += 1) if ((tags[at]! | 1) === wanted) tags[at] = wanted;
}
