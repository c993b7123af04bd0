/**
 * Importer for `perf script` text: page faults alone, or with the tracepoints that show system calls, forks
 * and resident memory. Every fault becomes one record with `REF.FAULT`.
 *
 *     push ──▶ first 64 KiB decide ──▶ lines ──▶ head ──▶ by event ──▶ threads, faults, calls ──▶ recorder
 *              which fault event counts
 *
 * When `exceptions:page_fault_*` exist, `page-faults` samples of the same faults are left out.
 */
import { decodeUtf8 } from "../trace/bytes.ts";
import type { TraceSink } from "../trace/sink.ts";
import {
  feedLines,
  type Importer,
  type ImportLog,
  type ImportSummary,
  joinBytes,
  type LineFeed,
  makeImportLog,
  makeLineFeed,
  noteIgnored,
  noteUnreadable,
  summarize,
  unendedLine,
} from "./importer.ts";
import { callEnds, callStarts } from "./perf-calls.ts";
import { exceptionFault, sampledFault } from "./perf-faults.ts";
import { makePerfHead, type PerfHead, readPerfHead } from "./perf-line.ts";
import { sideRecord } from "./perf-records.ts";
import { makeRssState, type RssState, rssStat } from "./perf-rss.ts";
import { execEvent, exitEvent, forkEvent, makeTaskState, type TaskState } from "./perf-tasks.ts";
import { makeReadFirstSink, type ReadFirstSink } from "./read-first.ts";
import { makeRecorder, type Recorder } from "./recorder.ts";
import { makeScan, type Scan, SPACE, startsWith, wordHash, wordOf } from "./scan.ts";

/** Bytes that are looked at before the first line is taken, to learn which events there are. */
const DECIDE_BYTES = 64 * 1024;

/** All that the perf importer knows while it runs. */
export interface PerfState {
  readonly r: Recorder;
  readonly log: ImportLog;
  readonly scan: Scan;
  readonly head: PerfHead;
  readonly tasks: TaskState;
  readonly rss: RssState;
  /** Seconds of the first line: times count from there, so that ns stay exact. */
  baseSeconds: number;
  /** ns of the line being taken. */
  time: number;
  /** `exceptions:page_fault_*` is in this text: `page-faults` are the same faults again. */
  readonly hasExceptions: boolean;
  /** `sched:sched_process_*` is in this text: perf's own records of the same are left out. */
  readonly hasSchedEvents: boolean;
}

const EXCEPTION = wordOf("exceptions:page_fault_");
const SCHED = wordOf("sched:sched_process_");

type Handler = (p: PerfState) => boolean | undefined;

const HANDLERS = new Map<number, readonly [name: string, handler: Handler]>();

function handle(name: string, handler: Handler): void {
  HANDLERS.set(hashOfText(name), [name, handler]);
}

function hashOfText(text: string): number {
  const word = wordOf(text);
  return wordHash(word, 0, word.length);
}

handle("exceptions:page_fault_user", (p) => exceptionFault(p, false));
handle("exceptions:page_fault_kernel", (p) => exceptionFault(p, true));
for (const name of ["page-faults", "faults", "minor-faults", "major-faults"]) {
  for (const modifier of ["", ":u", ":k", ":uk", ":ku", ":pp", ":ppp"]) handle(name + modifier, sampledFault);
}
handle("kmem:rss_stat", rssStat);
handle("sched:sched_process_fork", forkEvent);
handle("sched:sched_process_exec", execEvent);
handle("sched:sched_process_exit", exitEvent);
// Migrations are seen by the cpu that each line bears, exactly where the thread next does something.
handle("sched:sched_migrate_task", () => true);

const SIDE_RECORD = wordOf("PERF_RECORD_");
const SYSCALL_ENTER = wordOf("syscalls:sys_enter_");
const SYSCALL_EXIT = wordOf("syscalls:sys_exit_");

/** Starts an import of `perf script` text into a sink. */
export function makePerfImporter(sink: TraceSink): Importer {
  const feed = makeLineFeed();
  let undecided: Uint8Array = new Uint8Array(0);
  let p: PerfState | undefined;
  let readFirst: ReadFirstSink | undefined;
  const take = (bytes: Uint8Array, start: number, end: number): void => takeLine(p!, bytes, start, end);
  const decide = (): void => {
    const hasExceptions = contains(undecided, EXCEPTION);
    if (!hasExceptions) readFirst = makeReadFirstSink(sink);
    p = makePerfState(readFirst ?? sink, feed, hasExceptions, contains(undecided, SCHED));
    if (!hasExceptions) {
      p.log.notes.push(
        "page faults alone: a page that faults twice was read first, all other faults are writes",
        "page faults alone know no mappings: huge pages can be predicted only with the syscalls tracepoints",
      );
    }
    feedLines(feed, undecided, take);
  };
  return {
    push(chunk) {
      if (p !== undefined) {
        feedLines(feed, chunk, take);
        return;
      }
      undecided = joinBytes(undecided, chunk);
      if (undecided.length >= DECIDE_BYTES) decide();
    },
    end() {
      if (p === undefined) decide();
      readFirst?.flush();
      return finish(p!);
    },
  };
}

function makePerfState(
  sink: TraceSink,
  feed: LineFeed,
  hasExceptions: boolean,
  hasSchedEvents: boolean,
): PerfState {
  return {
    r: makeRecorder(sink, { source: "perf", timeUnit: "ns", coverage: "faults", layout: "native" }),
    log: makeImportLog(feed),
    scan: makeScan(),
    head: makePerfHead(),
    tasks: makeTaskState(hasSchedEvents),
    rss: makeRssState(),
    baseSeconds: -1,
    time: 0,
    hasExceptions,
    hasSchedEvents,
  };
}

function contains(bytes: Uint8Array, word: Uint8Array): boolean {
  for (let at = bytes.indexOf(word[0]!); at >= 0; at = bytes.indexOf(word[0]!, at + 1)) {
    if (startsWith(bytes, at, bytes.length, word)) return true;
  }
  return false;
}

function takeLine(p: PerfState, bytes: Uint8Array, start: number, end: number): void {
  const s = p.scan;
  s.bytes = bytes;
  s.at = start;
  s.end = end;
  s.ok = true;
  // Call chains (indented addresses), blank lines and perf's own remarks stand between the samples.
  if (end === start || bytes[start] === 35) {
    noteIgnored(p.log, "comments and blank lines");
    return;
  }
  if (!readPerfHead(s, p.head)) {
    const isContinuation = bytes[start] === SPACE || bytes[start] === 9;
    if (isContinuation) noteIgnored(p.log, "call chains");
    else noteUnreadable(p.log, bytes, start, end, "NAME PID/TID [CPU] TIME: EVENT: …");
    return;
  }
  if (p.baseSeconds < 0) p.baseSeconds = p.head.seconds;
  p.time = Math.max(0, (p.head.seconds - p.baseSeconds) * 1e9 + p.head.nanoseconds);
  const understood = dispatch(p);
  if (understood === undefined) noteIgnored(p.log, eventName(p));
  else if (understood && s.ok) p.log.understoodLines++;
  else noteUnreadable(p.log, bytes, start, end, fieldsOf(eventName(p)));
}

/** What a line of that event should hold. */
function fieldsOf(event: string): string {
  if (!/faults/.test(event)) return `the fields of ${event}`;
  return "ADDR IP (perf record -d; perf script -F comm,pid,tid,cpu,time,event,addr,ip)";
}

function eventName(p: PerfState): string {
  return decodeUtf8(p.scan.bytes, p.head.eventStart, p.head.eventEnd);
}

/** True: understood. False: cannot be read. Undefined: an event that says nothing about memory. */
function dispatch(p: PerfState): boolean | undefined {
  const { bytes } = p.scan;
  const { eventStart, eventEnd, eventHash } = p.head;
  const found = HANDLERS.get(eventHash);
  if (found !== undefined && found[0].length === eventEnd - eventStart) return found[1](p);
  if (startsWith(bytes, eventStart, eventEnd, SYSCALL_ENTER)) {
    return callStarts(p, decodeUtf8(bytes, eventStart + SYSCALL_ENTER.length, eventEnd));
  }
  if (startsWith(bytes, eventStart, eventEnd, SYSCALL_EXIT)) {
    return callEnds(p, decodeUtf8(bytes, eventStart + SYSCALL_EXIT.length, eventEnd));
  }
  if (startsWith(bytes, eventStart, eventEnd, SIDE_RECORD)) return sideRecord(p);
  return undefined;
}

function finish(p: PerfState): ImportSummary {
  const cutOff = unendedLine(p.log.feed);
  const summary = summarize(p.log, "perf", { records: p.r.records, events: p.r.events, cutOff });
  p.r.sink.describe({ program: mainProgram(p.r) });
  return summary;
}

/** The program that the trace is about: of the processes that ran one, the one with most records. */
function mainProgram(r: Recorder): string {
  let best = r.processes[0];
  for (const process of r.processes) if (best === undefined || process.records > best.records) best = process;
  return best === undefined ? "" : best.name;
}
