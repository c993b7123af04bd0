/**
 * The hot loop: runs references of one thread on one CPU until one of them needs a fault.
 *
 *     record ─▶ trace page ─▶ slot ─▶ PMD row ─▶ TLB ─▶ done            (a plain function, no allocation)
 *                                      │          └─▶ walk ─▶ fill ─▶ done
 *                                      └── no row ──────┴─▶ stop: the engine runs the fault path and calls again
 *
 * A record stands for n references to one page with no other page between them: one look-up and n − 1 certain
 * first-level hits. A record that reads first and writes later is looked up twice, as a reader and then as a writer,
 * because the two may fault differently.
 */
import type { PmdRow } from "../core/units.ts";
import { PMD } from "../kernel/mm/page-table.ts";
import type { Kernel } from "../kernel/state.ts";
import { IN_FIRST, IN_SECOND, MUST_FAULT, translateHuge, translateSmall } from "../kernel/tlb/lookup.ts";
import { REF, type RefBatch } from "../workloads/records.ts";

/** Why `runReferences` came back. */
export const STOP = {
  /** The batch is done. */
  END: 0,
  /** The record needs a fault, a write fault if `faultWrite`; call again with the same index after it. */
  FAULT: 1,
  /** Simulated time has reached the limit. */
  HORIZON: 2,
} as const;

/** How much of the record at which a call stopped is already done. */
const NEW = 0;
/** The time before it has passed. */
const ARRIVED = 1;
/** It reads first and writes later, and has read. */
const HAS_READ = 2;

/** Where one thread stands in its batch; one object a thread, reused for all its batches. */
export interface RefCursor {
  stop: number;
  faultWrite: boolean;
  progress: number;
  /** Picoseconds in a unit of the batch's `gap`: 1000 when gaps are nanoseconds. */
  readonly gapPs: number;
}

export function makeRefCursor(gapPs = 1000): RefCursor {
  return { stop: STOP.END, faultWrite: false, progress: NEW, gapPs };
}

/**
 * Runs records from … length and moves `k.nowNs`; returns the index of the first one that is not done. `slotRows` has
 * for each slot the PMD row of its first page, or −1 while the engine has not looked it up. At least one record is
 * done when no fault stops it, so that a limit in the past cannot hold a thread up for ever.
 */
export function runReferences(
  k: Kernel,
  cpu: number,
  batch: RefBatch,
  slotRows: Int32Array,
  from: number,
  limitNs: number,
  cursor: RefCursor,
): number {
  const { page: pages, reads, writes, kind: kinds, gap: gaps, length } = batch;
  const { tags, linked, ways, setMask, newest } = k.tlb.l1Small;
  const pmdKind = k.pt.pmd.kind;
  const touched = k.pt.touched;
  const order = k.pt.geometry.hugeOrder;
  const firstTag = cpu * k.tlb.l1Small.entries;
  const limitPs = (limitNs - k.nowNs) * 1000;
  let ps = k.tlb.remainderPs[cpu]!;
  let { progress } = cursor;
  let references = 0;
  let i = from;
  cursor.stop = STOP.END;
  for (; i < length; i += 1) {
    const kind = kinds[i]! & REF.KIND;
    if (progress === NEW) ps += gaps[i]! * cursor.gapPs;
    if (kind !== REF.EXECUTE) {
      const page = pages[i]!;
      const linear = (slotRows[page >>> 9]! << order) + (page & 511);
      const pmd = linear < 0 ? PMD.NONE : pmdKind[linear >>> order]!;
      let count = progress === HAS_READ ? writes[i]! : reads[i]! + writes[i]!;
      let readOnly = false;
      // The newest entry of its set, writable: by far the commonest case, and right for every kind of record.
      const newestTag = tags[firstTag + (linked ? newest[cpu]! : (linear & setMask) * ways)]!;
      if (pmd !== PMD.TABLE || newestTag !== ((linear << 1) | 1)) {
        readOnly = kind === REF.READ_WRITE && progress !== HAS_READ;
        if (readOnly) count = reads[i]!;
        const write = kind !== REF.READ && !readOnly;
        const extraPs = translate(k, cpu, pmd, linear, write);
        if (extraPs < 0) {
          progress = stopForFault(cursor, progress, write);
          break;
        }
        ps += extraPs;
      }
      if (count === 0) count = 1;
      references += count;
      ps += count * k.costs.referencePs;
      if ((touched[linear >>> 3]! & (1 << (linear & 7))) === 0) markTouched(k, linear);
      progress = readOnly ? HAS_READ : NEW;
      i -= +readOnly; // The same record again, as a writer.
    }
    if (ps >= limitPs && progress === NEW) {
      cursor.stop = STOP.HORIZON;
      i += 1;
      break;
    }
  }
  cursor.progress = progress;
  settle(k, cpu, references, ps);
  return i;
}

/**
 * One reference of a script, to a page of a row that the caller has looked up. True: done, `k.nowNs` has moved. False:
 * it must fault first.
 */
export function touchOne(k: Kernel, cpu: number, row: PmdRow, pageInRow: number, write: boolean): boolean {
  const linear = row * k.geometry.pagesPerHuge + pageInRow;
  const extraPs = row < 0 ? MUST_FAULT : translate(k, cpu, k.pt.pmd.kind[row]!, linear, write);
  if (extraPs < 0) return false;
  if ((k.pt.touched[linear >>> 3]! & (1 << (linear & 7))) === 0) markTouched(k, linear);
  settle(k, cpu, 1, k.tlb.remainderPs[cpu]! + extraPs + k.costs.referencePs);
  return true;
}

/**
 * Translates one reference and counts what it missed. Picoseconds beyond a first-level hit; negative: it must fault.
 * Every reference is counted as a first-level hit by `settle`; here a miss is taken off again.
 */
function translate(k: Kernel, cpu: number, pmd: number, linear: number, write: boolean): number {
  const { tlb, pt } = k;
  if (pmd === PMD.NONE) return MUST_FAULT;
  const found =
    pmd === PMD.TABLE
      ? translateSmall(pt, tlb, cpu, linear, write)
      : translateHuge(pt, tlb, cpu, linear >>> pt.geometry.hugeOrder, write);
  if (found === IN_FIRST) return 0;
  if (found === MUST_FAULT) return MUST_FAULT;
  const { stats } = tlb;
  stats.l1Hits[cpu]! -= 1;
  if (found === IN_SECOND) {
    stats.l2Hits[cpu]! += 1;
    return k.costs.secondLevelPs;
  }
  stats.walks[cpu]! += 1;
  stats.walkReferences[cpu]! += found;
  return found * k.costs.walkReferencePs;
}

/** Stops at a record that must fault; returns how much of it is done. */
function stopForFault(cursor: RefCursor, progress: number, write: boolean): number {
  cursor.stop = STOP.FAULT;
  cursor.faultWrite = write;
  return progress === NEW ? ARRIVED : progress;
}

/** The program touched this page for the first time since it was mapped. */
function markTouched(k: Kernel, linear: number): void {
  k.pt.touched[linear >>> 3]! |= 1 << (linear & 7);
  const table = (linear >>> k.pt.geometry.hugeOrder) >>> 9;
  const mm = k.mms[k.pt.pmdTables.mm[table]!];
  if (mm !== undefined) mm.touchedPages += 1;
}

/** Counts references and moves the clock by whole nanoseconds; the rest waits for the next call. */
function settle(k: Kernel, cpu: number, references: number, ps: number): void {
  const { stats, remainderPs } = k.tlb;
  stats.references[cpu]! += references;
  stats.l1Hits[cpu]! += references;
  const wholeNs = Math.floor(ps / 1000);
  remainderPs[cpu] = ps - wholeNs * 1000;
  k.nowNs += wholeNs;
}
