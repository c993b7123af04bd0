/**
 * Runs a named workload: every thread of it is a path of its own on its own CPU.
 *
 *     thread's program ─▶ batch ─▶ hot loop, faults
 *                      ─▶ call  ─▶ kernel path, spawn, barrier, sleep … ─▶ answer ─▶ next item
 *
 * Threads that only refer to memory may be a little ahead of each other (`QUANTUM_NS`); whoever enters the
 * kernel waits until the others have caught up. Threads without an affinity are put on the CPU that has least
 * to do, when they are born and when they are set free; afterwards the load balancer moves them
 * (balancer.ts).
 */
import { type Path, PREEMPT, sleepOp, WAIT } from "../core/ops.ts";
import { asNode, MS_NS, NO_NODE, S_NS, US_NS } from "../core/units.ts";
import { nodeOfCpu } from "../kernel/machine.ts";
import { forkMm } from "../kernel/mm/fork.ts";
import { makeMm } from "../kernel/mm/mm.ts";
import { mmap } from "../kernel/mm/mmap.ts";
import { exitMm } from "../kernel/mm/munmap.ts";
import { VM } from "../kernel/mm/vma.ts";
import { leaveGroup } from "../kernel/numa/group.ts";
import { forkNumaTask } from "../kernel/numa/life.ts";
import { makeNumaTask } from "../kernel/numa/state.ts";
import { spend } from "../kernel/state.ts";
import { tlbTotal } from "../kernel/tlb/tlb.ts";
import { assert } from "../lib/assert.ts";
import type { Affinity, Barrier, Item, MemoryCall, ProgramCall } from "../workloads/generators/program.ts";
import type { NamedWorkload } from "../workloads/generators/workload.ts";
import { isBatch } from "../workloads/records.ts";
import { cpusOf, taskFitsCpu } from "./cpu-range.ts";
import { call, runUntil, spawn, stuckRunners, wake } from "./driver.ts";
import type { Runner } from "./driver-state.ts";
import {
  addSpace,
  makeProgramRun,
  makeSelf,
  type ProgramRun,
  type ProgramThread,
  type ThreadBirth,
} from "./program-state.ts";
import { runBatch } from "./replay-batch.ts";
import { runCall } from "./replay-event.ts";
import { populate } from "./script-calls.ts";
import { noteFailedCall, returnToUser, type Session, verifyNow } from "./session.ts";

/**
 * How far a thread that only refers to memory may be ahead of the others: what they do to its memory reaches
 * it that much late. Near what a shootdown takes. With many threads more, since each step of a thread costs
 * the same whatever its length.
 */
const QUANTUM_NS = 20 * US_NS;
const QUANTUM_MAX_NS = 100 * US_NS;
const FEW_THREADS = 32;
/** Computing is cut into pieces, so that ticks find the thread. */
const COMPUTE_NS = MS_NS;
/** Steps between two words of progress. */
const PROGRESS_STEPS = 100_000;

export interface ProgramOptions {
  /** Told from time to time how far the run is. */
  readonly onProgress?: ((text: string, references: number) => void) | undefined;
}

/** Runs the workload to the end of all its threads. */
export function runWorkload(session: Session, workload: NamedWorkload, options: ProgramOptions): void {
  const { k, d } = session;
  const run = makeProgramRun(session, workload.name);
  session.assumes.push(...(workload.spec.assumes?.(workload.values) ?? []));
  const mm = makeMm(k);
  mm.name = workload.spec.name;
  const space = addSpace(run);
  const body = workload.spec.main(workload.values);
  addThread(run, { mm, space, numa: makeNumaTask(k, mm), name: mm.name, affinity: "any", body });
  let steps = 0;
  const isOver = () => {
    if (++steps % PROGRESS_STEPS === 0)
      options.onProgress?.(
        `${(d.nowNs / S_NS).toFixed(2)} s of simulated time`,
        tlbTotal(k.tlb.stats.references),
      );
    return run.alive === 0 || session.outcome === "oom";
  };
  if (!runUntil(d, isOver))
    assert(isOver(), "a program's threads do not wait for ever: " + stuckRunners(d).join(", "));
}

/** The CPU with the fewest threads among those allowed; the node with the fewest first, then the lowest. */
function leastBusyCpu({ session, threads }: ProgramRun, affinity: Affinity, except?: Runner): number {
  const { machine } = session.k;
  const load = new Int32Array(machine.cpus);
  const onNode = new Int32Array(machine.nodes);
  for (const { ended, joining, runner } of threads) {
    if (ended || joining || runner === except) continue;
    load[runner.wantedCpu]! += 1;
    onNode[nodeOfCpu(machine, runner.wantedCpu)]! += 1;
  }
  let best = -1;
  let bestLoad = Number.POSITIVE_INFINITY;
  const { from, to } = cpusOf(machine, affinity);
  for (let cpu = from; cpu < to; cpu++) {
    const weight = load[cpu]! * 2 ** 20 + onNode[nodeOfCpu(machine, cpu)]!;
    if (weight >= bestLoad) continue;
    best = cpu;
    bestLoad = weight;
  }
  return best;
}

/** Starts a thread; returns its number. */
function addThread(run: ProgramRun, birth: ThreadBirth): number {
  const { k, d } = run.session;
  const index = run.threads.length;
  const cpu = leastBusyCpu(run, birth.affinity);
  run.alive += 1;
  d.quantumNs = Math.min(QUANTUM_MAX_NS, QUANTUM_NS * Math.max(1, run.alive / FEW_THREADS));
  const self = makeSelf(run, index, birth.space);
  const path = life(run, index, birth);
  const { mm, name, numa } = birth;
  const cpus = cpusOf(k.machine, birth.affinity);
  const runner = spawn(d, { name, mm, task: numa, cpus, cpu, atNs: k.nowNs, path });
  const process = { index: birth.space.process, mm };
  const cursor = run.replay.makeCursor();
  const thread = {
    index,
    process,
    runner,
    cpu,
    readyNs: 0,
    ended: false,
    cursor,
    self,
    joiners: [],
    joining: false,
  };
  run.threads.push(thread);
  return index;
}

/** A thread from its first step to its last; with a process's last thread, its memory goes. */
function* life(run: ProgramRun, index: number, { body }: ThreadBirth): Path {
  const { session } = run;
  const { k, d } = session;
  const thread = run.threads[index]!;
  const { self } = thread;
  const program = body(self);
  for (;;) {
    self.nowNs = k.nowNs;
    const step = program.next();
    if (step.done === true || session.outcome === "oom") break;
    const item: Item = step.value;
    if (isBatch(item)) {
      yield call(d, runBatch(run.replay, thread, item));
    } else {
      self.result = yield* perform(run, thread, item);
      if (session.options.verify) verifyNow(session);
    }
    if (k.nowNs >= d.programLimitNs) yield returnToUser(session);
  }
  yield* end(run, thread);
}

function* end(run: ProgramRun, thread: ProgramThread): Path {
  const { k, d } = run.session;
  const { mm } = thread.process;
  leaveGroup(k, thread.runner.task!);
  mm.users -= 1;
  if (mm.users === 0) yield* exitMm(k, mm);
  thread.ended = true;
  run.alive -= 1;
  for (const joiner of thread.joiners) wake(d, joiner.runner, k.nowNs);
}

/** Carries out one call; its answer. */
function* perform(run: ProgramRun, thread: ProgramThread, item: MemoryCall | ProgramCall): Path<number> {
  const { k } = run.session;
  switch (item.kind) {
    case "mmap":
      return yield* mapMemory(run, thread, item);
    case "spawn":
      return yield* spawnChild(run, thread, item);
    case "join": {
      const child = run.threads[item.thread]!;
      thread.joining = true;
      while (!child.ended) {
        child.joiners.push(thread);
        yield WAIT;
      }
      thread.joining = false;
      return 0;
    }
    case "barrier":
      yield* arrive(run, thread, item.barrier);
      return 0;
    case "bind":
      yield* bind(run, thread, item.affinity);
      return 0;
    case "mempolicy":
      spend(k, k.costs.syscallNs);
      thread.runner.task!.memoryNode = item.node === undefined ? NO_NODE : asNode(item.node);
      return 0;
    case "sleep":
      yield sleepOp(item.ns);
      return 0;
    case "tell":
      run.session.told[item.figure] = item.value;
      return 0;
    case "compute":
      for (let leftNs = item.ns; leftNs > 0; leftNs -= COMPUTE_NS) {
        spend(k, Math.min(leftNs, COMPUTE_NS));
        yield returnToUser(run.session);
      }
      return 0;
    case "thp-disable":
      thread.process.mm.thpDisable = item.value as typeof thread.process.mm.thpDisable;
      return 0;
    default:
      return yield* runCall(run.replay, thread.process.mm, item);
  }
}

type Of<Kind extends ProgramCall["kind"]> = Extract<ProgramCall, { readonly kind: Kind }>;

function* mapMemory({ session }: ProgramRun, { process }: ProgramThread, item: Of<"mmap">): Path<number> {
  const kinds = (item.shared ? VM.SHARED : 0) | (item.noreserve ? VM.NORESERVE : 0);
  const flags = VM.READ | VM.WRITE | kinds;
  const pages = Math.ceil(item.bytes / 4096);
  const request = { at: undefined, pages, flags, replace: false, stack: false };
  const start = yield* mmap(session.k, process.mm, request);
  if (start < 0) noteFailedCall(session, "mmap", start);
  if (start >= 0 && item.populate) yield* populate(session, process.mm, start, pages, flags);
  return start < 0 ? start : start * 4096;
}

function* spawnChild(run: ProgramRun, parent: ProgramThread, item: Of<"spawn">): Path<number> {
  const { k } = run.session;
  const { name, affinity, body } = item;
  const numa = forkNumaTask(k, parent.runner.task!, item.as === "thread" ? "thread" : "fork");
  let { mm } = parent.process;
  let { space } = parent.self;
  if (item.as === "process") {
    mm = yield* forkMm(k, mm);
    mm.name = name;
    space = addSpace(run);
  } else {
    spend(k, k.costs.syscallNs);
    mm.users += 1;
  }
  const child = addThread(run, { mm, space, numa, name, affinity, body });
  yield PREEMPT;
  return child;
}

function* arrive(run: ProgramRun, thread: ProgramThread, barrier: Barrier): Path {
  const { k, d } = run.session;
  spend(k, k.costs.syscallNs);
  // Time as the others have it: who comes last is not a matter of who runs ahead.
  yield PREEMPT;
  if (barrier.waiting.length + 1 === barrier.parties) {
    barrier.rounds += 1;
    for (const index of barrier.waiting.splice(0)) wake(d, run.threads[index]!.runner, k.nowNs);
    return;
  }
  const { rounds } = barrier;
  barrier.waiting.push(thread.index);
  while (barrier.rounds === rounds) yield WAIT;
}

function* bind(run: ProgramRun, { runner }: ProgramThread, affinity: Affinity): Path {
  const { k } = run.session;
  spend(k, k.costs.syscallNs);
  runner.cpus = cpusOf(k.machine, affinity);
  // Who may stay stays: it is the balancer's to find a better place.
  if (!taskFitsCpu(runner, runner.cpu)) runner.wantedCpu = leastBusyCpu(run, affinity, runner);
  yield PREEMPT;
}
