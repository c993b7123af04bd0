/**
 * The hot loop: runs references of one thread on one CPU until one of them needs a fault.
 *
 *     record ─▶ trace page ─▶ slot ─▶ PMD row ─▶ TLB ─▶ done            (a plain function, no allocation)
 *                                      │          └─▶ walk ─▶ fill ─▶ done
 *                                      └── no row ──────┴─▶ stop: the engine runs the fault path and calls
 *                                      again
 *
 * A record stands for n references to one page with no other page between them: one look-up and n − 1 certain
 * first-level hits. A record that reads first and writes later is looked up twice, as a reader and then as
 * a writer, because the two may fault differently.
 */
import type { PmdRow } from "../core/units.ts";
import { noteOnlyRead, type PageTables, PMD } from "../kernel/mm/page-table.ts";
import type { Kernel } from "../kernel/state.ts";
import { lookUp, lookUpPlain, lookUpPlainHuge } from "../kernel/tlb/fast.ts";
import { IN_FIRST, IN_SECOND, MUST_FAULT } from "../kernel/tlb/lookup.ts";
import { REF, type RefBatch } from "../workloads/records.ts";
import { AHEAD_RECORDS } from "./look-ahead.ts";
import { chargeTouches, touchExtraPs } from "./memory-access.ts";
import {
  countMisses,
  countReferences,
  isUntouched,
  markTouched,
  passReferences,
  passTime,
} from "./reference-counts.ts";
import { runFlat } from "./reference-loop.ts";

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

// Own constants: V8 folds a module's own ones into the code, but reads imported ones each time.
const { KIND, READ, READ_WRITE, EXECUTE, FIRST, FAULT: REF_FAULT } = REF;
const { NONE, TABLE } = PMD;
const FAULT = MUST_FAULT;
const HIT = IN_FIRST;
const SECOND = IN_SECOND;

/**
 * Records that the inner loop takes at a time: few at first, since what is known of the ones behind a fault
 * is lost with it; at most so many, since V8 compiles short-lived calls better than one endless loop.
 */
const FIRST_STRIDE_RECORDS = 8;
const STRIDE_RECORDS = AHEAD_RECORDS;
const STRIDE_GROWTH = 4;
/** Records that are taken one by one before the plain loop is tried again. */
const MIXED_RECORDS = 64;

/**
 * Runs records from … length and moves `k.nowNs`; returns the index of the first one that is not done.
 * `slotRows` has for each slot the PMD row of its first page, or −1 while the engine has not looked it up.
 * At least one record is done when no fault stops it, so that a limit in the past cannot hold a thread up
 * for ever.
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
  let at = from;
  let stride = FIRST_STRIDE_RECORDS;
  cursor.stop = STOP.END;
  while (at < batch.length && cursor.stop === STOP.END) {
    const end = Math.min(at + stride, batch.length);
    stride = Math.min(stride * STRIDE_GROWTH, STRIDE_RECORDS);
    if (cursor.progress === NEW) {
      if (k.tlb.of[cpu]!.flat) at = runFlat(k, cpu, batch, slotRows, at, end, limitNs, cursor);
      else at = runPlain(k, cpu, batch, slotRows, at, end, limitNs, cursor);
    }
    if (at < end && cursor.stop === STOP.END) {
      at = runMixed(k, cpu, batch, slotRows, at, Math.min(at + MIXED_RECORDS, end), limitNs, cursor);
    }
  }
  return at;
}

/**
 * The hot loop for what most records are: reads or writes of base pages that are there. Stops at the first
 * other one, which is `runMixed`'s.
 */
function runPlain(
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
  const { pt, tlb } = k;
  const t = tlb.of[cpu]!;
  const { hugeOrder } = t;
  const { tags, newest, setMask } = t.l1Small;
  const { kind: pmdKind } = pt.pmd;
  const { referencePs, secondLevelPs, walkReferencePs } = k.costs;
  const limitPs = (limitNs - k.nowNs) * 1000;
  let ps = tlb.remainderPs[cpu]!;
  let references = 0;
  let walks = 0;
  let walkReferences = 0;
  let seconds = 0;
  for (; at < end; at += 1) {
    const flags = kinds[at]!;
    const kind = flags & KIND;
    if (kind === EXECUTE) {
      if ((flags & (FIRST | REF_FAULT)) !== 0) break;
    } else {
      const linear = ((slotRows[pages[at]! >>> 9]! << hugeOrder) + (pages[at]! & 511)) | 0;
      const pmd = linear < 0 ? NONE : pmdKind[linear >>> hugeOrder]!;
      if (pmd === NONE) break;
      // The newest entry of its set, writable: by far the commonest case, and right for every kind of record.
      if (pmd !== TABLE || tags[newest[linear & setMask]!] !== ((linear << 1) | 1)) {
        if (kind === READ_WRITE) break;
        const found = pmd === TABLE ? lookUpPlain(pt, t, linear, kind) : lookUpPlainHuge(pt, t, linear, kind);
        if (found < HIT) break;
        if (found >= SECOND) {
          ps += found === SECOND ? secondLevelPs : found * walkReferencePs;
          if (found === SECOND) seconds += 1;
          else walks += 1;
          walkReferences += found;
        }
      }
      const count = reads[at]! + writes[at]! || 1;
      references += count;
      ps += count * referencePs;
      if (isUntouched(pt, linear)) markTouched(k, linear);
    }
    ps += gaps[at]! * cursor.gapPs;
    if (ps >= limitPs) end = at + 1;
  }
  if (at === end && ps >= limitPs) cursor.stop = STOP.HORIZON;
  countMisses(k, cpu, seconds, walks, walkReferences);
  passReferences(k, cpu, references, ps);
  return at;
}

/** Records of any kind, at … end. */
function runMixed(
  k: Kernel,
  cpu: number,
  batch: RefBatch,
  slotRows: Int32Array,
  from: number,
  end: number,
  limitNs: number,
  cursor: RefCursor,
): number {
  const limitPs = (limitNs - k.nowNs) * 1000;
  let ps = k.tlb.remainderPs[cpu]!;
  let at = from;
  while (at < end) {
    if (cursor.progress === NEW) ps += batch.gap[at]! * cursor.gapPs;
    const tookPs = runRecord(k, cpu, batch, slotRows, at, cursor);
    if (tookPs < 0) break;
    ps += tookPs;
    if (cursor.progress === HAS_READ) continue; // The same record again, as a writer.
    at += 1;
    if (ps >= limitPs) {
      cursor.stop = STOP.HORIZON;
      break;
    }
  }
  passTime(k, cpu, ps);
  return at;
}

/**
 * One record, or the reading half of one that reads first and writes later. Picoseconds that it took, or −1:
 * it must fault first.
 */
function runRecord(
  k: Kernel,
  cpu: number,
  batch: RefBatch,
  slotRows: Int32Array,
  at: number,
  cursor: RefCursor,
): number {
  const flags = batch.kind[at]!;
  const kind = flags & KIND;
  const page = batch.page[at]!;
  const isWriter = cursor.progress === HAS_READ;
  // Code uses no data TLB, but its first execution must find the page, and a recorded fault is taken.
  if (kind === EXECUTE && (flags & (FIRST | REF_FAULT)) === 0) {
    cursor.progress = NEW;
    return 0;
  }
  const readOnly = kind === READ_WRITE && !isWriter;
  const write = kind === READ || kind === EXECUTE || readOnly ? 0 : 1;
  const row = slotRows[page >>> 9]!;
  const linear = (row << k.tlb.hugeOrder) + (page & 511);
  const pmd = row < 0 ? NONE : k.pt.pmd.kind[linear >>> k.tlb.hugeOrder]!;
  const found = lookUp(k.pt, k.tlb.of[cpu]!, pmd, linear, write);
  if (found === FAULT) {
    cursor.progress = stopForFault(cursor, cursor.progress, write === 1);
    return -1;
  }
  const reads = isWriter ? 0 : batch.reads[at]!;
  const writes = readOnly ? 0 : batch.writes[at]!;
  const count = kind === EXECUTE ? 1 : reads + writes || 1;
  countReferences(k, cpu, count);
  if (isUntouched(k.pt, linear)) markTouched(k, linear);
  cursor.progress = readOnly ? HAS_READ : NEW;
  return count * k.costs.referencePs + countMiss(k, cpu, found);
}

/** Counts what a reference missed; returns what it took beyond a hit, in picoseconds. */
function countMiss(k: Kernel, cpu: number, found: number): number {
  if (found === HIT) return 0;
  if (found === SECOND) countMisses(k, cpu, 1, 0, 0);
  else countMisses(k, cpu, 0, 1, found);
  return found === SECOND ? k.costs.secondLevelPs : found * k.costs.walkReferencePs;
}

/**
 * One reference of a script, to a page of a row that the caller has looked up. True: done, `k.nowNs` has
 * moved. False: it must fault first.
 */
export function touchOne(k: Kernel, cpu: number, row: PmdRow, pageInRow: number, write: boolean): boolean {
  if (row < 0) return false;
  const linear = row * k.geometry.pagesPerHuge + pageInRow;
  const found = lookUp(k.pt, k.tlb.of[cpu]!, k.pt.pmd.kind[row]!, linear, write ? 1 : 0);
  if (found === FAULT) return false;
  if (isUntouched(k.pt, linear)) markTouched(k, linear, !write);
  else if (write) noteOnlyRead(k.pt, linear, false);
  countReferences(k, cpu, 1);
  if (k.machine.nodes > 1) chargeTouches(k, row, pageInRow, 1);
  passTime(k, cpu, k.tlb.remainderPs[cpu]! + countMiss(k, cpu, found) + k.costs.referencePs);
  return true;
}

/**
 * Touches after a page that has just been touched in the same way: those that follow it in its row every
 * `stepPages`, `count` of them at most. Stops before one that faults, and after the one at which simulated
 * time reaches the limit. Returns how many were done.
 */
export function touchRun(
  k: Kernel,
  row: PmdRow,
  pageInRow: number,
  stepPages: number,
  count: number,
  write: boolean,
  limitNs: number,
): number {
  const { pagesPerHuge } = k.geometry;
  const { cpu } = k;
  const left = Math.min(count, Math.floor((pagesPerHuge - 1 - pageInRow) / stepPages));
  if (left <= 0 || k.nowNs >= limitNs) return 0;
  if (k.pt.pmd.kind[row] === PMD.HUGE && k.pt.pmd.touched[row] === pagesPerHuge) {
    // The row's one translation is the latest that was used: certain first-level hits.
    const leftPs = (limitNs - k.nowNs) * 1000 - k.tlb.remainderPs[cpu]!;
    const eachPs = k.costs.referencePs + (k.machine.nodes > 1 ? touchExtraPs(k, row, pageInRow) : 0);
    const done = Math.min(left, Math.max(1, Math.ceil(leftPs / eachPs)));
    countReferences(k, cpu, done);
    if (write) noteWrites(k.pt, row * pagesPerHuge + pageInRow, stepPages, done);
    if (k.machine.nodes > 1) chargeTouches(k, row, pageInRow, done);
    passTime(k, cpu, k.tlb.remainderPs[cpu]! + done * k.costs.referencePs);
    return done;
  }
  let page = pageInRow;
  for (let done = 0; done < left; ) {
    page += stepPages;
    if (!touchOne(k, cpu, row, page, write)) return done;
    done++;
    if (k.nowNs >= limitNs) return done;
  }
  return left;
}

/** Writes to `count` pages behind one, every `stepPages`: whatever they held, it is no zeros now. */
function noteWrites(pt: PageTables, linear: number, stepPages: number, count: number): void {
  if (!pt.someOnlyRead) return;
  for (let i = 1; i <= count; i++) noteOnlyRead(pt, linear + i * stepPages, false);
}

/** Stops at a record that must fault; returns how much of it is done. */
function stopForFault(cursor: RefCursor, progress: number, write: boolean): number {
  cursor.stop = STOP.FAULT;
  cursor.faultWrite = write;
  return progress === NEW ? ARRIVED : progress;
}
