/**
 * The hottest loop of all: what most records are, on TLBs of the commonest shape, with everything by hand in
 * one function. (Measured on random and Zipf streams: half the time of the same with calls.)
 *
 *     record ─▶ PMD, PTE allow it as they are? ─▶ four ways of the first level ─▶ the second ─▶ walk
 *                   └─ no: stop, `references.ts` goes on
 *
 * Looking up and making room are one thing: the set is shifted by a place while it is searched, and what is
 * found, or was not, ends up in front. All levels' tags are one column. Whoever stops half-way leaves the
 * entry in front, which is where the next look-up of the same page puts it anyway.
 */
import { type PageTables, PMD, PTE } from "../kernel/mm/page-table.ts";
import type { Kernel } from "../kernel/state.ts";
import { EMPTY, shiftIn } from "../kernel/tlb/level.ts";
import { IN_FIRST, IN_SECOND, MUST_FAULT } from "../kernel/tlb/lookup.ts";
import { type CpuTlb, HUGE_KEY } from "../kernel/tlb/tlb.ts";
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
const FIRST = IN_FIRST;
const SECOND = IN_SECOND;
const STOPPED = MUST_FAULT;

/** Nothing is to be set in the entry of a page by any reference to it. */
function isSettled(pt: PageTables, row: number, linear: number, hugeOrder: number, small: boolean): boolean {
  if (!small) return (pt.pmd.flags[row]! & NO_SURPRISE) === SETTLED;
  const pte = (linear + ((pt.pmd.value[row]! - row) << hugeOrder)) | 0;
  return (pt.pteFlags[pte]! & NO_SURPRISE) === SETTLED;
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

/**
 * Looks for an entry that is not the newest of its set in the first level. The answer is FIRST, SECOND, the
 * references of a walk, or STOPPED: the entry does not allow it as it is.
 */
function lookOn(
  pt: PageTables,
  t: CpuTlb,
  linear: number,
  set: number,
  wanted: number,
  kind: number,
): number {
  const { l2, hugeOrder } = t;
  const { tags } = l2;
  const row = linear >>> hugeOrder;
  const small = wanted === ((linear << 1) | 1);
  if (!isSettled(pt, row, linear, hugeOrder, small)) return STOPPED;
  let found = FIRST;
  let tag = shiftFour(tags, set, wanted);
  if (tag === NOWHERE) {
    found = SECOND;
    tag = shiftIn(tags, l2.base + ((small ? linear : row) & l2.setMask) * l2.ways, l2.ways, wanted);
    if (tag === NOWHERE) {
      found = walkCost(pt, t, row, small ? 1 : 0);
      tag = wanted;
    }
    tags[set] = tag;
  }
  return tag === wanted || kind === READ ? found : STOPPED;
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
  const { page: pages, reads, writes, kind: kinds, gap: gaps, alike } = batch;
  const { pt, costs } = k;
  const t = k.tlb.of[cpu]!;
  const { hugeOrder, l1Small, l1Huge } = t;
  const huge = t.hugeWays === t.l2.ways ? HUGE : TABLE; // Sets with few of them are looked up elsewhere.
  const limitPs = (limitNs - k.nowNs) * 1000;
  let ps = k.tlb.remainderPs[cpu]!;
  let references = 0;
  let seconds = 0;
  let walks = 0;
  let walkReferences = 0;
  let kind: number = READ;
  let count = 0;
  let recordPs = 0;
  for (const from = at; at < end; at += 1) {
    if (alike[at] === 0 || at === from) {
      kind = kinds[at]! & KIND;
      count = reads[at]! + writes[at]! || 1;
      recordPs = count * costs.referencePs + gaps[at]! * cursor.gapPs;
    }
    const linear = ((slotRows[pages[at]! >>> 9]! << hugeOrder) + (pages[at]! & 511)) | 0;
    if (linear < 0 || kind >= READ_WRITE) break;
    const row = linear >>> hugeOrder;
    const small = pt.pmd.kind[row] === TABLE;
    if (!small && pt.pmd.kind[row] !== huge) break;
    const wanted = small ? (linear << 1) | 1 : ((FIRST_HUGE_KEY + row) << 1) | 1;
    const set = small ? (linear & l1Small.setMask) << 2 : l1Huge.base + ((row & l1Huge.setMask) << 2);
    if (l1Small.tags[set] !== wanted) {
      const found = lookOn(pt, t, linear, set, wanted, kind);
      if (found === STOPPED) break;
      if (found === SECOND) {
        seconds += 1;
        ps += costs.secondLevelPs;
      } else if (found !== FIRST) {
        walks += 1;
        walkReferences += found;
        ps += found * costs.walkReferencePs;
        if (isUntouched(pt, linear)) markTouched(k, linear);
      }
    }
    references += count;
    ps += recordPs;
    if (!small && isUntouched(pt, linear)) markTouched(k, linear);
    if (ps >= limitPs) end = stopAfter(cursor, at);
  }
  countMisses(k, cpu, seconds, walks, walkReferences);
  passReferences(k, cpu, references, ps);
  return at;
}
