/**
 * Who is who in a perf trace: threads by their number, and how they came to be. What the text does not say (a
 * parent that was not recorded, the flags of clone3, an exec without its tracepoint) is concluded here.
 */
import { decodeUtf8 } from "../trace/bytes.ts";
import type { PerfState } from "./perf.ts";
import { announceFileRss, leaveMm } from "./perf-rss.ts";
import {
  addProcess,
  addThread,
  type RecordedProcess,
  type RecordedThread,
  recordEvent,
  recordFork,
  recordReference,
  recordThread,
} from "./recorder.ts";
import { seekField, takeDecimal, takeToken, wordHash, wordOf } from "./scan.ts";
import { CLONE_THREAD, CLONE_VFORK, CLONE_VM } from "./syscalls.ts";

/** A fault that waits to learn whether it fell before or after an exec. */
export interface HeldFault {
  readonly vpn: number;
  readonly kind: number;
  inNewMm: boolean;
}

/** No exec is under way. */
export const NO_EXEC = -1;
/**
 * The trace begins with this process: its first kernel faults may be those of the exec that perf started it
 * with.
 */
export const STARTING = -2;

/** A thread as the perf importer knows it. */
export interface PerfThread {
  readonly recorded: RecordedThread;
  /** Hash of its name: a change may be an exec. */
  nameHash: number;
  /** The system call that it is in, "" for none, and its arguments. */
  call: string;
  readonly args: Float64Array;
  /** The call, if it makes a child, has made it. */
  childMade: boolean;
  /** mm that an exec under way fills (`rss_stat` of a stranger outside fork), NO_EXEC, or STARTING. */
  execMm: number;
  readonly held: HeldFault[];
  exited: boolean;
}

/** A child whose parent was seen forking, but not whether it is a thread or a process. */
interface ExpectedChild {
  readonly parent: PerfThread;
  readonly vfork: boolean;
}

export interface TaskState {
  readonly threads: Map<number, PerfThread>;
  readonly expected: Map<number, ExpectedChild>;
  /** Process by pid: the latest that bore it. */
  readonly byPid: Map<number, PerfThread>;
  /** Thread of the last line: most lines have the same. */
  last: PerfThread | undefined;
  /** Forks, execs and exits are in the text: a change of name is then no exec. */
  hasLifeCycle: boolean;
}

export function makeTaskState(hasLifeCycle: boolean): TaskState {
  return { threads: new Map(), expected: new Map(), byPid: new Map(), last: undefined, hasLifeCycle };
}

function enroll(p: PerfState, recorded: RecordedThread): PerfThread {
  const t: PerfThread = {
    recorded,
    nameHash: 0,
    call: "",
    args: new Float64Array(6),
    childMade: false,
    execMm: NO_EXEC,
    held: [],
    exited: false,
  };
  p.tasks.threads.set(recorded.tid, t);
  if (recorded.tid === recorded.process.pid) p.tasks.byPid.set(recorded.process.pid, t);
  return t;
}

/** The line's thread, made known if it is new, and on the line's CPU. */
export function threadOf(p: PerfState): PerfThread {
  const { tid, cpu } = p.head;
  let t = p.tasks.last;
  if (t === undefined || t.recorded.tid !== tid || t.exited) {
    t = p.tasks.threads.get(tid) ?? adopt(p);
    p.tasks.last = t;
  }
  if (cpu >= 0 && cpu !== t.recorded.cpu && !t.exited) {
    recordEvent(p.r, t.recorded, p.time, { kind: "cpu", cpu });
  }
  return t;
}

/** The line's thread if it is known and alive. */
export function knownThread(p: PerfState): PerfThread | undefined {
  const t = p.tasks.threads.get(p.head.tid);
  return t === undefined || t.exited ? undefined : t;
}

function lineName(p: PerfState): string {
  return decodeUtf8(p.scan.bytes, p.head.nameStart, p.head.nameEnd);
}

function adopt(p: PerfState): PerfThread {
  const { tid, pid } = p.head;
  const expected = p.tasks.expected.get(tid);
  if (expected !== undefined) {
    p.tasks.expected.delete(tid);
    const { parent, vfork } = expected;
    const isThread = pid < 0 || pid === parent.recorded.process.pid;
    return isThread ? bearThread(p, parent, tid) : bearProcess(p, parent, pid, vfork);
  }
  const leader = pid >= 0 && pid !== tid ? p.tasks.byPid.get(pid) : undefined;
  if (leader !== undefined) return bearThread(p, leader, tid);
  for (const parent of p.tasks.threads.values()) {
    if (!parent.childMade && isForkCall(parent) && !parent.exited) {
      return bearProcess(p, parent, tid, parent.call === "vfork");
    }
  }
  const twin = p.tasks.hasLifeCycle ? undefined : namesake(p);
  if (twin !== undefined) return bearProcess(p, twin, tid, false);
  const process = addProcess(p.r, pid < 0 ? tid : pid, lineName(p));
  const first = enroll(p, addThread(p.r, process, tid, p.time));
  if (p.hasSchedEvents) first.execMm = STARTING;
  return first;
}

/** Without life-cycle events: a new process that bears a known one's name was forked by it. */
function namesake(p: PerfState): PerfThread | undefined {
  const hash = nameHashOf(p);
  for (const t of p.tasks.byPid.values()) if (t.nameHash === hash && !t.exited) return t;
  return undefined;
}

/** In a call that certainly makes a process. */
function isForkCall(t: PerfThread): boolean {
  return t.call === "fork" || t.call === "vfork" || (t.call === "clone" && (t.args[0]! & CLONE_VM) === 0);
}

function bearThread(p: PerfState, maker: PerfThread, tid: number): PerfThread {
  maker.childMade = true;
  return enroll(p, recordThread(p.r, maker.recorded, tid, p.time));
}

function bearProcess(p: PerfState, parent: PerfThread, pid: number, vfork: boolean): PerfThread {
  parent.childMade = true;
  return enroll(p, recordFork(p.r, parent.recorded, { pid, tid: pid, vfork }, p.time));
}

const CHILD_PID = wordOf("child_pid=");
const FILENAME = wordOf("filename=");

/** sched:sched_process_fork, in the parent. */
export function forkEvent(p: PerfState): boolean {
  p.tasks.hasLifeCycle = true;
  const s = p.scan;
  if (!seekField(s, CHILD_PID)) return false;
  // A name may hold the very words; the field is the last of its name.
  while (seekField(s, CHILD_PID));
  const child = takeDecimal(s);
  if (s.ok) childBorn(p, threadOf(p), child);
  return s.ok;
}

/** A thread has made a child with that number. */
export function childBorn(p: PerfState, parent: PerfThread, child: number): void {
  parent.childMade = true;
  const { call } = parent;
  const flags = parent.args[0]!;
  const vfork = call === "vfork" || (call === "clone" && (flags & CLONE_VFORK) !== 0);
  p.tasks.threads.delete(child);
  if (p.tasks.last?.recorded.tid === child) p.tasks.last = undefined;
  if (call === "fork" || call === "vfork") bearProcess(p, parent, child, vfork);
  else if (call === "clone" && (flags & CLONE_THREAD) !== 0) bearThread(p, parent, child);
  else if (call === "clone") bearProcess(p, parent, child, vfork);
  // clone3 keeps its flags in memory, which the text does not show: the child's own first line tells its pid.
  // A process made so comes from posix_spawn, which borrows the parent's memory until it runs the program.
  else p.tasks.expected.set(child, { parent, vfork: call === "clone3" });
}

/** sched:sched_process_exec. */
export function execEvent(p: PerfState): boolean {
  p.tasks.hasLifeCycle = true;
  const s = p.scan;
  if (!seekField(s, FILENAME)) return false;
  const path = takeToken(s);
  becomeProgram(p, threadOf(p), path.slice(path.lastIndexOf("/") + 1));
  return true;
}

/** The thread's process now runs that program in a new address space. */
export function becomeProgram(p: PerfState, t: PerfThread, name: string): void {
  releaseHeld(p, t, false);
  t.recorded.process.name = name;
  // The best guess while the trace can still be named; at its end the busiest process names it, if not too
  // late.
  p.r.sink.describe({ program: name });
  recordEvent(p.r, t.recorded, p.time, { kind: "exec", name });
  announceFileRss(p, t);
  releaseHeld(p, t, true);
  t.execMm = NO_EXEC;
  t.nameHash = nameHashOf(p);
}

export function nameHashOf(p: PerfState): number {
  return wordHash(p.scan.bytes, p.head.nameStart, p.head.nameEnd);
}

/** Records the held faults of the old mm, or of the new one. */
function releaseHeld(p: PerfState, t: PerfThread, newOnes: boolean): void {
  for (const { vpn, kind, inNewMm } of t.held) {
    if (inNewMm === newOnes) recordReference(p.r, t.recorded, vpn, kind, kind & 1 ? 0 : 1, kind & 1, p.time);
  }
  if (newOnes) t.held.length = 0;
}

/** No exec came of it: all held faults fell in the mm that the thread still has. */
export function releaseAllHeld(p: PerfState, t: PerfThread): void {
  if (t.held.length > 0) {
    releaseHeld(p, t, false);
    releaseHeld(p, t, true);
  }
  t.execMm = NO_EXEC;
}

/** sched:sched_process_exit, in the thread that ends. */
export function exitEvent(p: PerfState): boolean {
  p.tasks.hasLifeCycle = true;
  const t = p.tasks.threads.get(p.head.tid);
  if (t === undefined || t.exited) return true;
  threadExits(p, t);
  return true;
}

export function threadExits(p: PerfState, t: PerfThread): void {
  releaseAllHeld(p, t);
  t.exited = true;
  const process: RecordedProcess = t.recorded.process;
  process.liveThreads--;
  if (process.liveThreads === 0) leaveMm(p, process);
  recordEvent(p.r, t.recorded, p.time, { kind: "exit", process: process.liveThreads === 0 });
}
