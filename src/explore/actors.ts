/**
 * Who acts in scenarios: programs, the scanner, a device that holds a pin, system calls, daemons. Each is a
 * path; what it does to the kernel is the kernel's own code.
 */
import { type Op, type Path, PREEMPT } from "../core/ops.ts";
import { S_NS } from "../core/units.ts";
import { putPage } from "../kernel/buddy/free.ts";
import { handleFault } from "../kernel/fault/handle.ts";
import { broken } from "../kernel/invariants-paths.ts";
import { pageTableLock } from "../kernel/locks.ts";
import { forkMm } from "../kernel/mm/fork.ts";
import { FRAME } from "../kernel/mm/frames.ts";
import type { Mm } from "../kernel/mm/mm.ts";
import { mprotect } from "../kernel/mm/mprotect.ts";
import { mremap } from "../kernel/mm/mremap.ts";
import { exitMm, munmap } from "../kernel/mm/munmap.ts";
import { frameAt, pinPage, unpinPage } from "../kernel/mm/pin.ts";
import { headOf, mappingCount } from "../kernel/mm/rmap.ts";
import { VM } from "../kernel/mm/vma.ts";
import { numaPolicy } from "../kernel/numa/policy.ts";
import { splitPage } from "../kernel/thp/split.ts";
import { store } from "./memory.ts";
import { type Actor, Violation } from "./runner.ts";
import { rowOf, vpnOf, type World } from "./world.ts";

/** An actor on a CPU. */
export function actor(name: string, cpu: number, path: () => Path<unknown>): Actor {
  return { name, cpu, path };
}

/** get_user_pages for writing: faults until the page may be pinned, then holds a reference. */
export function* pin(w: World, page: number): Path<number> {
  const { k, mm } = w;
  const vpn = vpnOf(w, page);
  while (!pinPage(k, mm, vpn)) {
    const outcome = yield* handleFault(k, mm, vpn, true);
    if (outcome === "segv" || outcome === "oom") return -1;
    yield PREEMPT;
  }
  return frameAt(k, mm, vpn);
}

/** Direct I/O: pins a page, the device writes to its frame some time later, the pin is dropped. */
export function* deviceWrite(w: World, page: number, value: number): Path {
  const { k, mm, memory } = w;
  const frame = yield* pin(w, page);
  if (frame < 0) return;
  const head = headOf(k, frame as never);
  const freed = memory.freed[frame]!;
  yield PREEMPT;
  if (memory.freed[frame] !== freed)
    throw new Violation(broken("freedUnderPin", `frame ${frame}, under its pin`));
  store(memory, mm, vpnOf(w, page), frame as never, value);
  yield PREEMPT;
  unpinPage(k, mm, head);
}

/** The path up to its first sleep: for daemons, whose paths have no end. */
export function* untilSleep(path: Path<unknown>): Path {
  for (;;) {
    const { done, value } = path.next();
    if (done === true || value.kind === "sleep") return;
    yield value;
  }
}

/** An actor that has nothing to do. */
export function* nothing(): Path {}

/** One pass of the scanner as the kernel's task work carries it out, due now. */
export function* passOf(w: World): Path {
  const { k } = w;
  const task = k.numa.running[k.cpu]!;
  task.workQueued = true;
  task.scanPeriodMs = 1;
  w.mm.numa.nextScan = -1;
  k.nowNs = 10 * S_NS;
  yield* numaPolicy(k).work(k, task);
}

/** How often a path takes locks of each class: "mmap_lock" for writing, "mmap_lock read" for reading. */
export type LockTally = Readonly<Record<string, number>>;

/** Runs a path and counts the locks that it takes. */
export function* tallyLocks(path: Path<unknown>): Path<LockTally> {
  const tally: Record<string, number> = {};
  for (;;) {
    const { done, value } = path.next();
    if (done === true) return tally;
    const { kind, lock } = value;
    const name =
      kind === "acquire" ? lock!.lockClass : kind === "acquire-read" ? `${lock!.lockClass} read` : "";
    if (name !== "") tally[name] = (tally[name] ?? 0) + 1;
    yield value;
  }
}

/** split_huge_page of the huge page that a page lies in, as debugfs asks for it. True if it was split. */
export function* splitHuge(w: World, page: number): Path<boolean> {
  const { k, mm } = w;
  const pfn = frameAt(k, mm, vpnOf(w, page));
  const head = pfn < 0 ? pfn : headOf(k, pfn);
  if (pfn < 0 || (k.frames.flags[head]! & FRAME.HEAD) === 0) return false;
  k.frames.refCount[head]! += 1;
  yield PREEMPT;
  const lock = pageTableLock(k, rowOf(w, page));
  yield lock.acquire;
  const ops: Op[] = [];
  const huge = (k.frames.flags[head]! & FRAME.HEAD) !== 0;
  // Without a mapping there is no anon_vma to lock: the kernel gives up.
  const split = huge && mappingCount(k, head) > 0 && splitPage(k, head, head, ops);
  for (const op of ops) yield op;
  yield lock.release;
  putPage(k, head);
  return split;
}

/** exit of the process: its last thread is gone. */
export function* exit(w: World, mm = w.mm): Path {
  mm.users = 0;
  yield PREEMPT;
  yield* exitMm(w.k, mm);
}

/** munmap of [from, to) pages. */
export function* unmap(w: World, from = 0, to = w.pages): Path<number> {
  return yield* munmap(w.k, w.mm, w.start + from, to - from);
}

const ACCESS = { none: 0, ro: VM.READ, rw: VM.READ | VM.WRITE } as const;

/** mprotect of [from, to) pages. */
export function* protect(w: World, access: keyof typeof ACCESS, from = 0, to = w.pages): Path<number> {
  return yield* mprotect(w.k, w.mm, w.start + from, to - from, ACCESS[access]);
}

/** mremap of [from, to) pages to page `at`. */
export function* remap(w: World, from: number, to: number, at: number): Path<number> {
  return yield* mremap(w.k, w.mm, w.start + from, to - from, to - from, w.start + at);
}

/** fork; the child is told to `made`. */
export function* fork(w: World, made?: (child: Mm) => void): Path {
  const child = yield* forkMm(w.k, w.mm);
  child.cpus.fill(1);
  made?.(child);
}
