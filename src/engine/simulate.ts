/** simulate(machine, generation, workload) → Result: where all parts meet. */
import { C, COUNTER_NAMES } from "../core/counters.ts";
import { FAULT_KINDS, FLUSH_CAUSES } from "../core/events.ts";
import type { Lock } from "../core/ops.ts";
import { PAGE_BYTES } from "../core/units.ts";
import { zoneFigures } from "../kernel/buddy/figures.ts";
import { autonuma } from "../kernel/numa/autonuma/of.ts";
import { tlbTotal } from "../kernel/tlb/tlb.ts";
import { linesBySide } from "../kernel/traffic.ts";
import { faultDistributions, lastingHugePeak, meansOf, seriesOf } from "../metrics/collector.ts";
import { failedMovesOf } from "../metrics/numa.ts";
import { recordingOf } from "../metrics/recorder.ts";
import type { Recording } from "../metrics/recording.ts";
import type { AutonumaResult, LockResult, NumaResult, ProcessResult, Result } from "../metrics/result.ts";
import type { NamedWorkload } from "../workloads/generators/workload.ts";
import type { TraceReader } from "../workloads/records.ts";
import type { Script } from "../workloads/script/ast.ts";
import { printMachine } from "../workloads/script/print.ts";
import { processResult } from "./memory-look.ts";
import { type ProgramOptions, runWorkload } from "./program.ts";
import { type ReplayOptions, replayTrace } from "./replay.ts";
import { runScript, type ScriptLine } from "./script.ts";
import { look, openSession, type Session, type SessionOptions, verifyNow } from "./session.ts";

export type { ScriptLine } from "./script.ts";

const PAGE_KB = PAGE_BYTES / 1024;
const HUGE_BYTES = 2 ** 21;

export interface ScriptOutcome {
  /** What `run --json` prints, in order. */
  readonly lines: readonly ScriptLine[];
  readonly result: Result;
  /** Only when it was asked for. */
  readonly recording: Recording | undefined;
  /** For the next script of the same boot. */
  readonly hugeZeroAllocated: boolean;
}

/** What became of a trace. */
export interface TraceOutcome {
  readonly result: Result;
  readonly recording: Recording | undefined;
}

/** Runs a script. */
export function simulateScript(options: SessionOptions & { readonly script: Script }): ScriptOutcome {
  const session = openSession(options);
  const lines = runScript(session, options.script);
  const result = finish(session, true);
  const { hugeZeroAllocated } = session.k.thp;
  return { lines, result, recording: recorded(session), hugeZeroAllocated };
}

type TraceOptions = SessionOptions & { readonly trace: TraceReader } & ReplayOptions;

/** Replays a trace: its figures. */
export function simulateTrace(options: TraceOptions): Result {
  return replayRecorded(options).result;
}

/** Replays a trace: its figures and, if that was asked for, its recording. */
export function replayRecorded(options: TraceOptions): TraceOutcome {
  const session = openSession(options);
  replayTrace(session, options.trace, options);
  const result = finish(session, options.trace.header.coverage !== "faults");
  return { result, recording: recorded(session) };
}

/** Runs a named workload. */
export function simulateWorkload(
  options: SessionOptions & { readonly workload: NamedWorkload } & ProgramOptions,
): TraceOutcome {
  const settings = [...(options.workload.spec.settings ?? []), ...options.settings];
  const session = openSession({ ...options, settings });
  runWorkload(session, options.workload, options);
  const result = finish(session, true);
  return { result, recording: recorded(session) };
}

const recorded = ({ recorder }: Session): Recording | undefined =>
  recorder === undefined ? undefined : recordingOf(recorder);

/** The run is over: figures from the collector, the kernel and the driver. */
function finish(session: Session, referencesComplete: boolean): Result {
  const { k, d, c, options } = session;
  look(session, d.nowNs);
  if (options.verify) verifyNow(session);
  const faults = faultDistributions(c);
  const means = meansOf(c);
  const series = seriesOf(c);
  const processes = processesOf(session);
  const { scale = 1 } = k.machine;
  return {
    schema: 1,
    generation: options.generation.name,
    machine: describeMachine(session),
    ...(scale === 1 ? {} : { scale }),
    hardware: options.hardware.name,
    seed: options.machine.seed,
    workload: options.name,
    settings: changedKnobs(session),
    outcome: session.outcome,
    ...(session.failedCalls.size === 0 ? {} : { failedCalls: [...session.failedCalls.values()] }),
    referencesComplete,
    vmstat: changedCounters(session),
    touchedPeakKb: k.totals.peakTouched * PAGE_KB,
    peakRssKb: Math.max(0, ...processes.map((process) => process.peakRssKb)),
    peakRssSumKb: k.totals.peakResident * PAGE_KB,
    meanRssSumKb: means.rssKb,
    peakAnonHugeKb: lastingHugePeak(c, k.totals.peakHuge) * k.geometry.pagesPerHuge * PAGE_KB,
    peakBloatKb: Math.max(0, ...series.bloatKb),
    finalBloatKb: series.bloatKb[series.bloatKb.length - 1] ?? 0,
    cowCopiedKb: c.cowCopies * PAGE_KB,
    hugeFromFault: k.vmstat[C.thp_fault_alloc]!,
    hugeCollapsed: c.collapses,
    hugeSplit: k.vmstat[C.thp_split_pmd]!,
    hugeFallback: k.vmstat[C.thp_fault_fallback]!,
    hugeShareMean: means.hugeShare,
    faults: faults.byKind,
    faultsAll: faults.all,
    tlb: tlbResult(session),
    shootdowns: shootdownResult(session),
    balancing: c.balancing,
    ...(k.machine.nodes > 1 ? { numa: numaResult(session) } : {}),
    khugepagedNs: k.khugepaged.usedNs,
    compactionNs: c.compactionNs,
    reclaimNs: c.reclaimNs,
    runNs: d.nowNs,
    series,
    processes,
    locks: lockResults(session),
    zones: zoneFigures(k.buddy),
    ...(Object.keys(session.told).length > 0 ? { told: session.told } : {}),
    ...(session.assumes.length > 0 ? { assumes: session.assumes } : {}),
  };
}

function tlbResult({ k }: Session): Result["tlb"] {
  const { stats } = k.tlb;
  const walkReferences = tlbTotal(stats.walkReferences);
  return {
    references: tlbTotal(stats.references),
    firstLevelHits: tlbTotal(stats.l1Hits),
    secondLevelHits: tlbTotal(stats.l2Hits),
    walks: tlbTotal(stats.walks),
    walkReferences,
    walkNs: Math.round((walkReferences * k.costs.walkReferencePs) / 1000),
  };
}

function shootdownResult({ k, c }: Session): Result["shootdowns"] {
  const causes = FLUSH_CAUSES.map((cause, i) => [cause, c.interruptsByCause[i]!] as const);
  return {
    rounds: c.shootdownRounds,
    interrupts: c.shootdownInterrupts,
    byCause: Object.fromEntries(causes.filter(([, interrupts]) => interrupts > 0)),
    senderNs: k.shootdowns.senderNs,
    interruptedNs: k.shootdowns.interruptedNs,
  };
}

function numaResult({ k, c, d }: Session): NumaResult {
  const { local, remote } = linesBySide(k);
  const hints = [FAULT_KINDS.indexOf("hint-4k"), FAULT_KINDS.indexOf("hint-huge")];
  return {
    nodes: k.machine.nodes,
    localLines: local,
    remoteLines: remote,
    remoteNs: Math.round(k.traffic.remotePs.reduce((sum, ps) => sum + ps, 0) / 1000),
    memoryWaitNs: Math.round(k.traffic.waitNs),
    hintNs: hints.reduce((sum, kind) => sum + (c.latencies[kind]?.total ?? 0), 0),
    moveNs: c.numa.moveNs,
    moveWaits: c.numa.moveWaits,
    moveWaitNs: c.numa.moveWaitNs,
    failedMoves: failedMovesOf(c.numa),
    scans: c.numa.scans,
    scanNs: c.numa.scanNs,
    tasksWithinNode: d.balancer.figures.withinNode,
    tasksBetweenNodes: d.balancer.figures.betweenNodes,
    ...(k.behaviours.numaDesign.policy === "autonuma" ? { autonuma: autonumaResult(k) } : {}),
  };
}

function autonumaResult(k: Session["k"]): AutonumaResult {
  const { fullScans, pagesScanned, pagesMigrated, figures } = autonuma(k);
  const { movedPages, failedPages, markedPages, queuedPages, cancelledPages, lostPages } = figures;
  return {
    fullScans,
    pagesScanned,
    pagesMigrated,
    movedPages,
    failedPages,
    markedPages,
    queuedPages,
    cancelledPages,
    lostPages,
    queuePeakPages: figures.queuePeakPages,
  };
}

function processesOf({ k, c }: Session): ProcessResult[] {
  const alive = k.mms.flatMap((mm) => (mm === undefined ? [] : [processResult(k.geometry.pagesPerHuge, mm)]));
  return [...c.processes, ...alive];
}

function changedCounters({ k }: Session): Record<string, number> {
  const vmstat: Record<string, number> = {};
  COUNTER_NAMES.forEach((name, index) => {
    if (k.vmstat[index] !== 0) vmstat[name] = k.vmstat[index]!;
  });
  return vmstat;
}

function changedKnobs({ k, options, bootValues }: Session): Record<string, string> {
  const changed: Record<string, string> = {};
  for (const spec of options.generation.knobs) {
    const value = k.knobs.read(spec.name);
    if (value !== bootValues.get(spec.name)) changed[spec.name] = value;
  }
  return changed;
}

function describeMachine({ k }: Session): string {
  const { nodes, cpus, memBytes, swapBytes, scale = 1 } = k.machine;
  const hugeBytes = k.geometry.pagesPerHuge * PAGE_BYTES * scale;
  return printMachine({
    nodes,
    cpus,
    memBytes: memBytes * scale,
    hugeBytes: hugeBytes === HUGE_BYTES ? undefined : hugeBytes,
    ...(swapBytes === 0 ? {} : { swapBytes: swapBytes * scale }),
    ...(scale === 1 ? {} : { scale }),
  });
}

/** Locks of the designs of 2012. */
function designLocks({ numa }: Session["k"]): Lock[] {
  if (numa.early === undefined) return [];
  const { autonuma } = numa.early;
  return [autonuma.mutex, ...autonuma.queues.map((queue) => queue.lock), ...autonuma.compoundLocks].filter(
    (lock) => lock.stats.acquisitions > 0,
  );
}

/** Contention by lock class. */
function lockResults({ k, goneLocks }: Session): LockResult[] {
  const locks: Lock[] = [
    ...k.locks.pageTable,
    ...goneLocks,
    ...k.mms.flatMap((mm) => (mm === undefined ? [] : [mm.mmapLock])),
    ...k.buddy.zones.map((zone) => zone.lock),
    ...k.lru.nodes.map((node) => node.lock),
    ...k.locks.pages.all,
    ...designLocks(k),
  ];
  const byClass = new Map<
    string,
    { acquisitions: number; waits: number; waitTotalNs: number; waitMaxNs: number }
  >();
  for (const { lockClass, stats } of locks) {
    const sum = byClass.get(lockClass) ?? { acquisitions: 0, waits: 0, waitTotalNs: 0, waitMaxNs: 0 };
    sum.acquisitions += stats.acquisitions;
    sum.waits += stats.waits;
    sum.waitTotalNs += stats.waitTotalNs;
    sum.waitMaxNs = Math.max(sum.waitMaxNs, stats.waitMaxNs);
    byClass.set(lockClass, sum);
  }
  return [...byClass].map(([lockClass, sum]) => ({ lockClass, ...sum }));
}
