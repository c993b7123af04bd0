/**
 * The time driver: answers what kernel paths yield with simulated time.
 *
 *     heap of (time, runner) ──▶ the earliest runs on its CPU until it blocks, sleeps,
 *                                or another's time has come
 *
 * A runner is a task or a daemon: one path and a CPU. Runners that share a CPU take turns by time slices.
 * Locks are handed over in order of arrival, and what waiting for them costs is counted.
 */
import type { Lock, Op, Path } from "../core/ops.ts";
import { asCpu } from "../core/units.ts";
import { numaTaskMoved } from "../kernel/numa/life.ts";
import { taskRuns, taskStops } from "../kernel/numa/state.ts";
import type { Kernel } from "../kernel/state.ts";
import { tlbFlushMm } from "../kernel/tlb/tlb.ts";
import { assert } from "../lib/assert.ts";
import { peekTimeNs, popHeap, pushHeap } from "../lib/heap.ts";
import { balanceTick, goToIdleSibling, pullToIdle } from "./balancer.ts";
import { everyCpu } from "./cpu-range.ts";
import {
  type CpuState,
  type Driver,
  type Runner,
  type RunnerOptions,
  type RunnerState,
  schedule,
} from "./driver-state.ts";

/** How long a runner may keep a CPU that another wants: assumed, near the scheduler's base slice of 3 ms. */
const SLICE_NS = 3_000_000;

/** Adds a runner that starts at `atNs`. */
export function spawn(d: Driver, options: RunnerOptions): Runner {
  const runner = enlist(d, options);
  runner.state = "ready";
  schedule(d, runner, options.atNs);
  return runner;
}

/** Adds a runner that has nothing to do until `restart` gives it a path. */
export function enlist(d: Driver, options: RunnerOptions): Runner {
  const runner: Runner = {
    id: d.runners.length,
    name: options.name,
    mm: options.mm,
    task: options.task,
    cpus: options.cpus ?? everyCpu(d.k.machine),
    cpu: options.cpu,
    wantedCpu: options.cpu,
    path: options.path,
    callers: [],
    state: "done",
    pending: undefined,
    clockNs: options.atNs,
    quietUntilNs: 0,
    onDone: undefined,
  };
  d.runners.push(runner);
  return runner;
}

/**
 * `yield call(d, path)` runs a path in place of the current one; what it returns is in `d.returned`
 * afterwards. Unlike `yield*`, whose cost grows with its depth at every step of the inner path, a call costs
 * one step.
 */
export function call(d: Driver, path: Path<unknown>): Op {
  d.callOp.path = path;
  return d.callOp;
}

/** Gives a runner that is done another path, from `atNs` on. */
export function restart(d: Driver, runner: Runner, path: Path<unknown>, atNs: number): void {
  assert(runner.state === "done", "only a runner that is done gets another path");
  runner.path = path;
  runner.state = "ready";
  runner.clockNs = Math.max(runner.clockNs, atNs);
  schedule(d, runner, runner.clockNs);
}

/** Wakes a runner that yielded WAIT; it goes on at `atNs`. */
export function wake(d: Driver, runner: Runner, atNs: number): void {
  if (runner.state !== "waiting") return;
  runner.state = "ready";
  runner.clockNs = Math.max(runner.clockNs, atNs);
  schedule(d, runner, runner.clockNs);
}

/** An idle CPU for a daemon: the highest-numbered, else the last. */
export function idleCpu(d: Driver): number {
  for (let cpu = d.cpus.length - 1; cpu >= 0; cpu--) if (d.cpus[cpu]!.current === -1) return cpu;
  return d.cpus.length - 1;
}

/** Runs until `finished` says so after a step, or nothing is left to run. False: nothing is left. */
export function runUntil(d: Driver, finished: () => boolean): boolean {
  while (!finished()) {
    const tNs = peekTimeNs(d.heap);
    if (tNs === Number.POSITIVE_INFINITY) return false;
    if (tNs >= d.balancer.atNs) {
      balanceTick(d, tNs);
      continue;
    }
    sampleTo(d, tNs);
    const runner = d.runners[popHeap(d.heap)]!;
    dispatch(d, runner, tNs);
  }
  return true;
}

/** Looks at memory for every moment that is due up to a time that all runners have reached. */
export function sampleTo(d: Driver, tNs: number): void {
  while (tNs >= d.sampleAtNs && d.onSample !== undefined) d.onSample(d.sampleAtNs);
}

/**
 * Before the address space is locked nothing in it is half done. A lone runner comes back to `runUntil` late:
 * memory is looked at there, while it runs.
 */
function entersKernel({ kind, lock }: Op): boolean {
  return lock?.lockClass === "mmap_lock" && (kind === "acquire" || kind === "acquire-read");
}

/** Lets a runner whose time has come run, or queues it behind the one that has its CPU. */
function dispatch(d: Driver, runner: Runner, tNs: number): void {
  if (runner.state === "done") return;
  leaveBusyCpu(d, runner);
  let cpu = d.cpus[runner.cpu]!;
  if (cpu.current !== -1 && cpu.current !== runner.id) {
    if (!goToIdleSibling(d, runner, tNs)) {
      runner.state = "ready";
      enqueue(d, cpu, runner);
      return;
    }
    cpu = d.cpus[runner.cpu]!;
  }
  if (cpu.current === runner.id && cpu.queue.length > 0 && tNs - cpu.sliceStartNs >= SLICE_NS) {
    enqueue(d, cpu, runner);
    runner.state = "ready";
    giveCpu(d, cpu, tNs);
    return;
  }
  if (cpu.current === -1) {
    if (tNs < cpu.freeNs) {
      schedule(d, runner, cpu.freeNs);
      return;
    }
    cpu.sliceStartNs = tNs;
  }
  cpu.current = runner.id;
  runner.clockNs = tNs;
  runOn(d, runner);
}

function enqueue(d: Driver, cpu: CpuState, runner: Runner): void {
  cpu.queue.push(runner.id);
  d.balancer.waiting += 1;
}

/** A daemon whose CPU is busy goes to one that is not, if there is one. */
function leaveBusyCpu(d: Driver, runner: Runner): void {
  const { current } = d.cpus[runner.cpu]!;
  if (runner.mm !== undefined || current === -1 || current === runner.id) return;
  runner.cpu = idleCpu(d);
  runner.wantedCpu = runner.cpu;
}

/** The CPU goes to the first in its queue, or becomes idle. */
function giveCpu(d: Driver, cpu: CpuState, tNs: number): void {
  cpu.current = -1;
  cpu.freeNs = Math.max(cpu.freeNs, tNs);
  const next = cpu.queue.shift();
  if (next === undefined) {
    goLazy(cpu);
    return;
  }
  d.balancer.waiting -= 1;
  cpu.current = next;
  cpu.sliceStartNs = tNs;
  const runner = d.runners[next]!;
  runner.clockNs = Math.max(runner.clockNs, tNs);
  schedule(d, runner, runner.clockNs);
}

/** An idle CPU keeps its address space but is not interrupted for it: it looks when it has work again. */
function goLazy(cpu: CpuState): void {
  const { mm, id } = cpu;
  // A daemon borrows what was there before it: the CPU has been lazy all the time.
  if (mm === undefined || mm.cpus[id] === 0) return;
  mm.cpus[id] = 0;
  mm.seenFlush[id] = mm.flushes;
}

/** The CPU takes up a runner's address space. Translations that were flushed meanwhile are forgotten now. */
function switchMm(d: Driver, runner: Runner): void {
  const { mm } = runner;
  const cpu = d.cpus[runner.cpu]!;
  if (mm === undefined || (cpu.mm === mm && mm.cpus[runner.cpu] === 1)) return;
  if (cpu.mm !== undefined && cpu.mm.cpus[runner.cpu] === 1) {
    cpu.mm.cpus[runner.cpu] = 0;
    cpu.mm.seenFlush[runner.cpu] = cpu.mm.flushes;
  }
  if (mm.seenFlush[runner.cpu] !== mm.flushes) {
    tlbFlushMm(d.k.tlb, runner.cpu, mm.id, d.k.pt.pmdTables.mm);
  }
  mm.cpus[runner.cpu] = 1;
  cpu.mm = mm;
}

function countSwitch(cpu: CpuState, runner: number): void {
  if (cpu.lastRunner !== runner) cpu.switches += 1;
  cpu.lastRunner = runner;
}

/** Runs a runner until it blocks, is done, or somebody else's time has come. */
function runOn(d: Driver, runner: Runner): void {
  const { k } = d;
  countSwitch(d.cpus[runner.cpu]!, runner.id);
  switchMm(d, runner);
  runner.state = "running";
  k.cpu = asCpu(runner.cpu);
  k.nowNs = runner.clockNs + takeStolen(k, runner.cpu);
  startTask(d, runner);
  for (;;) {
    const op = runner.pending ?? nextOp(d, runner);
    if (op === undefined) return;
    // Whoever is behind in time may want the lock first.
    if (op.lock !== undefined && k.nowNs > d.horizonNs) {
      runner.pending = op;
      letOthersRun(d, runner);
      return;
    }
    runner.pending = undefined;
    if (k.nowNs >= d.sampleAtNs && k.nowNs <= d.horizonNs && entersKernel(op)) sampleTo(d, k.nowNs);
    if (d.watch !== undefined) d.watch.op(runner, op);
    if (!answer(d, runner, op)) return;
    if (runner.wantedCpu !== runner.cpu) {
      stop(d, runner, "ready");
      if (runner.task !== undefined) numaTaskMoved(k, runner.task, runner.cpu, runner.wantedCpu);
      runner.cpu = runner.wantedCpu;
      schedule(d, runner, runner.clockNs);
      return;
    }
    if (k.nowNs > d.horizonNs) {
      letOthersRun(d, runner);
      return;
    }
  }
}

/** Runs a path, and those that it calls, to the next op; undefined when the runner is done. */
function nextOp(d: Driver, runner: Runner): Op | undefined {
  const { k } = d;
  for (;;) {
    const step = runner.path.next();
    k.nowNs += takeStolen(k, runner.cpu);
    if (step.done !== true) {
      if (step.value.kind !== "call") return step.value;
      runner.callers.push(runner.path);
      runner.path = step.value.path!;
      continue;
    }
    const caller = runner.callers.pop();
    if (caller === undefined) break;
    d.returned = step.value;
    runner.path = caller;
  }
  stop(d, runner, "done");
  runner.onDone?.();
  return undefined;
}

/** Others are behind in time: the runner keeps its CPU and goes on when they have caught up. */
function letOthersRun(d: Driver, runner: Runner): void {
  const { nowNs } = d.k;
  if (d.watch !== undefined) d.watch.ran(runner, runner.clockNs, nowNs);
  runner.clockNs = nowNs;
  runner.state = "ready";
  if (runner.task !== undefined) taskStops(d.k, runner.task);
  if (nowNs > d.nowNs) d.nowNs = nowNs;
  pushHeap(d.heap, nowNs, runner.id);
}

/** The runner's task has the CPU, until somebody else's time comes; its program also until its next tick. */
function startTask(d: Driver, { cpu, task, mm }: Runner): void {
  const { k } = d;
  const { queue, sliceStartNs } = d.cpus[cpu]!;
  d.horizonNs = peekTimeNs(d.heap);
  if (queue.length > 0) d.horizonNs = Math.min(d.horizonNs, sliceStartNs + SLICE_NS);
  d.programLimitNs = d.horizonNs + d.quantumNs;
  taskRuns(k, task);
  if (task === undefined) return;
  task.mm = mm;
  if (k.tunables.numaBalancing) d.programLimitNs = Math.min(d.programLimitNs, task.tickAtNs);
}

function takeStolen(k: Kernel, cpu: number): number {
  const ns = k.stolenNs[cpu]!;
  k.stolenNs[cpu] = 0;
  return ns;
}

/** The runner gives up its CPU. */
function stop(d: Driver, runner: Runner, state: RunnerState): void {
  const { nowNs } = d.k;
  if (d.watch !== undefined) d.watch.ran(runner, runner.clockNs, nowNs);
  runner.clockNs = nowNs;
  runner.state = state;
  if (runner.task !== undefined) taskStops(d.k, runner.task);
  d.k.numa.running[runner.cpu] = undefined;
  if (nowNs > d.nowNs) d.nowNs = nowNs;
  giveCpu(d, d.cpus[runner.cpu]!, nowNs);
  const leaves = state === "sleeping" || state === "waiting" || state === "done";
  if (leaves && d.cpus[runner.cpu]!.current === -1) pullToIdle(d, runner.cpu, nowNs);
}

/** Answers one op; false when the runner does not go on now. */
function answer(d: Driver, runner: Runner, op: Op): boolean {
  switch (op.kind) {
    case "acquire":
      return take(d, runner, op.lock!, false);
    case "acquire-read":
      return take(d, runner, op.lock!, true);
    case "release":
      assert(op.lock!.holder === runner.id, "a lock is released by the path that holds it");
      op.lock!.holder = -1;
      if (op.lock!.waiters.length > 0) handOver(d, op.lock!);
      return true;
    case "release-read":
      assert(op.lock!.readers > 0, "a lock that is released for reading has readers");
      op.lock!.readers--;
      if (op.lock!.waiters.length > 0) handOver(d, op.lock!);
      return true;
    case "sleep":
      stop(d, runner, "sleeping");
      schedule(d, runner, d.k.nowNs + op.waitNs!);
      return false;
    case "wait":
      stop(d, runner, "waiting");
      return false;
    case "preempt":
    case "interrupt":
    case "nothing":
    case "call":
      return true;
  }
}

/** Takes a lock, or queues for it. */
function take(d: Driver, runner: Runner, lock: Lock, forReading: boolean): boolean {
  lock.stats.acquisitions++;
  const free = lock.holder === -1 && lock.waiters.length === 0 && (forReading || lock.readers === 0);
  if (free) {
    if (forReading) lock.readers++;
    else lock.holder = runner.id;
    return true;
  }
  assert(lock.holder !== runner.id, "a path does not wait for a lock that it holds");
  lock.waiters.push({ runner: runner.id, forReading, sinceNs: d.k.nowNs });
  stop(d, runner, "blocked");
  return false;
}

/** A lock became free: the first waiter gets it; if that is a reader, the readers behind it as well. */
function handOver(d: Driver, lock: Lock): void {
  while (lock.waiters.length > 0 && lock.holder === -1) {
    const first = lock.waiters[0]!;
    if (!first.forReading && lock.readers > 0) return;
    lock.waiters.shift();
    if (first.forReading) lock.readers++;
    else lock.holder = first.runner;
    const runner = d.runners[first.runner]!;
    const nowNs = Math.max(d.k.nowNs, first.sinceNs);
    const waitNs = nowNs - first.sinceNs;
    lock.stats.waits++;
    lock.stats.waitTotalNs += waitNs;
    if (waitNs > lock.stats.waitMaxNs) lock.stats.waitMaxNs = waitNs;
    runner.state = "ready";
    schedule(d, runner, nowNs);
  }
}

/** Every runner that waits for something that does not come: for the report of a deadlock. */
export function stuckRunners(d: Driver): string[] {
  return d.runners
    .filter((runner) => runner.state === "blocked" || runner.state === "waiting")
    .map((runner) => `${runner.name} is ${runner.state}`);
}
