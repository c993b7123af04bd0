/** One simulation while it runs: kernel, driver and collector, joined. Script and replay both build on it. */
import { C } from "../core/counters.ts";
import type { FaultKind } from "../core/events.ts";
import { EVENT } from "../core/events.ts";
import { type Lock, type Op, type Path, PREEMPT } from "../core/ops.ts";
import { asNode, type NodeId, type Vpn } from "../core/units.ts";
import type { Generation } from "../generations/generation.ts";
import type { HardwareSpec } from "../hardware/spec.ts";
import { createKernel } from "../kernel/create.ts";
import { handleFault } from "../kernel/fault/handle.ts";
import type { FaultOutcome } from "../kernel/fault/outcome.ts";
import { violations } from "../kernel/invariants.ts";
import { khugepaged } from "../kernel/khugepaged/daemon.ts";
import { wakeKhugepaged } from "../kernel/khugepaged/register.ts";
import { type MachineSpec, nodeOfCpu } from "../kernel/machine.ts";
import type { Mm } from "../kernel/mm/mm.ts";
import { knumaMigrated } from "../kernel/numa/autonuma/migrated.ts";
import { autonuma, isPossible } from "../kernel/numa/autonuma/of.ts";
import { knumaScand } from "../kernel/numa/autonuma/scand.ts";
import { numaPolicy } from "../kernel/numa/policy.ts";
import { currentTask, type TaskSeats } from "../kernel/numa/state.ts";
import { kswapd } from "../kernel/reclaim/kswapd.ts";
import { emit, type Kernel } from "../kernel/state.ts";
import { assert, UserError } from "../lib/assert.ts";
import {
  type Collector,
  HUGE_TICK_NS,
  makeCollector,
  recordFault,
  recordHuge,
  recordMemory,
} from "../metrics/collector.ts";
import {
  makeRecorder,
  type Recorder,
  recordEvent,
  recordFaultBegin,
  recordFaultEnd,
  recordOp,
  recordSample,
  recordSlice,
} from "../metrics/recorder.ts";
import type { RecordLimits } from "../metrics/recording.ts";
import type { FailedCall } from "../metrics/result.ts";
import { taskFitsCpu } from "./cpu-range.ts";
import { call, idleCpu, restart, spawn } from "./driver.ts";
import { type Driver, makeDriver, type Runner } from "./driver-state.ts";
import { lookAtMemory, processResult } from "./memory-look.ts";
import { believing } from "./path-watch.ts";
import { scaleKnobs } from "./scale.ts";

export interface SessionOptions {
  readonly generation: Generation;
  readonly machine: MachineSpec;
  readonly hardware: HardwareSpec;
  /** Knob writes before the start, by full names. */
  readonly settings: readonly (readonly [knob: string, value: string])[];
  /** Check every named invariant as the run goes. */
  readonly verify: boolean;
  /** What the workload is called. */
  readonly name: string;
  /**
   * An earlier script of the same boot has brought the huge zero page into being; it stays until memory is
   * short.
   */
  readonly hugeZeroAllocated?: boolean;
  /**
   * No other program is registered with khugepaged: the first that registers wakes it, and is scanned at
   * once.
   */
  readonly quietSystem?: boolean;
  /**
   * A script's threads have their stacks on the first node, whose CPU made them present beforehand; else each
   * where it first runs for a while.
   */
  readonly stacksOnFirstNode?: boolean;
  /** Record the run step by step: see `metrics/recording.ts`. */
  readonly record?: RecordLimits | undefined;
}

export interface Session {
  readonly options: SessionOptions;
  readonly k: Kernel;
  readonly d: Driver;
  readonly c: Collector;
  /** Only when the run is to be recorded. */
  readonly recorder: Recorder | undefined;
  outcome: "finished" | "oom";
  /** By call and errno. */
  readonly failedCalls: Map<string, FailedCall>;
  /** Figures of the workload's own, by name. */
  readonly told: Record<string, number>;
  /** What the workload assumes where its source is silent. */
  readonly assumes: string[];
  /** mmap locks of address spaces that have gone: contention on them counts in the result. */
  readonly goneLocks: Lock[];
  /** Faults since the invariants were last checked. */
  sinceCheck: number;
  /** What every knob was when the machine had booted, before the settings. */
  readonly bootValues: ReadonlyMap<string, string>;
}

/** With `verify`, the invariants are checked at least once in that many faults. */
const CHECK_EVERY_FAULTS = 64;
/** More tries than this on one access are a bug of ours: some path says "retry" for ever. */
const TRIES_MAX = 100;

export function openSession(options: SessionOptions): Session {
  const { generation, machine, hardware } = options;
  const k = createKernel({
    machine,
    behaviours: generation.behaviours,
    knobSpecs: generation.knobs,
    costs: hardware.costs,
    tlb: hardware.tlb,
  });
  const bootValues = new Map(k.knobs.specs.map(({ name }) => [name, k.knobs.read(name)]));
  scaleKnobs(k.knobs, machine.scale ?? 1);
  for (const [knob, value] of options.settings) {
    const refusal = k.knobs.write(knob, value);
    if (refusal !== undefined) {
      throw new UserError(`${refusal.knob}: found "${refusal.found}", expected ${refusal.expected}`);
    }
  }
  k.khugepaged.othersRegistered = options.quietSystem !== true;
  k.thp.hugeZeroAllocated = options.hugeZeroAllocated === true;
  const d = makeDriver(k);
  const c = makeCollector();
  const recorder = options.record === undefined ? undefined : watch(k, d, options.record);
  if (options.verify) d.watch = believing(d.watch);
  k.listener = (code, tNs, cpu, a, b, third, fourth) => {
    c.listener(code, tNs, cpu, a, b, third, fourth);
    if (recorder !== undefined) recordEvent(recorder, code, tNs, cpu, [a, b, third, fourth]);
    if (code !== EVENT.exit) return;
    c.processes.push(processResult(k.geometry.pagesPerHuge, k.mms[a]!));
    session.goneLocks.push(k.mms[a]!.mmapLock);
  };
  const session: Session = {
    options,
    k,
    d,
    c,
    recorder,
    outcome: "finished",
    failedCalls: new Map(),
    told: {},
    assumes: [],
    goneLocks: [],
    sinceCheck: 0,
    bootValues,
  };
  startDaemons(session);
  k.numa.place = (_, node) => placeCurrent(session, node);
  k.numa.exchange = (cpu) => exchangeCurrent(session, cpu);
  k.numa.seats = seatsOf(session);
  wakeKhugepaged(k);
  sample(session);
  return session;
}

/** Records what the kernel's paths do, and when daemons run. */
function watch(k: Kernel, d: Driver, limits: RecordLimits): Recorder {
  const recorder = makeRecorder(k, limits, () => d.runners[d.cpus[k.cpu]!.current]);
  d.watch = {
    op: (runner, op) => recordOp(recorder, runner, op),
    ran: (runner, fromNs, toNs) => {
      if (runner.mm === undefined) recordSlice(recorder, runner, runner.cpu, fromNs, toNs);
    },
  };
  return recorder;
}

/** Looks at memory at the collector's intervals, and at huge pages at each tick. */
function sample(session: Session): void {
  const { d, k, c } = session;
  let lookAtNs = 0;
  let tickAtNs = HUGE_TICK_NS;
  d.sampleAtNs = 0;
  d.onSample = (tNs) => {
    if (tNs >= lookAtNs) lookAtNs = look(session, tNs);
    if (tNs >= tickAtNs) {
      recordHuge(c, k.totals.huge);
      tickAtNs += HUGE_TICK_NS;
    }
    d.sampleAtNs = Math.min(lookAtNs, tickAtNs);
  };
}

/** Adds a point to the series now; returns when the next one is due. */
export function look({ k, c, recorder }: Session, tNs: number): number {
  const nextNs = recordMemory(c, tNs, lookAtMemory(k, c.collapses));
  if (recorder !== undefined) recordSample(recorder, tNs, c.points.length);
  return nextNs;
}

/** Daemons start when they are woken, on an idle CPU. */
function startDaemons(session: Session): void {
  const { k, d } = session;
  const start = (runner: Runner | undefined, name: string, path: Path): Runner => {
    const atNs = k.nowNs;
    if (runner === undefined) return spawn(d, { name, mm: undefined, cpu: idleCpu(d), atNs, path });
    runner.cpu = idleCpu(d);
    runner.wantedCpu = runner.cpu;
    restart(d, runner, path, atNs);
    return runner;
  };
  let daemon: Runner | undefined;
  k.khugepaged.onWake = () => {
    daemon = start(daemon, "khugepaged", khugepaged(k));
  };
  const kswapds = new Map<number, Runner>();
  k.buddy.onKswapdWake = (node) => {
    const runner = kswapds.get(node);
    if (runner !== undefined && runner.state !== "done") return;
    kswapds.set(node, start(runner, "kswapd" + node, kswapd(k, asNode(node))));
  };
  if (k.behaviours.numaDesign.policy === "autonuma" && isPossible(k)) startAutonuma(k, start);
}

/** knuma_scand runs from boot on; the migrators when they are woken. */
function startAutonuma(
  k: Kernel,
  start: (runner: Runner | undefined, name: string, path: Path) => Runner,
): void {
  const migrators = new Map<number, Runner>();
  autonuma(k).onWake = (node) => {
    const path = knumaMigrated(k, asNode(node));
    migrators.set(node, start(migrators.get(node), "knuma_migrated" + node, path));
  };
  start(undefined, "knuma_scand", knumaScand(k));
}

/**
 * Where a task returns to its program, once its time is up (`d.programLimitNs`): a tick may have queued work
 * for it.
 */
export function returnToUser({ k, d }: Session): Op {
  const task = currentTask(k);
  if (task === undefined || !k.tunables.numaBalancing) return PREEMPT;
  const policy = numaPolicy(k);
  if (k.nowNs >= task.tickAtNs) policy.tick(k, task);
  d.programLimitNs = Math.min(d.horizonNs + d.quantumNs, task.tickAtNs);
  return task.workQueued ? call(d, policy.work(k, task)) : PREEMPT;
}

/** Moves the current task to an idle CPU of a node, if it may go there; the node on which it will run. */
function placeCurrent({ k, d }: Session, node: NodeId): NodeId {
  const runner = d.runners[d.cpus[k.cpu]!.current]!;
  const idle = (cpu: number) => d.cpus[cpu]!.current === -1 && nodeOfCpu(k.machine, cpu) === node;
  const cpu = d.cpus.findIndex((_, each) => idle(each) && taskFitsCpu(runner, each));
  if (cpu < 0) return asNode(nodeOfCpu(k.machine, k.cpu));
  runner.wantedCpu = cpu;
  return node;
}

/** The current task and another change places, if neither is bound to its own. */
function exchangeCurrent({ k, d }: Session, cpu: number): boolean {
  const runner = d.runners[d.cpus[k.cpu]!.current]!;
  const other = d.runners[d.cpus[cpu]!.current];
  if (other?.mm === undefined || !taskFitsCpu(runner, cpu) || !taskFitsCpu(other, k.cpu)) return false;
  if (runner.wantedCpu !== runner.cpu || other.wantedCpu !== other.cpu) return false;
  runner.wantedCpu = cpu;
  other.wantedCpu = k.cpu;
  return true;
}

/** The CPUs, as the current task's search for a better one sees them. */
function seatsOf({ k, d }: Session): TaskSeats {
  const current = (): Runner => d.runners[d.cpus[k.cpu]!.current]!;
  const runnerOn = (cpu: number): Runner | undefined => d.runners[d.cpus[cpu]!.current];
  const isTask = (runner: Runner | undefined): boolean => runner?.task !== undefined;
  return {
    tasksOn: (cpu) => {
      const waiting = d.cpus[cpu]!.queue.filter((id) => isTask(d.runners[id])).length;
      return waiting + (isTask(runnerOn(cpu)) ? 1 : 0);
    },
    mayGo: (cpu) => taskFitsCpu(current(), cpu),
    mayCome: (cpu) => {
      const other = runnerOn(cpu);
      return other?.task !== undefined && other.wantedCpu === other.cpu && taskFitsCpu(other, k.cpu);
    },
    go: (cpu) => {
      current().wantedCpu = cpu;
    },
  };
}

/** One fault of the current task: `yield fault(…)`, then ask `faultOutcome` with the time from before. */
export function fault(session: Session, mm: Mm, vpn: Vpn, write: boolean): Op {
  if (session.recorder !== undefined) recordFaultBegin(session.recorder, mm, vpn, write);
  return call(session.d, handleFault(session.k, mm, vpn, write));
}

/** What the fault that was just carried out came to; it began at `startNs`. */
export function faultOutcome(session: Session, mm: Mm, startNs: number): FaultOutcome {
  const { k, c } = session;
  const outcome = session.d.returned as FaultOutcome;
  if (outcome === "retry" || outcome === "fallback") return outcome;
  const kind: FaultKind = outcome === "segv" || outcome === "oom" ? "failed" : outcome;
  recordFault(c, kind, k.nowNs - startNs);
  if (session.recorder !== undefined) recordFaultEnd(session.recorder, mm, kind, startNs);
  if (outcome === "oom") {
    session.outcome = "oom";
    k.vmstat[C.oom_kill]! += 1;
    emit(k, EVENT.oom, mm.id, 0);
  }
  if (session.options.verify && ++session.sinceCheck >= CHECK_EVERY_FAULTS) verifyNow(session);
  return outcome;
}

/** Checks that a count of tries on one access stays sane. */
export function countTry(tries: number): void {
  assert(tries < TRIES_MAX, "an access that faults is let through after a few tries");
}

/**
 * Throws if an invariant does not hold now. Only between paths: does nothing while one is half-way, which
 * shows by a runner that was preempted or waits for a lock, or an address space that is being torn down.
 */
export function verifyNow(session: Session): void {
  session.sinceCheck = 0;
  const { k, d } = session;
  if (d.runners.some(isHalfWay)) return;
  const held = heldLocks(k);
  assert(held.length === 0, `a lock is held by somebody who runs: ${held.join(", ")}`);
  if (k.mms.some((mm) => mm !== undefined && mm.users === 0)) return;
  const broken = violations(k);
  assert(broken.length === 0, broken[0] ?? "");
}

/**
 * Preempted or waiting inside a path: it may hold a page that nothing names yet (a collapse between its two
 * locks).
 */
function isHalfWay(runner: Runner): boolean {
  return runner.state === "blocked" || runner.state === "ready";
}

/** Names of the locks that somebody holds. */
function heldLocks(k: Kernel): string[] {
  const locks = [
    ...k.mms.flatMap((mm) => (mm === undefined ? [] : [mm.mmapLock])),
    ...k.buddy.zones.map((zone) => zone.lock),
    ...k.lru.nodes.map((node) => node.lock),
    ...k.locks.pageTable,
    ...k.locks.pages.all,
  ];
  return locks.filter((lock) => lock.holder !== -1 || lock.readers > 0).map((lock) => lock.name);
}

/** A call of the program was refused; `error` is an errno, negated. */
export function noteFailedCall({ failedCalls }: Session, call: string, error: number): void {
  const key = `${call} ${error}`;
  failedCalls.set(key, { call, errno: -error, count: (failedCalls.get(key)?.count ?? 0) + 1 });
}
