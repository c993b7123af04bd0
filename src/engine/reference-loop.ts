/**
 * The hottest loop of all: what most records are, on TLBs of the commonest shape, with everything by hand in
 * one function. (Measured on random and Zipf streams: half the time of the same with calls.)
 *
 *     record ─▶ PMD, PTE allow it as they are? ─▶ four ways of the first level ─▶ the second ─▶ walk
 *                   └─ no: stop, `references.ts` goes on
 *
 * Looking up and making room are one thing: the set is shifted by a place while it is searched, and what is
 * found, or was not, ends up in front. Whoever stops half-way leaves the entry in front, which is where the
 * next look-up of the same page puts it anyway.
 */
import { type PageTables, PMD, PTE } from "../kernel/mm/page-table.ts";
import type { Kernel } from "../kernel/state.ts";
import { EMPTY } from "../kernel/tlb/level.ts";
import { HUGE_KEY } from "../kernel/tlb/tlb.ts";
import { walkCost } from "../kernel/tlb/walk.ts";
import { REF, type RefBatch } from "../workloads/records.ts";
import { countMisses, isUntouched, markTouched, passReferences } from "./reference-counts.ts";
import { type RefCursor, STOP } from "./references.ts";

// Own constants: V8 folds a module's own ones into the code, but reads imported ones each time.
const { KIND, READ, READ_WRITE } = REF;
const { TABLE, HUGE } = PMD;
const FIRST_HUGE_KEY = HUGE_KEY;
/** A page that may be written and has been: no reference changes its entry. */
const SETTLED = PTE.PRESENT | PTE.WRITE | PTE.YOUNG | PTE.DIRTY;
const NO_SURPRISE = SETTLED | PTE.HINT;

const NOWHERE = EMPTY;

/** Nothing is to be set in the entry of a page by any reference to it. */
function isSettled(pt: PageTables, row: number, linear: number, small: boolean): boolean {
  const { hugeOrder } = pt.geometry;
  const pte = ((pt.pmd.value[row]! << hugeOrder) + (linear & ((1 << hugeOrder) - 1))) | 0;
  return ((small ? pt.pteFlags[pte]! : pt.pmd.flags[row]!) & NO_SURPRISE) === SETTLED;
}

/** Brings a key to the front of a set of four, shifting while it searches; its tag, or NOWHERE. */
function shiftFour(tags: Int32Array, set: number, wanted: number): number {
  const a = tags[set]!;
  if ((a | 1) === wanted) return a;
  const b = tags[set + 1]!;
  tags[set + 1] = a;
  let tag = b;
  if ((b | 1) !== wanted) {
    const c = tags[set + 2]!;
    tags[set + 2] = b;
    tag = c;
    if ((c | 1) !== wanted) {
      const d = tags[set + 3]!;
      tags[set + 3] = c;
      tag = (d | 1) === wanted ? d : NOWHERE;
    }
  }
  tags[set] = tag === NOWHERE ? wanted : tag;
  return tag;
}

/** The same for a set of any size. */
function shiftSet(tags: Int32Array, set: number, ways: number, wanted: number): number {
  let newer = wanted;
  for (let at = set; at < set + ways; at += 1) {
    const tag = tags[at]!;
    tags[at] = newer;
    if ((tag | 1) === wanted) {
      tags[set] = tag;
      return tag;
    }
    newer = tag;
  }
  return NOWHERE;
}

/** Time is up after the record at that index; answers where the loop ends. */
function stopAfter(cursor: RefCursor, at: number): number {
  cursor.stop = STOP.HORIZON;
  return at + 1;
}

/**
 * Runs records at … end that read or write pages whose entries stay as they are, on a TLB that is `flat`.
 * Arguments and answer are those of `runReferences`.
 */
export function runFlat(
  k: Kernel,
  cpu: number,
  batch: RefBatch,
  slotRows: Int32Array,
  at: number,
  end: number,
  limitNs: number,
  cursor: RefCursor,
): number {
  const { page: pages, reads, writes, kind: kinds, gap: gaps } = batch;
  const { pt, costs } = k;
  const t = k.tlb.of[cpu]!;
  const { hugeOrder, l1Small, l1Huge, l2 } = t;
  const huge = t.hugeWays === l2.ways ? HUGE : TABLE; // Sets with few of them are looked up elsewhere.
  const limitPs = (limitNs - k.nowNs) * 1000;
  let ps = k.tlb.remainderPs[cpu]!;
  let references = 0;
  let seconds = 0;
  let walks = 0;
  let walkReferences = 0;
  for (; at < end; at += 1) {
    const kind = kinds[at]! & KIND;
    const linear = ((slotRows[pages[at]! >>> 9]! << hugeOrder) + (pages[at]! & 511)) | 0;
    const row = linear >>> hugeOrder;
    const small = pt.pmd.kind[row] === TABLE;
    if (kind >= READ_WRITE || (!small && pt.pmd.kind[row] !== huge)) break;
    const wanted = small ? (linear << 1) | 1 : ((FIRST_HUGE_KEY + row) << 1) | 1;
    const set = small ? (linear & l1Small.setMask) << 2 : l1Huge.base + ((row & l1Huge.setMask) << 2);
    if (l1Small.tags[set] !== wanted) {
      if (!isSettled(pt, row, linear, small)) break;
      let tag = shiftFour(l1Small.tags, set, wanted);
      if (tag === NOWHERE) {
        tag = shiftSet(l2.tags, ((small ? linear : row) & l2.setMask) * l2.ways, l2.ways, wanted);
        if (tag === NOWHERE) {
          const cost = walkCost(pt, t, row, small ? 1 : 0);
          walks += 1;
          walkReferences += cost;
          ps += cost * costs.walkReferencePs;
          tag = wanted;
          if (isUntouched(pt, linear)) markTouched(k, linear);
        } else if (tag === wanted || kind === READ) {
          seconds += 1;
          ps += costs.secondLevelPs;
        }
        l1Small.tags[set] = tag;
      }
      if (tag !== wanted && kind !== READ) break;
    }
    const count = reads[at]! + writes[at]! || 1;
    references += count;
    ps += count * costs.referencePs + gaps[at]! * cursor.gapPs;
    if (!small && isUntouched(pt, linear)) markTouched(k, linear);
    if (ps >= limitPs) end = stopAfter(cursor, at);
  }
  countMisses(k, cpu, seconds, walks, walkReferences);
  passReferences(k, cpu, references, ps);
  return at;
}
