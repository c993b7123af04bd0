/**
 * Importer for `strace -f -ttt`: the memory system calls and the life of processes, with flags by name or,
 * from `-X raw`, as numbers. No line tells of a page being used: such a trace holds mappings alone.
 *
 *     12189 1795266665.707297 mmap(NULL, 8192, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0) =
 *     0x7fa9 12189 1795266665.770433 vfork( <unfinished ...>
 *     12190 1795266665.773346 execve("/usr/bin/ls", ["ls"], 0x5632ff439e18 … <unfinished ...>
 *     12189 1795266665.773636 <... vfork resumed>) = 12190
 *     12190 1795266665.781050 +++ exited with 0 +++
 *     [pid 12191] 1795266666.1 clone3({flags=CLONE_VM|CLONE_THREAD, …}, 88) = 12192       on standard error
 */
import type { TraceSink } from "../trace/sink.ts";
import { type Importer, makeTextImporter } from "./importer.ts";
import {
  addProcess,
  addThread,
  makeRecorder,
  type RecordedThread,
  type Recorder,
  recordEvent,
  recordFork,
  recordThread,
} from "./recorder.ts";
import { areSound, argumentsOf, flagsOf } from "./strace-words.ts";
import { CLONE_THREAD, CLONE_VFORK, MEMORY_CALLS, recordCall } from "./syscalls.ts";

interface StraceState {
  readonly r: Recorder;
  readonly threads: Map<number, RecordedThread>;
  /** Text of a call whose result stands on a later line, by thread number. */
  readonly unfinished: Map<number, string>;
  /** Seconds of the first line: ns stay exact. */
  baseSeconds: number;
  time: number;
}

const MAKERS: readonly string[] = ["clone", "clone3", "fork", "vfork"];
const LINE = /^(?:\[pid\s+(\d+)\]\s+|(\d+)\s+)?(?:(?:(\d{6,})|\d+:\d+:\d+)(?:\.(\d{1,9}))?\s+)?(\S.*)$/;
const CALL = /^([a-z_0-9]+)\((.*)\)\s+= (-?\w+|\?)/;

/** Starts an import of strace's text into a sink. */
export function makeStraceImporter(sink: TraceSink): Importer {
  const s: StraceState = {
    r: makeRecorder(sink, { source: "strace", timeUnit: "ns", coverage: "faults", layout: "native" }),
    threads: new Map(),
    unfinished: new Map(),
    baseSeconds: -1,
    time: 0,
  };
  return makeTextImporter({
    format: "strace",
    r: s.r,
    expected: "[PID] [TIME] CALL(ARGUMENTS) = RESULT",
    ignoredAs: "other calls, signals and remarks",
    note: "system calls alone: mappings are known, but not a single use of memory",
    take: (line) => takeLine(s, line),
  });
}

/** True: understood. False: cannot be read. Undefined: says nothing about memory. */
function takeLine(s: StraceState, line: string): boolean | undefined {
  if (line.trim() === "" || line.startsWith("strace: ")) return undefined;
  const found = LINE.exec(line);
  if (found === null) return false;
  const pid = Number(found[1] ?? found[2] ?? 1);
  if (found[3] !== undefined && !setTime(s, Number(found[3]), Number((found[4] ?? "").padEnd(9, "0")))) {
    return false;
  }
  return takeRest(s, pid, found[5]!);
}

/** A month: what is further from the first line is no time of the same recording. */
const SPAN_SECONDS_MAX = 2_678_400;

function setTime(s: StraceState, seconds: number, nanoseconds: number): boolean {
  if (s.baseSeconds < 0) s.baseSeconds = seconds;
  if (Math.abs(seconds - s.baseSeconds) > SPAN_SECONDS_MAX) return false;
  s.time = Math.max(0, (seconds - s.baseSeconds) * 1e9 + nanoseconds);
  return true;
}

function takeRest(s: StraceState, pid: number, rest: string): boolean | undefined {
  if (rest.startsWith("+++ ")) {
    const thread = s.threads.get(pid);
    if (thread !== undefined) exit(s, thread, false);
    return true;
  }
  if (rest.startsWith("---")) return undefined;
  const unfinished = /^(.*?)\s*<unfinished \.\.\.>\)?$/.exec(rest)?.[1];
  if (unfinished !== undefined) {
    threadOf(s, pid);
    s.unfinished.set(pid, unfinished);
    return true;
  }
  const resumed = /^<\.\.\. [a-z_0-9]+ resumed>(.*)$/.exec(rest)?.[1];
  if (resumed === undefined) return takeCall(s, pid, rest);
  const begun = s.unfinished.get(pid);
  s.unfinished.delete(pid);
  return begun === undefined ? undefined : takeCall(s, pid, begun + resumed);
}

function takeCall(s: StraceState, pid: number, text: string): boolean | undefined {
  const found = CALL.exec(text);
  if (found === null) return false;
  const [, name, inside, shown] = found as unknown as [string, string, string, string];
  const thread = threadOf(s, pid);
  const result = shown === "?" ? 0 : Number(shown);
  if (name === "exit_group" || name === "exit") exit(s, thread, name === "exit_group");
  else if (Number.isNaN(result)) return false;
  else if (name === "execve" || name === "execveat") {
    if (result === 0) exec(s, thread, /"([^"]*)"/.exec(inside)?.[1] ?? "");
  } else if (MAKERS.includes(name)) {
    if (result > 0 && !s.threads.has(result)) bear(s, thread, result, name, inside);
  } else if (MEMORY_CALLS.includes(name)) {
    const values = argumentsOf(inside);
    if (!areSound(values) || result >= 2 ** 48) return false;
    recordCall(s.r, thread, s.time, name, values, result);
  } else return undefined;
  return true;
}

/** The line's thread. A stranger is the child of a call that has not returned yet, or the first of all. */
function threadOf(s: StraceState, pid: number): RecordedThread {
  const known = s.threads.get(pid);
  if (known !== undefined) return known;
  for (const [maker, text] of s.unfinished) {
    const name = /^([a-z_0-9]+)\(/.exec(text)?.[1] ?? "";
    const parent = s.threads.get(maker);
    if (MAKERS.includes(name) && parent !== undefined) return bear(s, parent, pid, name, text);
  }
  const thread = addThread(s.r, addProcess(s.r, pid, ""), pid, s.time);
  s.threads.set(pid, thread);
  return thread;
}

function bear(
  s: StraceState,
  parent: RecordedThread,
  child: number,
  name: string,
  text: string,
): RecordedThread {
  const flags = flagsOf(/flags=([^,}]*)/.exec(text)?.[1] ?? "0");
  const isThread = name.startsWith("clone") && (flags & CLONE_THREAD) !== 0;
  const vfork = name === "vfork" || (flags & CLONE_VFORK) !== 0;
  const thread = isThread
    ? recordThread(s.r, parent, child, s.time)
    : recordFork(s.r, parent, { pid: child, tid: child, vfork }, s.time);
  s.threads.set(child, thread);
  return thread;
}

function exec(s: StraceState, thread: RecordedThread, path: string): void {
  const { process } = thread;
  process.name = path.slice(path.lastIndexOf("/") + 1);
  process.liveThreads = 1;
  for (const [pid, other] of s.threads) {
    if (other !== thread && other.process === process) s.threads.delete(pid);
  }
  s.r.sink.describe({ program: process.name });
  recordEvent(s.r, thread, s.time, { kind: "exec", name: process.name });
}

function exit(s: StraceState, thread: RecordedThread, whole: boolean): void {
  const { process } = thread;
  process.liveThreads = whole ? 0 : process.liveThreads - 1;
  for (const [pid, other] of s.threads) {
    if (other === thread || (whole && other.process === process)) s.threads.delete(pid);
  }
  recordEvent(s.r, thread, s.time, { kind: "exit", process: process.liveThreads === 0 });
}
