/**
 * Records a run for those who want to look at it: listens to the kernel's events and to the steps of its
 * paths, and looks at memory whenever the collector does.
 */
import { COUNTER_NAMES } from "../core/counters.ts";
import { EVENT, type EventCode, FAULT_KINDS, type FaultKind } from "../core/events.ts";
import type { Op } from "../core/ops.ts";
import { PAGE_BYTES, type Vpn } from "../core/units.ts";
import { freeMemory } from "../kernel/buddy/figures.ts";
import type { Mm } from "../kernel/mm/mm.ts";
import type { Kernel } from "../kernel/state.ts";
import { type Grown, makeGrown } from "../lib/grow.ts";
import { nameRange } from "./area-names.ts";
import { type EventLog, makeEventLog } from "./event-log.ts";
import { addHeat, lookAtPages, makePageStates, type PageStates, pageMapOf } from "./page-states.ts";
import {
  PAGE,
  type RecordedMm,
  type Recording,
  type RecordLimits,
  type Samples,
  type Track,
} from "./recording.ts";
import {
  addOp,
  addStep,
  beginWalk,
  courseOf,
  frameOf,
  makeWalks,
  type OpenWalk,
  type Walks,
} from "./walks.ts";

const PAGE_KB = PAGE_BYTES / 1024;
/** A daemon that comes back to its CPU this soon has not been away. */
const SAME_SLICE_NS = 20_000;

const NAME_OF = Object.fromEntries(Object.entries(EVENT).map(([name, code]) => [code, name])) as Readonly<
  Record<EventCode, string>
>;

interface Sample {
  readonly tNs: number;
  readonly vmstat: Float64Array;
  readonly anonKb: number;
  readonly hugeKb: number;
  readonly fileKb: number;
  readonly freeKb: number;
  readonly swapKb: number;
  readonly tablesKb: number;
  readonly nodeKb: readonly number[];
}

interface OpenTrack {
  readonly name: string;
  readonly cpu: Grown<Uint8Array>;
  readonly fromNs: Grown<Float64Array>;
  readonly toNs: Grown<Float64Array>;
}

/** A task or daemon as the driver knows it. */
export interface RecordedRunner {
  readonly id: number;
  readonly name: string;
  readonly mm: Mm | undefined;
}

export interface Recorder {
  readonly k: Kernel;
  readonly samples: Sample[];
  readonly log: EventLog;
  readonly pages: PageStates;
  readonly walks: Walks;
  readonly mms: RecordedMm[];
  readonly mmIndex: Map<number, number>;
  readonly tasks: { name: string; mm: number }[];
  /** Index in `tasks` of each runner of the driver, under each address space that it had. */
  readonly taskOf: Map<string, number>;
  readonly open: Map<number, OpenWalk>;
  readonly tracks: Map<number, OpenTrack>;
  /** Who has the current CPU. */
  readonly runner: () => RecordedRunner | undefined;
}

export function makeRecorder(
  k: Kernel,
  limits: RecordLimits,
  runner: () => RecordedRunner | undefined,
): Recorder {
  const r: Recorder = {
    k,
    samples: [],
    log: makeEventLog(limits.eventsMax),
    pages: makePageStates(k.geometry.pagesPerHuge, limits.changesMax),
    walks: makeWalks(limits.coursesMax, limits.walksMax),
    mms: [],
    mmIndex: new Map(),
    tasks: [],
    taskOf: new Map(),
    open: new Map(),
    tracks: new Map(),
    runner,
  };
  k.onEnter = (what) => {
    const walk = openWalk(r);
    if (walk !== undefined) addStep(k, walk, "enter", what);
  };
  return r;
}

function openWalk(r: Recorder): OpenWalk | undefined {
  const runner = r.runner();
  return runner === undefined ? undefined : r.open.get(runner.id);
}

/** The index of an address space; names and numbers as they are now. */
function indexOfMm(r: Recorder, id: number): number {
  let index = r.mmIndex.get(id);
  if (index === undefined) {
    index = r.mms.length;
    r.mmIndex.set(id, index);
    r.mms.push({ id, pid: id, name: "" });
  }
  const mm = r.k.mms[id];
  if (mm !== undefined) r.mms[index] = { id, pid: mm.pid, name: mm.name };
  return index;
}

function taskIndex(r: Recorder): number {
  const runner = r.runner();
  const mm = runner?.mm === undefined ? -1 : indexOfMm(r, runner.mm.id);
  const key = `${runner?.id ?? -1} ${mm}`;
  let index = r.taskOf.get(key);
  if (index === undefined) {
    index = r.tasks.length;
    r.taskOf.set(key, index);
    r.tasks.push({ name: runner?.name ?? "kernel", mm });
  }
  return index;
}

/** Events whose number a names an address space, which the recording numbers anew. */
const OF_MM: ReadonlySet<EventCode> = new Set([
  EVENT.fault,
  EVENT.hugeFault,
  EVENT.collapse,
  EVENT.splitPmd,
  EVENT.shootdown,
  EVENT.scanRefused,
  EVENT.fork,
  EVENT.exit,
  EVENT.oom,
  EVENT.cowCopy,
  EVENT.reserve,
  EVENT.release,
  EVENT.promote,
]);

/** The kernel emitted an event. */
export function recordEvent(
  r: Recorder,
  code: EventCode,
  tNs: number,
  cpu: number,
  numbers: readonly [a: number, b: number, c: number, d: number],
): void {
  const [first, second, c, d] = numbers;
  const a = OF_MM.has(code) ? indexOfMm(r, first) : first;
  const b = code === EVENT.fork ? indexOfMm(r, second) : second;
  if (code === EVENT.fork) r.pages.names.set(second, r.pages.names.get(first) ?? []);
  const task = taskIndex(r);
  r.log.push({ tNs, code, cpu, task, a, b, c, d, before: -1, after: -1, course: -1 });
  const walk = openWalk(r);
  if (walk !== undefined) addStep(r.k, walk, "event", NAME_OF[code], ofCourse(code, [a, b, c, d]));
}

/** The numbers of an event that say what happened, not where: places would make every course its own. */
function ofCourse(code: EventCode, numbers: readonly number[]): readonly number[] {
  switch (code) {
    case EVENT.shootdown:
      return numbers.slice(1);
    case EVENT.compaction:
    case EVENT.reclaim:
      return numbers;
    default:
      return [];
  }
}

/** The current task's fault begins, or begins again because it lost a race. */
export function recordFaultBegin(r: Recorder, mm: Mm, vpn: Vpn, write: boolean): void {
  const runner = r.runner();
  if (runner === undefined || r.walks.left <= 0) return;
  const before = r.open.get(runner.id);
  if (before !== undefined && before.vpn === vpn && before.mm === mm) return;
  r.open.set(runner.id, beginWalk(r.k, mm, vpn, write));
}

/** The current task's fault is over. */
export function recordFaultEnd(r: Recorder, mm: Mm, kind: FaultKind, startNs: number): void {
  const { k } = r;
  const runner = r.runner();
  const walk = runner === undefined ? undefined : r.open.get(runner.id);
  const row = {
    tNs: startNs,
    code: EVENT.fault,
    cpu: k.cpu,
    task: taskIndex(r),
    a: indexOfMm(r, mm.id),
    b: walk?.vpn ?? -1,
    c: FAULT_KINDS.indexOf(kind),
    d: k.nowNs - startNs,
  };
  if (walk === undefined || runner === undefined) {
    r.log.push({ ...row, before: -1, after: -1, course: -1 });
    return;
  }
  addStep(k, walk, "end", kind);
  r.open.delete(runner.id);
  r.walks.left--;
  const after = frameOf(k, mm, walk.vpn);
  r.log.push({ ...row, before: walk.before, after, course: courseOf(r.walks, walk) });
}

/** A runner's path yielded an op, which is about to be answered. */
export function recordOp(r: Recorder, runner: RecordedRunner, op: Op): void {
  const walk = r.open.get(runner.id);
  if (walk !== undefined) addOp(r.k, walk, op);
}

/** A daemon had a CPU from one moment to another. */
export function recordSlice(
  r: Recorder,
  runner: RecordedRunner,
  cpu: number,
  fromNs: number,
  toNs: number,
): void {
  if (toNs <= fromNs) return;
  let track = r.tracks.get(runner.id);
  if (track === undefined) {
    const cpus = makeGrown(Uint8Array);
    track = { name: runner.name, cpu: cpus, fromNs: makeGrown(Float64Array), toNs: makeGrown(Float64Array) };
    r.tracks.set(runner.id, track);
  }
  const last = track.toNs.length - 1;
  if (last >= 0 && fromNs - track.toNs.array[last]! <= SAME_SLICE_NS && track.cpu.array[last] === cpu) {
    track.toNs.array[last] = toNs;
    return;
  }
  track.cpu.push(cpu);
  track.fromNs.push(fromNs);
  track.toNs.push(toNs);
}

/** The workload maps a range, under a name or without one. */
export function recordMapped(
  r: Recorder,
  mm: Mm,
  start: number,
  pages: number,
  name: string | undefined,
): void {
  const { names } = r.pages;
  names.set(mm.id, nameRange(names.get(mm.id) ?? [], start, pages, name));
}

/** References of a task to a page. */
export function recordHeat(r: Recorder, mm: Mm, vpn: number, references: number): void {
  addHeat(r.pages, mm.id, vpn, references);
}

/** Looks at memory; the collector keeps `points` points by now, and so do the samples. */
export function recordSample(r: Recorder, tNs: number, points: number): void {
  const { k } = r;
  let anonKb = 0;
  let fileKb = 0;
  let swapKb = 0;
  let tablesKb = 0;
  for (const mm of k.mms) {
    if (mm === undefined) continue;
    indexOfMm(r, mm.id);
    anonKb += mm.anonPages * PAGE_KB;
    fileKb += mm.filePages * PAGE_KB;
    swapKb += mm.swapEntries * PAGE_KB;
    // A table is 4 KiB however much memory its pages stand for.
    tablesKb += (mm.tablePages * PAGE_KB) / (k.machine.scale ?? 1);
  }
  const hugeKb = k.totals.huge * k.geometry.pagesPerHuge * PAGE_KB;
  const free = freeMemory(k);
  const freeKb = (free.freePages + free.perCpuPages) * PAGE_KB;
  if (tNs >= r.pages.dueNs) lookAtPages(r.pages, k, tNs);
  const nodeKb = pagesOfNodes(r).map((pages) => pages * PAGE_KB);
  const vmstat = k.vmstat.slice();
  r.samples.push({ tNs, vmstat, anonKb, hugeKb, fileKb, freeKb, swapKb, tablesKb, nodeKb });
  if (r.samples.length === points) return;
  const kept = r.samples.filter((_, i) => i % 2 === 0);
  r.samples.length = 0;
  r.samples.push(...kept);
}

/** Anonymous pages on each node, as the last look saw them. */
function pagesOfNodes({ k, pages }: Recorder): number[] {
  const { nodes } = k.machine;
  const counts = new Array<number>(nodes).fill(0);
  if (nodes === 1) return counts.map(() => k.totals.resident);
  for (const state of pages.states.subarray(0, pages.regions.length * pages.pagesPerHuge)) {
    const kind = state & PAGE.KIND;
    if (kind === PAGE.BASE || kind === PAGE.HUGE) counts[state >> PAGE.NODE_SHIFT]! += 1;
  }
  return counts;
}

function samplesOf(r: Recorder): Samples {
  const { samples } = r;
  const column = (read: (sample: Sample) => number) => Float64Array.from(samples, read);
  const counters: Record<string, Float64Array> = {};
  COUNTER_NAMES.forEach((name, index) => {
    const values = column((sample) => sample.vmstat[index]!);
    if (values.some((value) => value !== values[0])) counters[name] = values;
  });
  return {
    tNs: column((sample) => sample.tNs),
    counters,
    memoryKb: {
      huge: column((sample) => sample.hugeKb),
      base: column((sample) => sample.anonKb - sample.hugeKb),
      reserved: column((sample) => sample.vmstat[COUNTER_NAMES.indexOf("nr_thp_reserved")]! * PAGE_KB),
      file: column((sample) => sample.fileKb),
      "page-tables": column((sample) => sample.tablesKb),
      free: column((sample) => sample.freeKb),
      swap: column((sample) => sample.swapKb),
    },
    nodeKb: Array.from({ length: r.k.machine.nodes }, (_, node) => column((sample) => sample.nodeKb[node]!)),
  };
}

/** The recording, when the run is over. */
export function recordingOf(r: Recorder): Recording {
  const { k } = r;
  const endNs = r.samples.at(-1)?.tNs ?? 0;
  if (r.pages.frames.at(-1) !== endNs) lookAtPages(r.pages, k, endNs);
  const map = pageMapOf(r.pages, (id) => indexOfMm(r, id));
  const tracks: Track[] = [...r.tracks.values()].map((track) => ({
    name: track.name,
    cpu: track.cpu.taken(),
    fromNs: track.fromNs.taken(),
    toNs: track.toNs.taken(),
  }));
  return {
    schema: 1,
    nodes: k.machine.nodes,
    cpus: k.machine.cpus,
    pagesPerHuge: k.geometry.pagesPerHuge,
    mms: r.mms,
    tasks: r.tasks,
    samples: samplesOf(r),
    events: r.log.columns(),
    map,
    courses: r.walks.courses,
    tracks,
  };
}
