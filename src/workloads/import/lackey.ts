/**
 * Importer for valgrind's lackey: `--trace-mem=yes`, with or without `--trace-syscalls=yes` and
 * `--trace-sched=yes`.
 *
 *     I  0401ab70,3                    an instruction          ` S 1fff000768,8`  a store
 *     ` L 04a28750,8`  a load          ` M 0421c7cc,4`         load and store by one instruction
 *     --19724--   SCHED[2]:  acquired lock (…)                 thread 2 runs from here on
 *     SYSCALL[19724,1](9) sys_mmap ( 0x0, 8192, 3, 34, 4294967295, 0 ) --> [pre-success] Success(0x4835000)
 *
 * Public traces come without the leading space and the I lines; that is read as well. References fold without
 * loss (`fold.ts`). Time counts instructions, or references where there are no I lines.
 */
import { REF } from "../records.ts";
import type { TraceSink } from "../trace/sink.ts";
import { type Fold, flushFold, foldCode, foldData, makeFold, type RunTaker } from "./fold.ts";
import {
  feedLines,
  type Importer,
  type ImportLog,
  type ImportSummary,
  makeImportLog,
  makeLineFeed,
  noteIgnored,
  noteUnreadable,
  summarize,
  unendedLine,
} from "./importer.ts";
import { type PendingCall, takeCallLine } from "./lackey-calls.ts";
import { type GuestState, makeGuestState, switchProcess, switchThread } from "./life.ts";
import { makeRecorder, recordReference } from "./recorder.ts";
import {
  hexDigit,
  isDigit,
  makeScan,
  type Scan,
  SPACE,
  seekField,
  startsWith,
  takeDecimal,
  wordOf,
} from "./scan.ts";

export interface LackeyState {
  readonly g: GuestState;
  readonly log: ImportLog;
  readonly scan: Scan;
  readonly fold: Fold;
  readonly takeRun: RunTaker;
  /** Calls whose result stands on a later line, by thread. */
  readonly pending: Map<string, PendingCall>;
  /** The call whose result begins the next line, after a fork's remark. */
  unfinished: PendingCall | undefined;
  hasInstructions: boolean;
}

const SCHED = wordOf("SCHED[");
const ACQUIRED = wordOf("acquired lock");
const SYSCALL = wordOf("SYSCALL[");
const RESULT = wordOf("-->");
const CLOSE_PID = wordOf("-- ");

const LETTER_I = 73;
const LETTER_L = 76;
const LETTER_M = 77;
const LETTER_S = 83;
const PAGE_BYTES = 4096;

/** Starts an import of lackey's text into a sink. */
export function makeLackeyImporter(sink: TraceSink): Importer {
  const feed = makeLineFeed();
  const r = makeRecorder(sink, { source: "lackey", timeUnit: "instructions", coverage: "references" });
  const g = makeGuestState(r);
  const l: LackeyState = {
    g,
    log: makeImportLog(feed),
    scan: makeScan(),
    fold: makeFold(),
    takeRun: (vpn, kind, reads, writes, time) =>
      recordReference(r, g.thread!, vpn, kind, reads, writes, time),
    pending: new Map(),
    unfinished: undefined,
    hasInstructions: false,
  };
  const take = (bytes: Uint8Array, start: number, end: number): void => takeLine(l, bytes, start, end);
  return {
    push: (chunk) => feedLines(feed, chunk, take),
    end: () => finish(l),
  };
}

function finish(l: LackeyState): ImportSummary {
  flush(l);
  if (!l.hasInstructions) l.log.notes.push("no I lines: time counts data references");
  const { records, events } = l.g.r;
  return summarize(l.log, "lackey", { records, events, cutOff: unendedLine(l.log.feed) });
}

/** Passes on what is folded: the thread changes, or memory does. */
export function flush(l: LackeyState): void {
  if (l.g.thread !== undefined) flushFold(l.fold, l.takeRun);
}

function takeLine(l: LackeyState, bytes: Uint8Array, start: number, end: number): void {
  const at = end > start && bytes[start] === SPACE ? start + 1 : start;
  const letter = at + 1 < end ? bytes[at]! : 0;
  if (
    bytes[at + 1] === SPACE &&
    (letter === LETTER_I || letter === LETTER_L || letter === LETTER_S || letter === LETTER_M)
  ) {
    if (takeReference(l, letter, bytes, at + 2, end)) l.log.understoodLines++;
    else noteUnreadable(l.log, bytes, start, end, "ADDRESS,SIZE");
    return;
  }
  const s = l.scan;
  s.bytes = bytes;
  s.at = start;
  s.end = end;
  s.ok = true;
  const understood = takeOtherLine(l, start, letter);
  if (understood === undefined) noteIgnored(l.log, "valgrind's remarks and blank lines");
  else if (understood && s.ok) l.log.understoodLines++;
  else
    noteUnreadable(l.log, bytes, start, end, "an access, SYSCALL[PID,THREAD](NR) …, or a line of valgrind's");
}

/**
 * The hot line: hexadecimal address, comma, decimal size. An access that crosses into the next page touches
 * both.
 */
function takeReference(l: LackeyState, letter: number, bytes: Uint8Array, at: number, end: number): boolean {
  while (at < end && bytes[at] === SPACE) at++;
  let high = 0;
  let low = 0;
  const from = at;
  for (; at < end; at++) {
    const digit = hexDigit(bytes[at]!);
    if (digit < 0) break;
    // Two halves keep the arithmetic in small integers: the low three digits are the place in the page.
    high = high * 16 + (low >>> 8);
    low = ((low & 255) << 4) | digit;
  }
  if (at === from || bytes[at] !== 44 || at - from > 16) return false;
  at++;
  let size = 0;
  const sizeFrom = at;
  while (at < end && isDigit(bytes[at]!)) size = size * 10 + bytes[at++]! - 48;
  if (at === sizeFrom || at !== end || high >= 2 ** 36 || size > 65536) return false;
  if (l.g.thread === undefined) switchThread(l.g, 1);
  const lastPage = high + Math.floor((low + Math.max(size, 1) - 1) / PAGE_BYTES);
  const guest = l.g.current!;
  if (letter === LETTER_I) {
    l.hasInstructions = true;
    guest.time++;
    foldCode(l.fold, high, guest.time, l.takeRun);
    if (lastPage !== high) foldCode(l.fold, lastPage, guest.time, l.takeRun);
    return true;
  }
  if (!l.hasInstructions) guest.time++;
  const reads = letter === LETTER_S ? 0 : 1;
  const writes = letter === LETTER_L ? 0 : 1;
  for (let page = high; page <= lastPage; page++)
    foldData(l.fold, page, reads, writes, guest.time, l.takeRun);
  return true;
}

/** True: understood. False: cannot be read. Undefined: says nothing about memory. */
function takeOtherLine(l: LackeyState, start: number, letter: number): boolean | undefined {
  const s = l.scan;
  const { bytes, end } = s;
  if (startsWith(bytes, start, end, SYSCALL)) return takeCallLine(l);
  let first = start;
  while (first < end && bytes[first] === SPACE) first++;
  if (startsWith(bytes, first, end, RESULT)) return takeCallLine(l);
  if (first === end) return undefined;
  if (letter === 61 || letter === 45) {
    takePid(l, start);
    return takeSched(l, start);
  }
  return false;
}

/** `==PID==` and `--PID--` tell the process before anything else does. */
function takePid(l: LackeyState, start: number): void {
  const s = l.scan;
  s.at = start + 2;
  const pid = takeDecimal(s);
  if (s.ok && l.g.current === undefined) switchProcess(l.g, pid);
  s.ok = true;
}

/** `SCHED[n]:  acquired lock`: thread n runs from here on. May stand at the end of a SYSCALL line too. */
export function takeSched(l: LackeyState, start: number): boolean | undefined {
  const s = l.scan;
  s.at = start;
  if (!seekField(s, CLOSE_PID) || !seekField(s, SCHED)) return undefined;
  const number = takeDecimal(s);
  if (!s.ok) return false;
  if (seekField(s, ACQUIRED)) runThread(l, number);
  return true;
}

export function runThread(l: LackeyState, number: number): void {
  if (l.g.thread?.tid === number) return;
  flush(l);
  switchThread(l.g, number);
}

/**
 * Accesses that the kernel makes for a call: lackey does not show them, but a read(2) into fresh memory
 * faults.
 */
export function kernelAccess(l: LackeyState, start: number, length: number, writes: boolean): void {
  const guest = l.g.current!;
  const kind = (writes ? REF.WRITE : REF.READ) | REF.KERNEL;
  const first = Math.floor(start / PAGE_BYTES);
  const last = Math.floor((start + length - 1) / PAGE_BYTES);
  for (let page = first; page <= last; page++) {
    recordReference(l.g.r, l.g.thread!, page, kind, writes ? 0 : 1, writes ? 1 : 0, guest.time);
  }
}
