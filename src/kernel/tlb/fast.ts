/**
 * The look-up of the hot reference loop: the same answers as `translate`, for references that the page table
 * allows and second levels that treat all pages alike. Everything else goes to `translate`.
 *
 *     page table allows? ─▶ first set ─▶ second set ─▶ walk       (nothing ever has to be taken back)
 *            └─ no ─▶ translate
 *
 * Models:       two-level x86 data TLBs, as `lookup.ts` does.
 * Not modelled: nothing beyond what `lookup.ts` leaves out.
 */
import { type PageTables, PMD, PTE } from "../mm/page-table.ts";
import { bring, EMPTY, type Level, peekInLevel } from "./level.ts";
import { IN_FIRST, IN_SECOND, MUST_FAULT, translate } from "./lookup.ts";
import { type CpuTlb, HUGE_KEY } from "./tlb.ts";
import { walkCost } from "./walk.ts";

// Own constants: V8 folds a module's own ones into the code, but reads imported ones each time.
const NO_TAG = EMPTY;
const FIRST = IN_FIRST;
const SECOND = IN_SECOND;
const FIRST_HUGE_KEY = HUGE_KEY;
const { NONE, TABLE } = PMD;
const { PRESENT, WRITE, HINT, YOUNG } = PTE;
const WRITABLE = PTE.WRITE | PTE.DIRTY;
/** A page that may be written and has been: no reference changes its PTE. */
const SETTLED = PTE.PRESENT | PTE.WRITE | PTE.YOUNG | PTE.DIRTY;
const NO_SURPRISE = SETTLED | PTE.HINT;
/** `lookUpPlain` leaves it to `lookUp`. */
export const NOT_PLAIN = -3;
const USED_TO_WRITE = PTE.YOUNG | PTE.DIRTY;

/**
 * Translates one reference; answers as `translate` does. `write` is 1 for a write: numbers are quick to test.
 */
export function lookUp(pt: PageTables, t: CpuTlb, pmd: number, linear: number, write: 0 | 1): number {
  if (pmd === TABLE) return lookUpSmall(pt, t, linear, write);
  if (pmd === NONE) return MUST_FAULT;
  return lookUpHuge(pt, t, pmd, linear, write);
}

/** The same for a base page: its PMD is a table. */
function lookUpSmall(pt: PageTables, t: CpuTlb, linear: number, write: 0 | 1): number {
  const order = t.hugeOrder;
  const row = linear >>> order;
  const at = ((pt.pmd.value[row]! << order) + (linear & ((1 << order) - 1))) | 0;
  const flags = pt.pteFlags[at]!;
  if (refuses(flags, write)) return translate(pt, t, TABLE, linear, write === 1);
  const found = search(t.l1Small, t.l2, linear, (linear << 1) | 1, write);
  if (found <= SECOND) return found;
  const used = write === 1 ? flags | USED_TO_WRITE : flags | YOUNG;
  if (used !== flags) pt.pteFlags[at] = used;
  if (found !== MISSING || (used & WRITABLE) !== WRITABLE)
    fill(t.l1Small, t.l2, linear, linear << 1, used, found);
  return t.walkCaches === undefined ? 4 : walkCost(pt, t, row, 1);
}

/**
 * The same for a base page where nothing can happen but hits and a plain walk: its PTE stays as it is.
 * NOT_PLAIN otherwise; then the caches answer `lookUp` as they would have before.
 */
export function lookUpPlain(pt: PageTables, t: CpuTlb, linear: number, write: number): number {
  const order = t.hugeOrder;
  const flags =
    pt.pteFlags[((pt.pmd.value[linear >>> order]! << order) + (linear & ((1 << order) - 1))) | 0]!;
  if ((flags & NO_SURPRISE) !== SETTLED) return NOT_PLAIN;
  const wanted = (linear << 1) | 1;
  const inFirst = bring(t.l1Small, linear, wanted);
  if (inFirst === NO_TAG) return secondOrWalk(pt, t, linear, wanted, write);
  if ((inFirst & 1) >= write) return FIRST;
  // The first level now has it as writable; the second follows, and a walk sets the bit.
  t.l1Small.tags[t.l1Small.newest[linear & t.l1Small.setMask]!] = wanted;
  setWritable(t.l2, linear, wanted);
  return walkCost(pt, t, linear >>> t.hugeOrder, 1);
}

/** The same for a huge page; where it is cached clean and must be written, `lookUp` goes on from there. */
export function lookUpPlainHuge(pt: PageTables, t: CpuTlb, linear: number, write: number): number {
  const row = linear >>> t.hugeOrder;
  if ((pt.pmd.flags[row]! & NO_SURPRISE) !== SETTLED || t.hugeWays !== t.l2.ways) return NOT_PLAIN;
  const wanted = ((FIRST_HUGE_KEY + row) << 1) | 1;
  const inFirst = bring(t.l1Huge, row, wanted);
  if (inFirst === wanted) return FIRST;
  if (inFirst !== NO_TAG) return write === 0 ? FIRST : NOT_PLAIN;
  const inSecond = bring(t.l2, row, wanted);
  if (inSecond === wanted) return SECOND;
  if (inSecond !== NO_TAG) {
    // As if it had been found in the first level: `lookUp` then makes both writable and counts a walk.
    t.l1Huge.tags[t.l1Huge.newest[row & t.l1Huge.setMask]!] = inSecond;
    return write === 0 ? SECOND : NOT_PLAIN;
  }
  return t.walkCaches === undefined ? 3 : walkCost(pt, t, row, 0);
}

/** The first level has a place for an entry that may be written. */
function secondOrWalk(pt: PageTables, t: CpuTlb, linear: number, wanted: number, write: number): number {
  const inSecond = bring(t.l2, linear, wanted);
  if (inSecond === wanted) return SECOND;
  if (inSecond !== NO_TAG) return cleanInSecond(pt, t, linear, inSecond, write);
  return t.walkCaches === undefined ? 4 : walkCost(pt, t, linear >>> t.hugeOrder, 1);
}

/** `lookUpPlain` has found an entry that was cached before its page was written. */
function cleanInSecond(pt: PageTables, t: CpuTlb, linear: number, tag: number, write: number): number {
  const { l1Small, l2 } = t;
  if (write === 0) {
    l1Small.tags[l1Small.newest[linear & l1Small.setMask]!] = tag;
    return SECOND;
  }
  l2.tags[l2.newest[linear & l2.setMask]!] = tag | 1;
  return walkCost(pt, t, linear >>> t.hugeOrder, 1);
}

/** The same for a huge page. */
function lookUpHuge(pt: PageTables, t: CpuTlb, pmd: number, linear: number, write: 0 | 1): number {
  const row = linear >>> t.hugeOrder;
  const flags = pt.pmd.flags[row]!;
  const limited = t.hugeWays !== t.l2.ways;
  if (limited || refuses(flags, write)) return translate(pt, t, pmd, linear, write === 1);
  const key = (FIRST_HUGE_KEY + row) << 1;
  const found = search(t.l1Huge, t.l2, row, key | 1, write);
  if (found <= SECOND) return found;
  const used = write === 1 ? flags | USED_TO_WRITE : flags | YOUNG;
  if (used !== flags) pt.pmd.flags[row] = used;
  if (found !== MISSING || (used & WRITABLE) !== WRITABLE) fill(t.l1Huge, t.l2, row, key, used, found);
  return t.walkCaches === undefined ? 3 : walkCost(pt, t, row, 0);
}

/** True if an entry with these flags does not allow the access, as far as one can see without the TLB. */
function refuses(flags: number, write: 0 | 1): boolean {
  const needed = write === 1 ? PRESENT | WRITE : PRESENT;
  return (flags & (needed | HINT)) !== needed;
}

/** In neither level; both now hold it, as one that may be written. */
const MISSING = 1;
/** The second level holds it, but a write must walk; both have it as their newest. */
const CLEAN_IN_SECOND = 2;
/** The first level holds it as its newest, but a write must walk. */
const CLEAN_IN_FIRST = 3;

/** Looks in both levels. FIRST or SECOND: all is done; else the walk, and what is said above. */
function search(l1: Level, l2: Level, index: number, wanted: number, write: 0 | 1): number {
  const inFirst = bring(l1, index, wanted);
  if (inFirst !== NO_TAG) return (inFirst & 1) >= write ? FIRST : CLEAN_IN_FIRST;
  const inSecond = bring(l2, index, wanted);
  if (inSecond === NO_TAG) return MISSING;
  if ((inSecond & 1) < write) return CLEAN_IN_SECOND;
  if (inSecond !== wanted) l1.tags[l1.newest[index & l1.setMask]!] = inSecond;
  return SECOND;
}

/**
 * After a walk whose entry is not simply new and writable in both levels. `key` is the tag of one that is
 * not writable, `used` the flags of the page table's entry.
 */
function fill(l1: Level, l2: Level, index: number, key: number, used: number, found: number): void {
  const tag = (used & WRITABLE) === WRITABLE ? key | 1 : key;
  l1.tags[l1.newest[index & l1.setMask]!] = tag;
  if (found !== CLEAN_IN_FIRST) l2.tags[l2.newest[index & l2.setMask]!] = tag;
  else setWritable(l2, index, key | 1);
}

/** Makes the entry of a key writable, if it is there; its recency stays. */
function setWritable(level: Level, index: number, wanted: number): void {
  const at = peekInLevel(level, index, wanted);
  if (at >= 0) level.tags[at] = wanted;
}
