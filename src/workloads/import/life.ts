/**
 * Processes and threads as valgrind numbers them: threads 1, 2, 3 … in each process, told apart by the pid.
 * Shared by the importers of valgrind's sources; time is the process's own, in instructions.
 */
import {
  addProcess,
  addThread,
  type RecordedProcess,
  type RecordedThread,
  type Recorder,
  recordEvent,
  recordFork,
  recordThread,
} from "./recorder.ts";
import { CLONE_THREAD, CLONE_VM, MEMORY_CALLS, recordCall } from "./syscalls.ts";

export interface GuestProcess {
  readonly process: RecordedProcess;
  readonly threads: Map<number, RecordedThread>;
  /** Instructions since the trace began, as this process counts them. */
  time: number;
  /** Thread that last made a thread: the maker of the next that appears. */
  maker: number;
  exited: boolean;
  /** When it last came to run: the latest is the likeliest parent of a stranger. */
  ranAt: number;
}

export interface GuestState {
  readonly r: Recorder;
  readonly processes: Map<number, GuestProcess>;
  current: GuestProcess | undefined;
  thread: RecordedThread | undefined;
  /** Children that a line of their own announced before their parent's fork line came. */
  readonly early: Set<number>;
  /** How often a process came to run. */
  switches: number;
}

export function makeGuestState(r: Recorder): GuestState {
  return { r, processes: new Map(), current: undefined, thread: undefined, early: new Set(), switches: 0 };
}

/** Later lines belong to that process. One that nobody announced was forked by the process that ran last. */
export function switchProcess(g: GuestState, pid: number): GuestProcess {
  if (g.current !== undefined && g.current.process.pid === pid && !g.current.exited) return g.current;
  let guest = g.processes.get(pid);
  if (guest === undefined || guest.exited) {
    const parent = lastAlive(g);
    if (parent !== undefined) {
      guest = bearGuest(g, parent, pid);
      g.early.add(pid);
    } else {
      const time = g.current?.time ?? 0;
      guest = {
        process: addProcess(g.r, pid, ""),
        threads: new Map(),
        time,
        maker: 1,
        exited: false,
        ranAt: 0,
      };
      g.processes.set(pid, guest);
    }
  }
  guest.ranAt = ++g.switches;
  g.current = guest;
  g.thread = undefined;
  return guest;
}

function lastAlive(g: GuestState): GuestProcess | undefined {
  let best: GuestProcess | undefined;
  for (const guest of g.processes.values()) {
    if (!guest.exited && (best === undefined || guest.ranAt > best.ranAt)) best = guest;
  }
  return best;
}

/** Later lines belong to that thread of the current process. */
export function switchThread(g: GuestState, number: number): RecordedThread {
  const guest = g.current ?? switchProcess(g, 1);
  let thread = guest.threads.get(number);
  if (thread === undefined) {
    const maker = guest.threads.get(guest.maker) ?? guest.threads.values().next().value;
    thread =
      maker === undefined
        ? addThread(g.r, guest.process, number, guest.time)
        : recordThread(g.r, maker, number, guest.time);
    guest.threads.set(number, thread);
  }
  g.thread = thread;
  return thread;
}

function bearGuest(g: GuestState, parent: GuestProcess, pid: number): GuestProcess {
  const forker = forkerOf(g, parent);
  const thread = recordFork(g.r, forker, { pid, tid: 1, vfork: false }, parent.time);
  const guest = {
    process: thread.process,
    threads: new Map([[1, thread]]),
    time: parent.time,
    maker: 1,
    exited: false,
    ranAt: 0,
  };
  g.processes.set(pid, guest);
  return guest;
}

/** The parent's thread that forks: the running one, or any. */
function forkerOf(g: GuestState, parent: GuestProcess): RecordedThread {
  if (g.current === parent && g.thread !== undefined) return g.thread;
  const some = parent.threads.values().next().value;
  if (some !== undefined) return some;
  const first = addThread(g.r, parent.process, 1, parent.time);
  parent.threads.set(1, first);
  return first;
}

/** A finished system call of the current thread. `name` is its name without `sys_`. */
export function guestCall(
  g: GuestState,
  name: string,
  args: ArrayLike<number>,
  result: number,
  path: string,
): void {
  const guest = g.current!;
  const thread = g.thread!;
  switch (name) {
    case "clone":
    case "clone3":
    case "fork":
    case "vfork":
      if (result > 0) guestClone(g, guest, name, args[0]!, result);
      break;
    case "execve":
    case "execveat":
      if (result < 0) break;
      guestExec(g, guest, thread, path);
      break;
    case "exit":
      guest.process.liveThreads--;
      recordEvent(g.r, thread, guest.time, { kind: "exit", process: guest.process.liveThreads === 0 });
      forgetThread(guest, thread);
      if (guest.process.liveThreads === 0) guest.exited = true;
      g.thread = undefined;
      break;
    case "exit_group":
      recordEvent(g.r, thread, guest.time, { kind: "exit", process: true });
      guest.exited = true;
      g.thread = undefined;
      break;
    default:
      if (MEMORY_CALLS.includes(name)) recordCall(g.r, thread, guest.time, name, args, result);
  }
}

/** The process runs a new program. Its other threads are gone. */
export function guestExec(g: GuestState, guest: GuestProcess, thread: RecordedThread, path: string): void {
  guest.process.name = path.slice(path.lastIndexOf("/") + 1);
  guest.process.liveThreads = 1;
  guest.threads.clear();
  guest.threads.set(thread.tid, thread);
  recordEvent(g.r, thread, guest.time, { kind: "exec", name: guest.process.name });
}

/** Valgrind makes vfork a fork, so that only CLONE_VM without CLONE_VFORK shares memory: a thread. */
function guestClone(g: GuestState, guest: GuestProcess, name: string, flags: number, child: number): void {
  const isThread = name === "clone" && (flags & (CLONE_THREAD | CLONE_VM)) === (CLONE_THREAD | CLONE_VM);
  if (isThread) guest.maker = g.thread!.tid;
  else if (!g.early.delete(child)) bearGuest(g, guest, child);
}

/** Its number may come again: valgrind gives the lowest free one to the next thread. */
function forgetThread(guest: GuestProcess, thread: RecordedThread): void {
  guest.threads.delete(thread.tid);
  if (guest.maker === thread.tid) guest.maker = guest.threads.keys().next().value ?? 1;
}
