/**
 * Replays the events of a trace: system calls with the addresses that the recording had, and the life of
 * processes.
 */
import type { Path } from "../core/ops.ts";
import { PAGE_BYTES } from "../core/units.ts";
import { forkMm } from "../kernel/mm/fork.ts";
import { madvise } from "../kernel/mm/madvise.ts";
import { addFilePages, type Mm, makeMm, type ThpDisable } from "../kernel/mm/mm.ts";
import { brk, mmap } from "../kernel/mm/mmap.ts";
import { mprotect } from "../kernel/mm/mprotect.ts";
import { mremap } from "../kernel/mm/mremap.ts";
import { exitMm, munmap } from "../kernel/mm/munmap.ts";
import { VM } from "../kernel/mm/vma.ts";
import { leaveGroup } from "../kernel/numa/group.ts";
import { forkNumaTask } from "../kernel/numa/life.ts";
import { assert } from "../lib/assert.ts";
import { recordMapped } from "../metrics/recorder.ts";
import type { TraceEvent } from "../workloads/records.ts";
import type { Replay, ReplayProcess, ReplayThread } from "./replay-state.ts";
import { populate } from "./script-calls.ts";
import { verifyNow } from "./session.ts";

const pagesOf = (bytes: number): number => Math.ceil(bytes / PAGE_BYTES);
const pageOf = (address: number): number => Math.floor(address / PAGE_BYTES);

function accessOf(prot: number): number {
  return (
    ((prot & 1) !== 0 ? VM.READ : 0) | ((prot & 2) !== 0 ? VM.WRITE : 0) | ((prot & 4) !== 0 ? VM.EXEC : 0)
  );
}

/** Replays one event. `threadOf` gives the replay's side of a child. */
export function* runEvent(
  replay: Replay,
  thread: ReplayThread,
  event: TraceEvent,
  threadOf: (index: number) => ReplayThread,
): Path {
  switch (event.kind) {
    case "map":
    case "unmap":
    case "remap":
    case "protect":
    case "advise":
    case "brk":
      yield* runCall(replay, thread.process.mm, event);
      break;
    default:
      yield* runLife(replay, thread, event, threadOf);
  }
  if (replay.session.options.verify) verifyNow(replay.session);
}

/** What `runCall` carries out; who calls it and when is not its business. */
export type Call = Extract<
  TraceEvent,
  { readonly kind: "map" | "unmap" | "remap" | "protect" | "advise" | "brk" }
>;

/** A memory system call: in a trace, one that succeeded in the recording. */
export function* runCall(replay: Replay, mm: Mm, event: Call): Path<number> {
  const { k } = replay.session;
  switch (event.kind) {
    case "map": {
      const kinds =
        (event.shared ? VM.SHARED : 0) | (event.file ? VM.FILE : 0) | (event.noreserve ? VM.NORESERVE : 0);
      const flags = accessOf(event.prot) | kinds;
      const pages = pagesOf(event.length);
      const request = { at: pageOf(event.start), pages, flags, replace: true, stack: event.stack };
      const start = yield* mmap(k, mm, request);
      const { recorder } = replay.session;
      const name = event.stack ? "stack of a thread" : undefined;
      if (recorder !== undefined && start >= 0) recordMapped(recorder, mm, start, pages, name);
      if (start >= 0 && event.populate) yield* populate(replay.session, mm, start, pages, flags);
      return start;
    }
    case "unmap":
      return yield* munmap(k, mm, pageOf(event.start), pagesOf(event.length));
    case "remap": {
      const to = event.newStart === event.start ? undefined : pageOf(event.newStart);
      return yield* mremap(k, mm, pageOf(event.start), pagesOf(event.length), pagesOf(event.newLength), to);
    }
    case "protect":
      return yield* mprotect(k, mm, pageOf(event.start), pagesOf(event.length), accessOf(event.prot));
    case "advise":
      return yield* madvise(k, mm, pageOf(event.start), pagesOf(event.length), event.advice);
    case "brk":
      return yield* brk(k, mm, pagesOf(event.start), pagesOf(event.end));
  }
}

/** fork, exec, exit, and what the source says besides. */
function* runLife(
  replay: Replay,
  thread: ReplayThread,
  event: Exclude<TraceEvent, Call>,
  threadOf: (index: number) => ReplayThread,
): Path {
  const { process } = thread;
  const { k } = replay.session;
  switch (event.kind) {
    case "fork": {
      const source = replay.trace.threads[event.child]!;
      const numa = forkNumaTask(k, thread.runner.task!, event.vfork ? "thread" : "fork");
      const mm = event.vfork ? process.mm : yield* forkMm(k, process.mm);
      if (event.vfork) mm.users += 1;
      else mm.pid = source.pid;
      replay.processes[source.process] = { index: source.process, mm };
      const child = threadOf(event.child);
      child.runner.task = numa;
      child.readyNs = k.nowNs;
      return;
    }
    case "thread": {
      const numa = forkNumaTask(k, thread.runner.task!, "thread");
      process.mm.users += 1;
      const child = threadOf(event.child);
      child.runner.task = numa;
      child.readyNs = k.nowNs;
      return;
    }
    case "exec":
      return yield* exec(replay, thread, event.name);
    case "exit":
      return yield* exit(replay, thread, event.process);
    case "cpu":
      thread.cpu = event.cpu % k.machine.cpus;
      return;
    case "thp-disable":
      process.mm.thpDisable = event.value as ThpDisable;
      return;
    case "file-rss":
      addFilePages(process.mm, event.pages - process.mm.filePages);
      return;
    case "lost":
      return;
  }
}

/** A new, empty address space; the old one goes with its last user. */
function* exec(replay: Replay, thread: ReplayThread, name: string): Path {
  const { process, runner } = thread;
  const { k } = replay.session;
  const old = process.mm;
  const fresh = makeMm(k);
  fresh.pid = replay.trace.threads[thread.index]!.pid;
  fresh.name = name;
  fresh.thpDisable = old.thpDisable;
  fresh.filePagesFromTrace = old.filePagesFromTrace;
  const users = endThreads(replay, process);
  thread.ended = false;
  leaveGroup(k, runner.task!);
  process.mm = fresh;
  runner.mm = fresh;
  replay.slotRows.fill(-1);
  yield* leaveMm(replay, old, users);
}

/** A thread ends, or its whole process. */
function* exit(replay: Replay, thread: ReplayThread, wholeProcess: boolean): Path {
  const users = wholeProcess ? endThreads(replay, thread.process) : 1;
  thread.ended = true;
  leaveGroup(replay.session.k, thread.runner.task!);
  yield* leaveMm(replay, thread.process.mm, users);
}

/** Every thread of a process ends; returns how many that lived. */
function endThreads(replay: Replay, process: ReplayProcess): number {
  let ended = 0;
  for (const thread of replay.threads) {
    if (thread === undefined || thread.process !== process || thread.ended) continue;
    thread.ended = true;
    ended++;
  }
  return ended;
}

/** Threads leave an address space; with the last of them, which may be a child of vfork, it goes. */
function* leaveMm(replay: Replay, mm: Mm, users: number): Path {
  mm.users -= users;
  assert(mm.users >= 0, "every thread that leaves an address space was counted as its user");
  if (mm.users === 0) yield* exitMm(replay.session.k, mm);
}
