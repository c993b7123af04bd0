/**
 * Between an importer and a trace sink: gives processes, threads and 2 MiB slots their dense numbers, turns
 * absolute times into gaps, and knows which pages were referenced since they were mapped (`REF.FIRST`).
 *
 *     importer: (thread, page address, time) ──▶ recorder ──▶ sink: (slot × 512 + page, gap, FIRST)
 */
import { REF, type TraceEvent, type TraceHeader } from "../records.ts";
import { SLOT_BYTES, SLOT_PAGES, type TraceSink } from "../trace/sink.ts";

const WORDS_PER_SLOT = SLOT_PAGES / 32;
/** Slots that the look-up cache remembers; a power of two. */
const CACHE_SLOTS = 256;
const GAP_MAX = 0xffffffff;

export interface RecordedProcess {
  readonly index: number;
  readonly pid: number;
  name: string;
  /** Region number → slot. */
  readonly slots: Map<number, number>;
  /** Touched pages of regions that came by fork and have no slot yet: region → bits. */
  inherited: Map<number, Uint32Array>;
  /** Where the heap begins, or -1 before the first brk; moves with exec. */
  heapStart: number;
  heapEnd: number;
  liveThreads: number;
  records: number;
}

export interface RecordedThread {
  readonly index: number;
  readonly tid: number;
  readonly process: RecordedProcess;
  /** Time of its last record or event, in the trace's unit. */
  lastTime: number;
  /** CPU that it was last seen on, or -1. */
  cpu: number;
}

export interface Recorder {
  readonly sink: TraceSink;
  readonly processes: RecordedProcess[];
  /** One bit a page: referenced since it was mapped. */
  touched: Uint32Array;
  slots: number;
  records: number;
  events: number;
  readonly cacheRegion: Float64Array;
  readonly cacheProcess: Int32Array;
  readonly cacheSlot: Int32Array;
}

type WithoutPlace<E> = E extends unknown ? Omit<E, "thread" | "gap"> : never;
/** An event without its thread and gap, which the recorder adds. */
export type EventFacts = WithoutPlace<TraceEvent>;

export function makeRecorder(sink: TraceSink, header: Partial<TraceHeader>): Recorder {
  sink.describe(header);
  return {
    sink,
    processes: [],
    touched: new Uint32Array(64 * WORDS_PER_SLOT),
    slots: 0,
    records: 0,
    events: 0,
    cacheRegion: new Float64Array(CACHE_SLOTS).fill(-1),
    cacheProcess: new Int32Array(CACHE_SLOTS),
    cacheSlot: new Int32Array(CACHE_SLOTS),
  };
}

export function addProcess(r: Recorder, pid: number, name: string): RecordedProcess {
  const process: RecordedProcess = {
    index: r.processes.length,
    pid,
    name,
    slots: new Map(),
    inherited: new Map(),
    heapStart: -1,
    heapEnd: -1,
    liveThreads: 0,
    records: 0,
  };
  r.processes.push(process);
  return process;
}

export function addThread(r: Recorder, process: RecordedProcess, tid: number, time: number): RecordedThread {
  const { pid, index, name } = process;
  process.liveThreads++;
  const thread = r.sink.thread({ pid, tid, process: index, name });
  return { index: thread, tid, process, lastTime: time, cpu: -1 };
}

/** Records one row. `vpn` is the page's number in its process; `time` counts in the trace's unit. */
export function recordReference(
  r: Recorder,
  thread: RecordedThread,
  vpn: number,
  kind: number,
  reads: number,
  writes: number,
  time: number,
): void {
  const region = Math.floor(vpn / SLOT_PAGES);
  const process = thread.process;
  const cacheRow = (region + process.index * 61) & (CACHE_SLOTS - 1);
  let slot: number;
  if (r.cacheRegion[cacheRow] === region && r.cacheProcess[cacheRow] === process.index) {
    slot = r.cacheSlot[cacheRow]!;
  } else {
    slot = slotOf(r, process, region);
    r.cacheRegion[cacheRow] = region;
    r.cacheProcess[cacheRow] = process.index;
    r.cacheSlot[cacheRow] = slot;
  }
  const pageInSlot = vpn - region * SLOT_PAGES;
  const word = slot * WORDS_PER_SLOT + (pageInSlot >>> 5);
  const bit = 1 << (pageInSlot & 31);
  if ((r.touched[word]! & bit) === 0) {
    r.touched[word]! |= bit;
    kind |= REF.FIRST;
  }
  const gap = gapOf(r, thread, time);
  r.records++;
  process.records++;
  r.sink.reference(thread.index, slot * SLOT_PAGES + pageInSlot, kind, reads, writes, gap);
}

/**
 * Time since the thread's last item, and moves the thread there. Clocks that step back count as standing
 * still.
 */
function gapOf(r: Recorder, thread: RecordedThread, time: number): number {
  const gap = time - thread.lastTime;
  if (gap <= 0) return 0;
  if (gap <= GAP_MAX) {
    thread.lastTime = time;
    return gap;
  }
  if (thread.cpu >= 0) {
    // A record's gap has 32 bits. A longer pause goes into an event that says nothing new.
    recordEvent(r, thread, time, { kind: "cpu", cpu: thread.cpu });
    return 0;
  }
  thread.lastTime += GAP_MAX;
  return GAP_MAX;
}

function slotOf(r: Recorder, process: RecordedProcess, region: number): number {
  const known = process.slots.get(region);
  if (known !== undefined) return known;
  const slot = r.sink.slot(process.index, region);
  process.slots.set(region, slot);
  r.slots = slot + 1;
  if (r.slots * WORDS_PER_SLOT > r.touched.length) {
    const grown = new Uint32Array(r.touched.length * 2);
    grown.set(r.touched);
    r.touched = grown;
  }
  const inherited = process.inherited.get(region);
  if (inherited !== undefined) {
    r.touched.set(inherited, slot * WORDS_PER_SLOT);
    process.inherited.delete(region);
  }
  return slot;
}

/** Records an event of a thread and does to the touched pages what the event does to the mapping. */
export function recordEvent(r: Recorder, thread: RecordedThread, time: number, facts: EventFacts): void {
  const gap = Math.max(0, time - thread.lastTime);
  thread.lastTime += gap;
  applyToTouched(r, thread.process, facts);
  if (facts.kind === "cpu") thread.cpu = facts.cpu;
  r.events++;
  r.sink.event({ thread: thread.index, gap, ...facts } as TraceEvent);
}

/** Makes the first thread of a forked process and records the fork in the parent. */
export function recordFork(
  r: Recorder,
  parent: RecordedThread,
  child: { readonly pid: number; readonly tid: number; readonly vfork: boolean },
  time: number,
): RecordedThread {
  const from = parent.process;
  const process = addProcess(r, child.pid, from.name);
  process.heapStart = from.heapStart;
  process.heapEnd = from.heapEnd;
  for (const [region, slot] of from.slots) {
    const bits = r.touched.slice(slot * WORDS_PER_SLOT, (slot + 1) * WORDS_PER_SLOT);
    if (bits.some((word) => word !== 0)) process.inherited.set(region, bits);
  }
  for (const [region, bits] of from.inherited) process.inherited.set(region, bits.slice());
  const thread = addThread(r, process, child.tid, time);
  recordEvent(r, parent, time, { kind: "fork", child: thread.index, vfork: child.vfork });
  return thread;
}

/** Makes another thread of a process and records its birth in the one that made it. */
export function recordThread(r: Recorder, maker: RecordedThread, tid: number, time: number): RecordedThread {
  const thread = addThread(r, maker.process, tid, time);
  recordEvent(r, maker, time, { kind: "thread", child: thread.index });
  return thread;
}

function applyToTouched(r: Recorder, process: RecordedProcess, facts: EventFacts): void {
  switch (facts.kind) {
    case "map":
    case "unmap":
      forgetRange(r, process, facts.start, facts.length);
      break;
    case "advise":
      if (facts.advice === "dontneed") forgetRange(r, process, facts.start, facts.length);
      break;
    case "remap":
      moveRange(r, process, facts.start, facts.length, facts.newStart, facts.newLength);
      break;
    case "brk":
      if (facts.end < process.heapEnd) forgetRange(r, process, facts.end, process.heapEnd - facts.end);
      process.heapStart = facts.start;
      process.heapEnd = facts.end;
      break;
    case "exec":
      for (const slot of process.slots.values()) clearSlot(r, slot);
      process.inherited = new Map();
      process.heapStart = -1;
      process.heapEnd = -1;
      break;
  }
}

function clearSlot(r: Recorder, slot: number): void {
  r.touched.fill(0, slot * WORDS_PER_SLOT, (slot + 1) * WORDS_PER_SLOT);
}

/** Bits of a region, wherever they are, or undefined when nothing in it was touched. */
function bitsOf(r: Recorder, process: RecordedProcess, region: number): Uint32Array | undefined {
  const slot = process.slots.get(region);
  if (slot === undefined) return process.inherited.get(region);
  return r.touched.subarray(slot * WORDS_PER_SLOT, (slot + 1) * WORDS_PER_SLOT);
}

/** Pages wholly or partly in the range count as never touched. */
function forgetRange(r: Recorder, process: RecordedProcess, start: number, length: number): void {
  const end = start + length;
  const firstRegion = Math.floor(start / SLOT_BYTES);
  const lastRegion = Math.ceil(end / SLOT_BYTES) - 1;
  const known = process.slots.size + process.inherited.size;
  // A terabyte may be unmapped of which a few regions were touched: walk what is shorter.
  const regions =
    lastRegion - firstRegion < known
      ? Array.from({ length: lastRegion - firstRegion + 1 }, (_, i) => firstRegion + i)
      : [...process.slots.keys(), ...process.inherited.keys()];
  for (const region of regions) {
    if (region < firstRegion || region > lastRegion) continue;
    const bits = bitsOf(r, process, region);
    if (bits === undefined) continue;
    const base = region * SLOT_BYTES;
    const from = Math.max(0, Math.floor((start - base) / 4096));
    const to = Math.min(SLOT_PAGES, Math.ceil((end - base) / 4096));
    if (from === 0 && to === SLOT_PAGES) bits.fill(0);
    else for (let page = from; page < to; page++) bits[page >>> 5]! &= ~(1 << (page & 31));
  }
}

/** mremap: pages move and stay touched; what shrinking cuts off is forgotten. */
function moveRange(
  r: Recorder,
  process: RecordedProcess,
  start: number,
  length: number,
  newStart: number,
  newLength: number,
): void {
  const kept = Math.min(length, newLength);
  if (newStart === start) {
    if (newLength < length) forgetRange(r, process, start + newLength, length - newLength);
    return;
  }
  const moved: number[] = [];
  for (let offset = 0; offset < kept; offset += 4096) {
    const page = (start + offset) / 4096;
    const region = Math.floor(page / SLOT_PAGES);
    const bits = bitsOf(r, process, region);
    const inSlot = page - region * SLOT_PAGES;
    if (bits !== undefined && (bits[inSlot >>> 5]! & (1 << (inSlot & 31))) !== 0) moved.push(offset);
  }
  forgetRange(r, process, start, length);
  forgetRange(r, process, newStart, newLength);
  for (const offset of moved) {
    const page = (newStart + offset) / 4096;
    const region = Math.floor(page / SLOT_PAGES);
    let bits = bitsOf(r, process, region);
    if (bits === undefined) {
      bits = new Uint32Array(WORDS_PER_SLOT);
      process.inherited.set(region, bits);
    }
    const inSlot = page - region * SLOT_PAGES;
    bits[inSlot >>> 5]! |= 1 << (inSlot & 31);
  }
}
