/** What a trace holds, counted by reading it from end to end. */
import { isBatch, REF, type RefBatch, type TraceEvent, type TraceReader } from "../records.ts";
import { type AreaCounts, type AreaSummary, areasOf, countAreas, makeAreaCounts } from "./areas.ts";
import { SLOT_PAGES } from "./sink.ts";

export interface ProcessSummary {
  readonly pid: number;
  /** The program that it ran last. */
  readonly name: string;
  readonly threads: number;
  readonly records: number;
  readonly references: number;
  /** Distinct pages that it referenced. */
  readonly pages: number;
}

export interface TraceSummary {
  readonly records: number;
  /** Single accesses: reads, writes and executed instructions. */
  readonly references: number;
  readonly reads: number;
  readonly writes: number;
  readonly executed: number;
  /** Records that are faults of the recorded kernel, and of these the ones on a missing page. */
  readonly faults: number;
  readonly faultsNotPresent: number;
  readonly pages: number;
  readonly firstTouches: number;
  /** Share of the first touches of data that were reads. */
  readonly firstReadRatio: number;
  /** From the first item to the last, in the trace's time unit. */
  readonly span: number;
  readonly events: Readonly<Record<string, number>>;
  readonly threads: number;
  readonly slots: number;
  readonly processes: readonly ProcessSummary[];
  /** Used memory, the largest stretch first. */
  readonly areas: readonly AreaSummary[];
  /** Notes of places where the source was cut or lost data. */
  readonly lost: readonly string[];
}

interface Counts {
  records: number;
  reads: number;
  writes: number;
  executed: number;
  faults: number;
  faultsNotPresent: number;
  firstTouches: number;
}

interface SummaryState {
  readonly reader: TraceReader;
  readonly counts: Counts;
  readonly areas: AreaCounts;
  /** One bit a trace page. */
  seen: Uint32Array;
  /** Time of each thread. */
  readonly times: number[];
  span: number;
  readonly events: Map<string, number>;
  readonly names: string[];
  readonly recordsOf: number[];
  readonly referencesOf: number[];
  readonly lost: string[];
}

/** Reads the trace to its end and counts. */
export function summarizeTrace(reader: TraceReader): TraceSummary {
  const s: SummaryState = {
    reader,
    counts: { records: 0, reads: 0, writes: 0, executed: 0, faults: 0, faultsNotPresent: 0, firstTouches: 0 },
    areas: makeAreaCounts(),
    seen: new Uint32Array(1024),
    times: [],
    span: 0,
    events: new Map(),
    names: [],
    recordsOf: [],
    referencesOf: [],
    lost: [],
  };
  for (let item = reader.next(); item !== undefined; item = reader.next()) {
    if (isBatch(item)) countBatch(s, item);
    else countEvent(s, item);
  }
  return finish(s);
}

function countBatch(s: SummaryState, batch: RefBatch): void {
  const { page, reads, writes, kind, gap, length } = batch;
  const words = (s.reader.regions.count * SLOT_PAGES) / 32;
  if (words > s.seen.length) {
    const grown = new Uint32Array(Math.max(words, s.seen.length * 2));
    grown.set(s.seen);
    s.seen = grown;
  }
  countAreas(s.areas, batch, s.reader.regions.count);
  const { counts, seen } = s;
  let references = 0;
  let time = 0;
  for (let i = 0; i < length; i++) {
    const k = kind[i]!;
    if ((k & REF.KIND) === REF.EXECUTE) counts.executed += reads[i]!;
    else counts.reads += reads[i]!;
    counts.writes += writes[i]!;
    references += reads[i]! + writes[i]!;
    if ((k & REF.FAULT) !== 0) {
      counts.faults++;
      if ((k & REF.PROTECTION) === 0) counts.faultsNotPresent++;
    }
    if ((k & REF.FIRST) !== 0) counts.firstTouches++;
    time += gap[i]!;
    seen[page[i]! >>> 5]! |= 1 << (page[i]! & 31);
  }
  counts.records += length;
  const process = s.reader.threads[batch.thread]!.process;
  s.recordsOf[process] = (s.recordsOf[process] ?? 0) + length;
  s.referencesOf[process] = (s.referencesOf[process] ?? 0) + references;
  advance(s, batch.thread, time);
}

function advance(s: SummaryState, thread: number, time: number): void {
  const now = (s.times[thread] ?? 0) + time;
  s.times[thread] = now;
  if (now > s.span) s.span = now;
}

function countEvent(s: SummaryState, event: TraceEvent): void {
  s.events.set(event.kind, (s.events.get(event.kind) ?? 0) + 1);
  advance(s, event.thread, event.gap);
  const { process } = s.reader.threads[event.thread]!;
  if (event.kind === "exec") s.names[process] = event.name;
  else if (event.kind === "lost") s.lost.push(event.what);
  else if (event.kind === "thread" || event.kind === "fork") {
    // A child's time begins where its maker is.
    s.times[event.child] = s.times[event.thread]!;
    const child = s.reader.threads[event.child]!.process;
    if (event.kind === "fork" && s.names[process] !== undefined) s.names[child] = s.names[process];
  }
}

function finish(s: SummaryState): TraceSummary {
  const { reader, counts } = s;
  const { regions, threads } = reader;
  const pagesOf: number[] = [];
  let pages = 0;
  for (let slot = 0; slot < regions.count; slot++) {
    const inSlot = pagesOfSlot(s, slot);
    const process = regions.process[slot]!;
    pagesOf[process] = (pagesOf[process] ?? 0) + inSlot;
    pages += inSlot;
  }
  const processes: ProcessSummary[] = [];
  for (const thread of threads) {
    const own = threads.filter((other) => other.process === thread.process);
    if (own[0] !== thread) continue;
    processes[thread.process] = {
      pid: thread.pid,
      name: s.names[thread.process] ?? thread.name,
      threads: own.length,
      records: s.recordsOf[thread.process] ?? 0,
      references: s.referencesOf[thread.process] ?? 0,
      pages: pagesOf[thread.process] ?? 0,
    };
  }
  return {
    ...counts,
    references: counts.reads + counts.writes + counts.executed,
    firstReadRatio: s.areas.firstData === 0 ? 0 : s.areas.firstReads / s.areas.firstData,
    pages,
    span: s.span,
    events: Object.fromEntries([...s.events].sort(([a], [b]) => (a < b ? -1 : 1))),
    threads: threads.length,
    slots: regions.count,
    processes,
    areas: areasOf(s.areas, regions, (slot) => pagesOfSlot(s, slot)),
    lost: s.lost,
  };
}

function pagesOfSlot(s: SummaryState, slot: number): number {
  let pages = 0;
  for (let word = slot * 16; word < slot * 16 + 16; word++) pages += ones(s.seen[word] ?? 0);
  return pages;
}

function ones(word: number): number {
  word -= (word >>> 1) & 0x55555555;
  word = (word & 0x33333333) + ((word >>> 2) & 0x33333333);
  return Math.imul((word + (word >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}
