/**
 * System calls as the sources print them → events of the trace. Shared by all importers; numbers are those of
 * x86-64 Linux (mman.h, prctl.h, sched.h).
 */
import { type Advice, REF } from "../records.ts";
import { type RecordedThread, type Recorder, recordEvent, recordReference } from "./recorder.ts";

const MAP_TYPE = 0x0f;
const MAP_SHARED = 1;
const MAP_SHARED_VALIDATE = 3;
const MAP_FIXED = 0x10;
const MAP_FIXED_NOREPLACE = 0x100000;
const MAP_ANONYMOUS = 0x20;
const MAP_NORESERVE = 0x4000;
const MAP_POPULATE = 0x8000;
const MAP_STACK = 0x20000;
const MAP_HUGETLB = 0x40000;
const MREMAP_FIXED = 2;

export const CLONE_VM = 0x100;
export const CLONE_VFORK = 0x4000;
export const CLONE_THREAD = 0x10000;

const PR_SET_THP_DISABLE = 41;
/** Flag of PR_SET_THP_DISABLE (6.18): regions that asked for huge pages keep them. */
const PR_THP_DISABLE_EXCEPT_ADVISED = 2;

const ADVICE_OF: Readonly<Record<number, Advice>> = {
  3: "willneed",
  4: "dontneed",
  8: "free",
  10: "dontfork",
  11: "dofork",
  14: "hugepage",
  15: "nohugepage",
  20: "cold",
  21: "pageout",
  24: "dontneed", // MADV_DONTNEED_LOCKED: the same for pages that are not locked, and for those that are
  25: "collapse",
};
const MADV_POPULATE_READ = 22;
const MADV_POPULATE_WRITE = 23;

/** The calls that mean something to memory; the others are ignored by name. */
export const MEMORY_CALLS: readonly string[] = [
  "mmap",
  "munmap",
  "mremap",
  "brk",
  "madvise",
  "mprotect",
  "pkey_mprotect",
  "mlock",
  "mlock2",
  "prctl",
];

const PAGE = 4096;

function pageUp(bytes: number): number {
  return Math.ceil(bytes / PAGE) * PAGE;
}

/** One finished call. `result` is what it returned, negative for an errno. */
export function recordCall(
  r: Recorder,
  thread: RecordedThread,
  time: number,
  call: string,
  args: ArrayLike<number>,
  result: number,
): void {
  if (result < 0) return;
  const start = args[0]!;
  const length = pageUp(args[1]!);
  switch (call) {
    case "mmap":
      recordMap(r, thread, time, { start: result, length, asked: start, prot: args[2]!, flags: args[3]! });
      break;
    case "munmap":
      recordEvent(r, thread, time, { kind: "unmap", start, length });
      break;
    case "mremap": {
      const fixed = (args[3]! & MREMAP_FIXED) !== 0;
      const newLength = pageUp(args[2]!);
      recordEvent(r, thread, time, { kind: "remap", start, length, newStart: result, newLength, fixed });
      break;
    }
    case "brk":
      recordBrk(r, thread, time, result);
      break;
    case "mprotect":
    case "pkey_mprotect":
      if (length > 0) recordEvent(r, thread, time, { kind: "protect", start, length, prot: args[2]! & 7 });
      break;
    case "madvise":
      recordAdvice(r, thread, time, start, length, args[2]!);
      break;
    case "mlock":
    case "mlock2":
      if (args[2] !== 1 || call === "mlock") populate(r, thread, time, start, args[1]!, REF.WRITE);
      break;
    case "prctl":
      if (args[0] === PR_SET_THP_DISABLE) {
        const exceptAdvised = (args[2]! & PR_THP_DISABLE_EXCEPT_ADVISED) !== 0;
        const value = args[1] === 0 ? 0 : exceptAdvised ? 3 : 1;
        recordEvent(r, thread, time, { kind: "thp-disable", value });
      }
      break;
  }
}

interface MapCall {
  readonly start: number;
  readonly length: number;
  /** The address that the program asked for; 0 leaves it to the kernel. */
  readonly asked: number;
  readonly prot: number;
  readonly flags: number;
}

function recordMap(r: Recorder, thread: RecordedThread, time: number, call: MapCall): void {
  const { start, length, asked, prot, flags } = call;
  const type = flags & MAP_TYPE;
  // A wish that was granted ties the program to that address as MAP_FIXED does: runtimes compute with it.
  const granted = asked !== 0 && asked === start;
  recordEvent(r, thread, time, {
    kind: "map",
    start,
    length,
    prot: prot & 7,
    shared: type === MAP_SHARED || type === MAP_SHARED_VALIDATE,
    fixed: granted || (flags & (MAP_FIXED | MAP_FIXED_NOREPLACE)) !== 0,
    stack: (flags & MAP_STACK) !== 0,
    // Memory of hugetlbfs is no business of transparent huge pages: as good as a file's.
    file: (flags & MAP_ANONYMOUS) === 0 || (flags & MAP_HUGETLB) !== 0,
    noreserve: (flags & MAP_NORESERVE) !== 0,
    populate: (flags & MAP_POPULATE) !== 0,
  });
}

/** brk answers where the heap ends; the first answer in an address space says where it begins. */
function recordBrk(r: Recorder, thread: RecordedThread, time: number, end: number): void {
  const process = thread.process;
  if (end === process.heapEnd) return;
  const start = process.heapStart < 0 ? end : process.heapStart;
  recordEvent(r, thread, time, { kind: "brk", start, end });
}

function recordAdvice(
  r: Recorder,
  thread: RecordedThread,
  time: number,
  start: number,
  length: number,
  behavior: number,
): void {
  if (behavior === MADV_POPULATE_READ) populate(r, thread, time, start, length, REF.READ);
  if (behavior === MADV_POPULATE_WRITE) populate(r, thread, time, start, length, REF.WRITE);
  const advice = ADVICE_OF[behavior];
  if (advice !== undefined && length > 0) {
    recordEvent(r, thread, time, { kind: "advise", start, length, advice });
  }
}

/**
 * mlock and MADV_POPULATE_* touch every page in the kernel without a fault that a tracepoint would show: one
 * access of the kernel's own to each page. mlock writes, as it does in private writable mappings; others are
 * rarely locked.
 */
function populate(
  r: Recorder,
  thread: RecordedThread,
  time: number,
  start: number,
  length: number,
  use: number,
): void {
  const first = Math.floor(start / PAGE);
  const end = Math.ceil((start + length) / PAGE);
  const write = use === REF.WRITE ? 1 : 0;
  for (let vpn = first; vpn < end; vpn++) {
    recordReference(r, thread, vpn, use | REF.KERNEL, 1 - write, write, time);
  }
}
