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
import { EMPTY, shiftIn } from "./level.ts";
import { IN_FIRST, IN_SECOND, MUST_FAULT, translate } from "./lookup.ts";
import { type FastSets, HUGE_KEY, type Tlb } from "./tlb.ts";
import { walkCost } from "./walk.ts";

// Own constants: V8 folds a module's own ones into the code, but reads imported ones each time.
const NO_TAG = EMPTY;
const FIRST_HUGE_KEY = HUGE_KEY;
const { NONE, TABLE } = PMD;
const { PRESENT, WRITE, HINT, YOUNG } = PTE;
const WRITABLE = PTE.WRITE | PTE.DIRTY;
const USED_TO_WRITE = PTE.YOUNG | PTE.DIRTY;

/**
 * Translates one reference; answers as `translate` does. `write` is 1 for a write: a number is quicker to
 * test.
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
  const huge = pmd !== TABLE;
  const ways = huge ? sets.hugeWays : sets.smallWays;
  const order = tlb.hugeOrder;
  const row = linear >>> order;
  const at = huge ? row : ((pt.pmd.value[row]! << order) + (linear & ((1 << order) - 1))) | 0;
  const column = huge ? pt.pmd.flags : pt.pteFlags;
  const flags = column[at]!;
  const needed = write === 1 ? PRESENT | WRITE : PRESENT;
  if (ways === 0 || (flags & (needed | HINT)) !== needed) {
    return translate(pt, tlb, cpu, pmd, linear, write === 1);
  }
  const { tags, secondWays } = sets;
  const index = huge ? row : linear;
  const wanted = ((huge ? FIRST_HUGE_KEY + row : linear) << 1) | 1;
  const firstSet = huge ? sets.hugeFirst : sets.smallFirst;
  const first = (firstSet + (index & (huge ? sets.hugeMask : sets.smallMask)) * ways) | 0;
  const second = (sets.secondFirst + (index & sets.secondMask) * secondWays) | 0;
  const inFirst = shiftIn(tags, first, ways, wanted);
  if (inFirst !== NO_TAG && (inFirst & 1) >= write) return IN_FIRST;
  if (inFirst === NO_TAG) {
    const inSecond = shiftIn(tags, second, secondWays, wanted);
    if (inSecond !== NO_TAG && (inSecond & 1) >= write) {
      tags[first] = inSecond;
      return IN_SECOND;
    }
  }
  const used = write === 1 ? flags | USED_TO_WRITE : flags | YOUNG;
  column[at] = used;
  const tag = (used & WRITABLE) === WRITABLE ? wanted : wanted - 1;
  tags[first] = tag;
  if (inFirst === NO_TAG) tags[second] = tag;
  else setWritable(tags, second, secondWays, wanted);
  return walkCost(pt, tlb, cpu, row, huge ? 0 : 1);
}

/** Makes the entry of a key in a set writable, if it is there; its recency stays. */
function setWritable(tags: Int32Array, set: number, ways: number, wanted: number): void {
  for (let at = set; at < set + ways; at += 1) if ((tags[at]! | 1) === wanted) tags[at] = wanted;
}
