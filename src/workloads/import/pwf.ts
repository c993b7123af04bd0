/**
 * Importer for folded valgrind text, PWF1: each line is a run of references to one page, a system call, or a
 * switch of process or thread.
 *
 *     P 24855 · T 1 · w1fff000 2143 812 0 · ! 1 mmap 0 2000 3 22 ffffffff 0 = 4835000 299 · #end …
 *                     kind page reads writes dt    thread call args = result [path] dt
 *
 * Addresses are valgrind's own: a reader re-lays them out before a kernel sees them.
 */
import { REF } from "../records.ts";
import { decodeUtf8 } from "../trace/bytes.ts";
import type { TraceSink } from "../trace/sink.ts";
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
import {
  type GuestProcess,
  type GuestState,
  guestCall,
  guestExec,
  makeGuestState,
  switchProcess,
  switchThread,
} from "./life.ts";
import { makeRecorder, type RecordedThread, recordEvent, recordReference } from "./recorder.ts";
import { makeScan, type Scan, skipSpaces, takeDecimal, takeHex } from "./scan.ts";

interface PwfState {
  readonly g: GuestState;
  readonly log: ImportLog;
  readonly scan: Scan;
  /** Calls of execve whose outcome is not known yet, by process. */
  readonly execs: Map<GuestProcess, PendingExec>;
  /** The `#end` or `#truncated` line has come. */
  ended: boolean;
}

/**
 * `execve … = 0` is written when the call begins; a failure shows as a second line with its errno. Until the
 * process's next call, its runs may belong to the old program or to the new one.
 */
interface PendingExec {
  readonly thread: RecordedThread;
  readonly path: string;
  /** Runs since: page, kind, reads, writes, time. */
  readonly held: number[];
}

/** A new program makes its first system call within some hundred runs. */
const HELD_RUNS_MAX = 4096;

/** Kind of a record by its first character. */
const KIND_OF: Readonly<Record<number, number>> = {
  114: REF.READ,
  119: REF.WRITE,
  117: REF.READ_WRITE,
  120: REF.EXECUTE,
};

/** Starts an import of PWF1 text into a sink. */
export function makePwfImporter(sink: TraceSink): Importer {
  const feed = makeLineFeed();
  const r = makeRecorder(sink, { source: "pwf", timeUnit: "instructions", coverage: "folded" });
  const w: PwfState = {
    g: makeGuestState(r),
    log: makeImportLog(feed),
    scan: makeScan(),
    execs: new Map(),
    ended: false,
  };
  const take = (bytes: Uint8Array, start: number, end: number): void => takeLine(w, bytes, start, end);
  return {
    push: (chunk) => feedLines(feed, chunk, take),
    end: () => finish(w),
  };
}

function finish(w: PwfState): ImportSummary {
  for (const guest of [...w.execs.keys()]) settleExec(w, guest, true);
  const cutOff = unendedLine(w.log.feed) ?? (w.ended ? undefined : "there is no #end line");
  const { records, events } = w.g.r;
  return summarize(w.log, "pwf", { records, events, cutOff });
}

function takeLine(w: PwfState, bytes: Uint8Array, start: number, end: number): void {
  const s = w.scan;
  s.bytes = bytes;
  s.at = start + 1;
  s.end = end;
  s.ok = true;
  const first = end > start ? bytes[start]! : 35;
  const kind = KIND_OF[first];
  if (kind !== undefined) takeRun(w, kind);
  else if (first === 35) takeRemark(w, bytes, start, end);
  else if (first === 33) takeCall(w);
  else if (first === 80) {
    skipSpaces(s);
    const pid = takeDecimal(s);
    if (s.ok) switchProcess(w.g, pid);
  } else if (first === 84) {
    skipSpaces(s);
    const number = takeDecimal(s);
    if (s.ok) switchThread(w.g, number);
  } else s.ok = false;
  if (s.ok) w.log.understoodLines++;
  else noteUnreadable(w.log, bytes, start, end, "a PWF line: [rwux]PAGE READS WRITES DT, !, P, T or #");
}

/** The hot line. */
function takeRun(w: PwfState, kind: number): void {
  const s = w.scan;
  const page = takeHex(s);
  s.at++;
  const reads = takeDecimal(s);
  s.at++;
  const writes = takeDecimal(s);
  s.at++;
  const dt = takeDecimal(s);
  if (!s.ok || s.at !== s.end || reads > 0xffffffff || writes > 0xffffffff || page >= 2 ** 36) {
    s.ok = false;
    return;
  }
  const thread = w.g.thread ?? switchThread(w.g, 1);
  const guest = w.g.current!;
  guest.time += dt;
  const exec = w.execs.size === 0 ? undefined : w.execs.get(guest);
  if (exec === undefined) recordReference(w.g.r, thread, page, kind, reads, writes, guest.time);
  else {
    exec.held.push(page, kind, reads, writes, guest.time);
    if (exec.held.length >= 5 * HELD_RUNS_MAX) settleExec(w, guest, true);
  }
}

/** The outcome of an exec is known: tell it, if it came to be, then the runs that waited for that. */
function settleExec(w: PwfState, guest: GuestProcess, succeeded: boolean): void {
  const exec = w.execs.get(guest);
  if (exec === undefined) return;
  w.execs.delete(guest);
  if (succeeded) guestExec(w.g, guest, exec.thread, exec.path);
  const { held, thread } = exec;
  for (let i = 0; i < held.length; i += 5) {
    recordReference(w.g.r, thread, held[i]!, held[i + 1]!, held[i + 2]!, held[i + 3]!, held[i + 4]!);
  }
}

/** `! thread call args… = result [path] dt`. */
function takeCall(w: PwfState): void {
  const s = w.scan;
  const words = decodeUtf8(s.bytes, s.at, s.end).trim().split(" ");
  const equals = words.indexOf("=");
  const number = Number(words[0]);
  const dt = Number(words.at(-1));
  const isSound = equals >= 2 && words.length >= equals + 3 && Number.isInteger(number) && dt >= 0;
  const args = words.slice(2, Math.max(2, equals)).map((word) => Number.parseInt(word, 16));
  const resultWord = words[equals + 1] ?? "";
  const result = resultWord.startsWith("-") ? Number(resultWord) : Number.parseInt(resultWord, 16);
  if (!isSound || Number.isNaN(result)) {
    s.ok = false;
    return;
  }
  while (args.length < 6) args.push(0);
  const thread = switchThread(w.g, number);
  const guest = w.g.current!;
  const isExec = words[1] === "execve" || words[1] === "execveat";
  settleExec(w, guest, !(isExec && result < 0));
  guest.time += dt;
  // A word that is no number is a path that a call got as its argument.
  const path = words.slice(equals + 2, -1).join(" ");
  if (isExec) {
    if (result >= 0) w.execs.set(guest, { thread, path, held: [] });
    return;
  }
  guestCall(
    w.g,
    words[1]!,
    args.map((arg) => (Number.isNaN(arg) ? 0 : arg)),
    result,
    path,
  );
}

function takeRemark(w: PwfState, bytes: Uint8Array, start: number, end: number): void {
  const text = decodeUtf8(bytes, start, end);
  if (text.startsWith("#end")) w.ended = true;
  else if (text.startsWith("#truncated")) {
    w.ended = true;
    w.log.notes.push("the text is the head of a longer one and says so");
    if (w.g.thread !== undefined) {
      recordEvent(w.g.r, w.g.thread, w.g.current!.time, {
        kind: "lost",
        what: "the source ends here on purpose",
      });
    }
  } else if (text.startsWith("#pwf") && text !== "#pwf 1") w.scan.ok = false;
  else if (text.startsWith("#fold")) w.log.notes.push(`folded: ${text.slice(6)}`);
  else noteIgnored(w.log, "remarks and blank lines");
}
