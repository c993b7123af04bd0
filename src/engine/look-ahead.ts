/**
 * What the hot loop must know of the next records before it asks the TLB: where their pages are in the page
 * table, and that their entries allow them as they are. Read ahead of the loop, a stride at a time: the
 * loop's branches cannot be foretold, and every one that goes wrong would make these reads wait again.
 *
 *     records ─▶ slot ─▶ PMD ─▶ PTE ─▶ [linear, outlook] [linear, outlook] …  ─▶ the loop
 *                          └─ not there, not as it would stay, or no plain read or write: no further
 */
import { type PageTables, PMD, PTE } from "../kernel/mm/page-table.ts";
import { STEP, STEP_RECORDS, STEPPER } from "../kernel/tlb/step.ts";
import { REF, type RefBatch } from "../workloads/records.ts";

/** What a record is, and what its page table entry says. */
export const OUTLOOK = {
  ...STEP,
  /** The program has not touched the page since it was mapped. */
  UNTOUCHED: 4,
} as const;

// Own constants: V8 folds a module's own ones into the code, but reads imported ones each time.
const { KIND, READ_WRITE } = REF;
const { TABLE } = PMD;
const { SMALL, HUGE } = OUTLOOK;
const UNTOUCHED_SHIFT = 2;
const WRITES_SHIFT = 3;
/** A page that may be written and has been: no reference changes its entry. */
const SETTLED = PTE.PRESENT | PTE.WRITE | PTE.YOUNG | PTE.DIRTY;
const NO_SURPRISE = SETTLED | PTE.HINT;

/** Records that are looked at ahead of the loop, at most. */
export const AHEAD_RECORDS = STEP_RECORDS;

/** What was found of the next records; good until a kernel path runs. */
export interface Ahead {
  /** Linear pages. */
  readonly linear: Int32Array;
  /** `OUTLOOK`. */
  readonly outlook: Uint8Array;
  /** Records before the first that stops. */
  ready: number;
  /** What those make: references, the time that they take if all are hits, pages untouched before. */
  references: number;
  ps: number;
  untouched: number;
}

export function makeAhead(): Ahead {
  return {
    linear: STEPPER?.linear ?? new Int32Array(AHEAD_RECORDS),
    outlook: STEPPER?.outlook ?? new Uint8Array(AHEAD_RECORDS),
    ready: 0,
    references: 0,
    ps: 0,
    untouched: 0,
  };
}

/** References of a record; one without counts is one. */
export function referencesOf({ reads, writes }: RefBatch, at: number): number {
  return reads[at]! + writes[at]! || 1;
}

/** What does not change from record to record. */
export interface Surroundings {
  readonly pt: PageTables;
  readonly slotRows: Int32Array;
  /** The kind of PMD that is huge. */
  readonly hugeKind: number;
  readonly referencePs: number;
  readonly gapPs: number;
}

/** Looks at records from … end, up to the first that stops. */
export function lookAhead(ahead: Ahead, batch: RefBatch, from: number, end: number, s: Surroundings): void {
  const { linear: linears, outlook } = ahead;
  const { page: pages, alike, kind: uses, gap: gaps } = batch;
  const { pt, slotRows, hugeKind, referencePs, gapPs } = s;
  const { pteFlags, touched } = pt;
  const { kind: kinds, value: tables, flags: hugeFlags } = pt.pmd;
  const { hugeOrder } = pt.geometry;
  let use = 0;
  let count = 0;
  let recordPs = 0;
  let references = 0;
  let ps = 0;
  let untouched = 0;
  let at = from;
  for (; at < end; at += 1) {
    if (alike[at] === 0 || at === from) {
      use = uses[at]! & KIND;
      count = referencesOf(batch, at);
      recordPs = count * referencePs + gaps[at]! * gapPs;
    }
    const page = pages[at]!;
    const linear = ((slotRows[page >>> 9]! << hugeOrder) + (page & 511)) | 0;
    if (linear < 0 || use >= READ_WRITE) break;
    const row = linear >>> hugeOrder;
    const kind = kinds[row]!;
    if (kind !== TABLE && kind !== hugeKind) break;
    const flags =
      kind === TABLE ? pteFlags[(linear + ((tables[row]! - row) << hugeOrder)) | 0]! : hugeFlags[row]!;
    if ((flags & NO_SURPRISE) !== SETTLED) break;
    const fresh = ((touched[linear >>> 3]! >>> (linear & 7)) & 1) ^ 1;
    linears[at - from] = linear;
    outlook[at - from] = (kind === TABLE ? SMALL : HUGE) | (fresh << UNTOUCHED_SHIFT) | (use << WRITES_SHIFT);
    untouched += fresh;
    references += count;
    ps += recordPs;
  }
  ahead.ready = at - from;
  ahead.references = references;
  ahead.ps = ps;
  ahead.untouched = untouched;
}
