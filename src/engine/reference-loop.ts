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
import { PMD, PTE } from "../kernel/mm/page-table.ts";
import type { Kernel } from "../kernel/state.ts";
import { HUGE_KEY } from "../kernel/tlb/tlb.ts";
import { walkCost } from "../kernel/tlb/walk.ts";
import { REF, type RefBatch } from "../workloads/records.ts";
import { countMisses, countReferences, markTouched, passTime } from "./reference-counts.ts";
import { type RefCursor, STOP } from "./references.ts";

// Own constants: V8 folds a module's own ones into the code, but reads imported ones each time.
const { KIND, READ, READ_WRITE } = REF;
const { NONE, TABLE, HUGE } = PMD;
const FIRST_HUGE_KEY = HUGE_KEY;
/** A page that may be written and has been: no reference changes its entry. */
const SETTLED = PTE.PRESENT | PTE.WRITE | PTE.YOUNG | PTE.DIRTY;
const NO_SURPRISE = SETTLED | PTE.HINT;

/**
 * Runs records at … end that read or write pages whose entries stay as they are, on a TLB that is `flat`.
 * Arguments and answer are those of `runReferences`.
 */
export function runFlat(
  k: Kernel,
  cpu: number,
  batch: RefBatch,
  slotRows: Int32Array,
  from: number,
  upTo: number,
  limitNs: number,
  cursor: RefCursor,
): number {
  const { page: pages, reads, writes, kind: kinds, gap: gaps } = batch;
  const { pt, tlb } = k;
  const t = tlb.of[cpu]!;
  const { hugeOrder } = t;
  const { tags: first, setMask: smallMask } = t.l1Small;
  const { base: hugeBase, setMask: hugeMask } = t.l1Huge;
  // Where only some ways may hold huge pages, they are looked up elsewhere.
  const huge = t.hugeWays === t.l2.ways ? HUGE : NONE;
  const { tags: second, setMask: secondMask, ways } = t.l2;
  const { touched, pteFlags } = pt;
  const { kind: pmdKind, value: pmdValue, flags: pmdFlags } = pt.pmd;
  const { referencePs, secondLevelPs, walkReferencePs } = k.costs;
  const { gapPs } = cursor;
  const limitPs = (limitNs - k.nowNs) * 1000;
  const cached = t.walkCaches !== undefined;
  const inRow = (1 << hugeOrder) - 1;
  let ps = tlb.remainderPs[cpu]!;
  let references = 0;
  let walks = 0;
  let walkReferences = 0;
  let seconds = 0;
  let end = upTo;
  let at = from;
  for (; at < end; at += 1) {
    const kind = kinds[at]! & KIND;
    const page = pages[at]!;
    const linear = ((slotRows[page >>> 9]! << hugeOrder) + (page & 511)) | 0;
    const row = linear >>> hugeOrder;
    const pmd = pmdKind[row]!;
    let index = linear;
    let wanted = (linear << 1) | 1;
    let set = (linear & smallMask) << 2;
    if (pmd !== TABLE) {
      if (pmd !== huge || pmd === NONE) break;
      index = row;
      wanted = ((FIRST_HUGE_KEY + row) << 1) | 1;
      set = hugeBase + ((row & hugeMask) << 2);
    }
    if (kind >= READ_WRITE) break;
    const a = first[set]!;
    if (a !== wanted) {
      const flags = pmd === TABLE ? pteFlags[(pmdValue[row]! << hugeOrder) + (linear & inRow)]! : pmdFlags[row]!;
      if ((flags & NO_SURPRISE) !== SETTLED) break;
      const b = first[set + 1]!;
      const c = first[set + 2]!;
      const d = first[set + 3]!;
      let tag = a;
      if ((a | 1) !== wanted) {
        first[set + 1] = a;
        tag = b;
        if ((b | 1) !== wanted) {
          first[set + 2] = b;
          tag = c;
          if ((c | 1) !== wanted) {
            first[set + 3] = c;
            tag = d;
            if ((d | 1) !== wanted) {
              tag = wanted;
              const set2 = (index & secondMask) * ways;
              const last = set2 + ways;
              let place = set2;
              for (let newer = wanted; place < last; place += 1) {
                const here = second[place]!;
                second[place] = newer;
                if ((here | 1) === wanted) {
                  tag = here;
                  break;
                }
                newer = here;
              }
              if (place < last) {
                second[set2] = tag;
                if (tag === wanted || kind === READ) {
                  seconds += 1;
                  ps += secondLevelPs;
                }
              } else {
                const cost = cached ? walkCost(pt, t, row, pmd === TABLE ? 1 : 0) : pmd === TABLE ? 4 : 3;
                if ((touched[linear >>> 3]! & (1 << (linear & 7))) === 0) markTouched(k, linear);
                walks += 1;
                walkReferences += cost;
                ps += cost * walkReferencePs;
              }
            }
          }
        }
        first[set] = tag;
      }
      if (tag !== wanted && kind !== READ) break;
    }
    const count = reads[at]! + writes[at]! || 1;
    references += count;
    ps += count * referencePs + gaps[at]! * gapPs;
    if (pmd !== TABLE && (touched[linear >>> 3]! & (1 << (linear & 7))) === 0) markTouched(k, linear);
    if (ps >= limitPs) end = at + 1;
  }
  if (at === end && ps >= limitPs) cursor.stop = STOP.HORIZON;
  countMisses(k, cpu, seconds, walks, walkReferences);
  countReferences(k, cpu, references);
  passTime(k, cpu, ps);
  return at;
}
