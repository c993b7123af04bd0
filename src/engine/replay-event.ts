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
import type { TraceEvent } from "../workloads/records.ts";
import type { Replay, ReplayThread } from "./replay-state.ts";
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

type Call = Extract<TraceEvent, { readonly kind: "map" | "unmap" | "remap" | "protect" | "advise" | "brk" }>;

/** A memory system call that succeeded in the recording. */
function* runCall(replay: Replay, mm: Mm, event: Call): Path<number> {
  const { k } = replay.session;
  switch (event.kind) {
    case "map": {
      const kinds =
        (event.shared ? VM.SHARED : 0) | (event.file ? VM.FILE : 0) | (event.noreserve ? VM.NORESERVE : 0);
      return yield* mmap(k, mm, {
        at: pageOf(event.start),
        pages: pagesOf(event.length),
        flags: accessOf(event.prot) | kinds,
        replace: true,
        stack: event.stack,
      });
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
      const mm = yield* forkMm(k, process.mm);
      mm.pid = source.pid;
      replay.processes[source.process] = { index: source.process, mm };
      const child = threadOf(event.child);
      child.readyNs = k.nowNs;
      return;
    }
    case "thread": {
      process.mm.users += 1;
      const child = threadOf(event.child);
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
  fresh.pid = old.pid;
  fresh.name = name;
  fresh.thpDisable = old.thpDisable;
  fresh.filePagesFromTrace = old.filePagesFromTrace;
  process.mm = fresh;
  runner.mm = fresh;
  replay.slotRows.fill(-1);
  old.users -= 1;
  if (old.users === 0) yield* exitMm(k, old);
}

/** A thread ends, or its whole process. */
function* exit(replay: Replay, thread: ReplayThread, wholeProcess: boolean): Path {
  const { mm } = thread.process;
  thread.ended = true;
  if (wholeProcess) {
    for (const other of replay.threads) if (other?.process === thread.process) other.ended = true;
    mm.users = 0;
  } else {
    mm.users -= 1;
  }
  if (mm.users > 0 || replay.session.k.mms[mm.id] === undefined) return;
  mm.users = 0;
  yield* exitMm(replay.session.k, mm);
}
