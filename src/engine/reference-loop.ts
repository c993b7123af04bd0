/**
 * The hottest loop of all: what most records are, on TLBs of the commonest shape.
 *
 *     records ─▶ look ahead: entries allow them as they are? ─▶ many, time enough: all at once (`step.ts`)
 *                   └─ no: stop, `references.ts` goes on    └─▶ else: four ways of the first level ─▶ the
 *                                                               second ─▶ walk, with everything by hand
 *
 * Looking up and making room are one thing: the set is shifted by a place while it is searched, and what is
 * found, or was not, ends up in front. All levels' tags are one column. Whoever stops half-way leaves the
 * entry in front, which is where the next look-up of the same page puts it anyway.
 */
import { type PageTables, PMD } from "../kernel/mm/page-table.ts";
import type { Kernel } from "../kernel/state.ts";
import { EMPTY, shiftIn } from "../kernel/tlb/level.ts";
import { IN_FIRST, IN_SECOND, MUST_FAULT } from "../kernel/tlb/lookup.ts";
import { isStepped, runSteps, STEPPER, type Stepper } from "../kernel/tlb/step.ts";
import { type CpuTlb, HUGE_KEY } from "../kernel/tlb/tlb.ts";
import { walkCost } from "../kernel/tlb/walk.ts";
import type { RefBatch } from "../workloads/records.ts";
import { lookAhead, makeAhead, OUTLOOK, referencesOf } from "./look-ahead.ts";
import { countMisses, isUntouched, markTouched, passReferences } from "./reference-counts.ts";
import { type RefCursor, STOP } from "./references.ts";

// Own constants: V8 folds a module's own ones into the code, but reads imported ones each time.
const { TABLE, HUGE } = PMD;
const FIRST_HUGE_KEY = HUGE_KEY;
const { SMALL, UNTOUCHED, WRITES } = OUTLOOK;

const NOWHERE = EMPTY;
const FIRST = IN_FIRST;
const SECOND = IN_SECOND;
const STOPPED = MUST_FAULT;

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
 * references of a walk, or STOPPED: it was cached when it could not be written.
 */
function lookOn(
  pt: PageTables,
  t: CpuTlb,
  linear: number,
  set: number,
  wanted: number,
  writes: number,
): number {
  const { l2, hugeOrder } = t;
  const { tags } = l2;
  let found = FIRST;
  let tag = shiftFour(tags, set, wanted);
  if (tag === NOWHERE) {
    const row = linear >>> hugeOrder;
    const small = wanted === ((linear << 1) | 1);
    found = SECOND;
    tag = shiftIn(tags, l2.base + ((small ? linear : row) & l2.setMask) * l2.ways, l2.ways, wanted);
    if (tag === NOWHERE) {
      found = walkCost(pt, t, row, small ? 1 : 0);
      tag = wanted;
    }
    tags[set] = tag;
  }
  return tag === wanted || writes === 0 ? found : STOPPED;
}

/** One for all: nobody keeps it from one stride to the next. */
const AHEAD = makeAhead();

/** Time is up after the record at that index; answers where the loop ends. */
function stopAfter(cursor: RefCursor, at: number): number {
  cursor.stop = STOP.HORIZON;
  return at + 1;
}

/** From so many records on, taking the tags to the stepper and back is worth it. */
const STEPPED_MIN_RECORDS = 64;
const WALK_REFERENCES_MAX = 4;

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
  const { pt, costs } = k;
  const t = k.tlb.of[cpu]!;
  // Sets with few huge pages are looked up elsewhere.
  const hugeKind = t.hugeWays === t.l2.ways ? HUGE : TABLE;
  const { referencePs, secondLevelPs, walkReferencePs } = costs;
  lookAhead(AHEAD, batch, at, end, { pt, slotRows, hugeKind, referencePs, gapPs: cursor.gapPs });
  const { ready } = AHEAD;
  if (STEPPER !== undefined && ready >= STEPPED_MIN_RECORDS && isStepped(t)) {
    const missPs = Math.max(secondLevelPs, WALK_REFERENCES_MAX * walkReferencePs);
    const latestPs = k.tlb.remainderPs[cpu]! + AHEAD.ps + ready * missPs;
    if (latestPs < (limitNs - k.nowNs) * 1000) return runStepped(k, cpu, batch, at, cursor, STEPPER);
  }
  return runOneByOne(k, cpu, batch, at, limitNs, cursor);
}

/** Runs what was looked at by vector instructions: the time is known to suffice. */
function runStepped(
  k: Kernel,
  cpu: number,
  batch: RefBatch,
  at: number,
  cursor: RefCursor,
  stepper: Stepper,
): number {
  const { pt, costs } = k;
  const t = k.tlb.of[cpu]!;
  const { linear, outlook, ready, untouched } = AHEAD;
  const done = runSteps(stepper, t, ready);
  const [seconds, smallWalks, hugeWalks] = stepper.counts as unknown as [number, number, number];
  let walkReferences = smallWalks * 4 + hugeWalks * 3;
  if (t.walkCaches !== undefined) {
    walkReferences = 0;
    for (let i = 0; i < done; i += 1) {
      if (stepper.walked[i] === 0) continue;
      walkReferences += walkCost(pt, t, linear[i]! >>> t.hugeOrder, (outlook[i]! & SMALL) as 0 | 1);
    }
  }
  for (let i = 0; untouched > 0 && i < done; i += 1)
    if (outlook[i]! & UNTOUCHED && isUntouched(pt, linear[i]!)) markTouched(k, linear[i]!);
  if (done < ready) lookAgain(batch, at, done, costs.referencePs, cursor.gapPs);
  const ps = AHEAD.ps + seconds * costs.secondLevelPs + walkReferences * costs.walkReferencePs;
  countMisses(k, cpu, seconds, smallWalks + hugeWalks, walkReferences);
  passReferences(k, cpu, AHEAD.references, k.tlb.remainderPs[cpu]! + ps);
  return at + done;
}

/** Fewer records were done than had been looked at: what those make. */
function lookAgain(batch: RefBatch, at: number, done: number, referencePs: number, gapPs: number): void {
  AHEAD.references = 0;
  AHEAD.ps = 0;
  for (let i = at; i < at + done; i += 1) {
    const count = referencesOf(batch, i);
    AHEAD.references += count;
    AHEAD.ps += count * referencePs + batch.gap[i]! * gapPs;
  }
}

/** Runs what was looked at record by record, until time is up. */
function runOneByOne(
  k: Kernel,
  cpu: number,
  batch: RefBatch,
  at: number,
  limitNs: number,
  cursor: RefCursor,
): number {
  const { gap: gaps, alike } = batch;
  const { pt, costs } = k;
  const t = k.tlb.of[cpu]!;
  const { hugeOrder, l1Small, l1Huge } = t;
  const { linear: linears, outlook: outlooks } = AHEAD;
  const { tags, setMask } = l1Small;
  const limitPs = (limitNs - k.nowNs) * 1000;
  let ps = k.tlb.remainderPs[cpu]!;
  let references = 0;
  let seconds = 0;
  let walks = 0;
  let walkReferences = 0;
  let count = 0;
  let recordPs = 0;
  const from = at;
  for (let end = at + AHEAD.ready; at < end; at += 1) {
    if (alike[at] === 0 || at === from) {
      count = referencesOf(batch, at);
      recordPs = count * costs.referencePs + gaps[at]! * cursor.gapPs;
    }
    const outlook = outlooks[at - from]!;
    const linear = linears[at - from]!;
    const row = linear >>> hugeOrder;
    const small = (outlook & SMALL) !== 0;
    const wanted = small ? (linear << 1) | 1 : ((FIRST_HUGE_KEY + row) << 1) | 1;
    const set = small ? (linear & setMask) << 2 : l1Huge.base + ((row & l1Huge.setMask) << 2);
    if (tags[set] !== wanted) {
      const found = lookOn(pt, t, linear, set, wanted, outlook & WRITES);
      if (found === STOPPED) break;
      if (found === SECOND) {
        seconds += 1;
        ps += costs.secondLevelPs;
      } else if (found !== FIRST) {
        walks += 1;
        walkReferences += found;
        ps += found * costs.walkReferencePs;
      }
    }
    references += count;
    ps += recordPs;
    if ((outlook & UNTOUCHED) !== 0 && isUntouched(pt, linear)) markTouched(k, linear);
    if (ps >= limitPs) end = stopAfter(cursor, at);
  }
  countMisses(k, cpu, seconds, walks, walkReferences);
  passReferences(k, cpu, references, ps);
  return at;
}
