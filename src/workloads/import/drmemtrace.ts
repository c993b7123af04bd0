/**
 * Importer for DynamoRIO's drmemtrace as `drrun -t drmemtrace -tool view` prints it: every instruction and
 * data reference of all threads, in one order.
 *
 *        6       0: W0.T3256418 <marker: timestamp 13312410768080478>
 *        7       0: W0.T3256418 <marker: W0.T3256418 on core 7>
 *        8       1: W0.T3256418 ifetch       3 byte(s) @ 0x00007fc205a61940 48 89 e7   mov    %rsp, %rdi
 *       10       2: W0.T3256418 write        8 byte(s) @ 0x00007fff9a9e3528 by PC 0x00007fc205a61943
 *     record, instructions so far: workload and thread, what, size, address
 *
 * A workload is taken for a process. System calls are shown by number alone: no mapping is known, and pages
 * only ever appear. Time counts instructions. References fold without loss (`fold.ts`).
 */
import type { TraceSink } from "../trace/sink.ts";
import { type Fold, flushFold, foldCode, foldData, makeFold } from "./fold.ts";
import { type Importer, makeTextImporter } from "./importer.ts";
import {
  addProcess,
  addThread,
  makeRecorder,
  type RecordedThread,
  type Recorder,
  recordEvent,
  recordReference,
  recordThread,
} from "./recorder.ts";

const LINE = /^\s*\d+\s+(\d+):\s+(?:W(\d+)\.)?T(\d+)\s+(.*)$/;
const ACCESS = /^(ifetch|non-fetched instr|read|write)\s+(\d+) byte\(s\) @ 0x([0-9a-f]+)/;
const CORE = /^<marker: (?:W\d+\.)?T\d+ on core (\d+)>/;
const PAGE_BYTES = 4096;
const CPU_MAX = 65_536;

interface View {
  readonly r: Recorder;
  readonly fold: Fold;
  readonly threads: Map<string, RecordedThread>;
  /** The first thread of each workload: the maker of its others. */
  readonly leaders: Map<string, RecordedThread>;
  current: RecordedThread | undefined;
  time: number;
}

/** Starts an import of drmemtrace's view into a sink. */
export function makeDrmemtraceImporter(sink: TraceSink): Importer {
  const v: View = {
    r: makeRecorder(sink, { source: "drmemtrace", timeUnit: "instructions", coverage: "references" }),
    fold: makeFold(),
    threads: new Map(),
    leaders: new Map(),
    current: undefined,
    time: 0,
  };
  return makeTextImporter({
    format: "drmemtrace",
    r: v.r,
    expected: "RECORD INSTRUCTIONS: W0.T1 WHAT SIZE byte(s) @ 0xADDRESS",
    ignoredAs: "other markers and remarks",
    note: "system calls by number alone: no mapping is known, and pages only ever appear",
    take: (line) => takeLine(v, line),
    finish: () => flush(v),
  });
}

function flush(v: View): void {
  const thread = v.current;
  if (thread === undefined) return;
  flushFold(v.fold, (vpn, kind, reads, writes, at) =>
    recordReference(v.r, thread, vpn, kind, reads, writes, at),
  );
}

/** True: understood. False: cannot be read. Undefined: says nothing about memory. */
function takeLine(v: View, line: string): boolean | undefined {
  const found = LINE.exec(line);
  // The view's own heads ("Output format:", a ruler) and its last words begin with no number.
  if (found === null) return /^\s*\d/.test(line) ? false : undefined;
  const [, instructions, workload, tid, rest] = found as unknown as [
    string,
    string,
    string?,
    string?,
    string?,
  ];
  const thread = threadOf(v, workload ?? "0", Number(tid));
  v.time = Number(instructions);
  const core = CORE.exec(rest!)?.[1];
  if (core !== undefined) {
    const cpu = Number(core);
    if (cpu >= CPU_MAX) return false;
    if (cpu !== thread.cpu) {
      flush(v);
      recordEvent(v.r, thread, v.time, { kind: "cpu", cpu });
    }
    return true;
  }
  const access = ACCESS.exec(rest!);
  if (access === null)
    return rest!.startsWith("<") ? undefined : /^(ifetch|read|write)/.test(rest!) ? false : undefined;
  return takeAccess(v, thread, access[1]!, Number(access[2]), Number.parseInt(access[3]!, 16));
}

function takeAccess(v: View, thread: RecordedThread, what: string, size: number, address: number): boolean {
  if (address >= 2 ** 48 || size > 65_536) return false;
  const pass = (vpn: number, kind: number, reads: number, writes: number, at: number): void =>
    recordReference(v.r, thread, vpn, kind, reads, writes, at);
  const first = Math.floor(address / PAGE_BYTES);
  const last = Math.floor((address + Math.max(1, size) - 1) / PAGE_BYTES);
  for (let vpn = first; vpn <= last; vpn++) {
    if (what === "read") foldData(v.fold, vpn, 1, 0, v.time, pass);
    else if (what === "write") foldData(v.fold, vpn, 0, 1, v.time, pass);
    else foldCode(v.fold, vpn, v.time, pass);
  }
  return true;
}

function threadOf(v: View, workload: string, tid: number): RecordedThread {
  const key = `${workload}.${tid}`;
  let thread = v.threads.get(key);
  if (thread === undefined) {
    flush(v);
    const leader = v.leaders.get(workload);
    thread =
      leader === undefined
        ? addThread(v.r, addProcess(v.r, Number(workload) + 1, ""), tid, v.time)
        : recordThread(v.r, leader, tid, v.time);
    if (leader === undefined) v.leaders.set(workload, thread);
    v.threads.set(key, thread);
  }
  if (thread !== v.current) flush(v);
  v.current = thread;
  return thread;
}
