/**
 * The load balancer: CPUs that have nothing to do take over tasks that wait, or whole nodes stay uneven.
 *
 *     a task wakes, its CPU is busy ──▶ an idle CPU of the same node takes it
 *     a CPU becomes idle, or is idle at a tick ──▶ takes a waiting task: of its node, else of another one
 *     a CPU is busy, now and then ──▶ takes one from where two more wait than here
 *     a node runs fewer tasks than another, looked at in vain several times ──▶ a running one comes over
 *
 * A task that may run on one CPU alone is never touched, and nothing happens where no task waits and nodes
 * are even: one task a CPU is left in peace. What memory a task leaves behind is not looked at, but by the
 * designs' own rules (`leaves`): a task that they have put on a node is taken from it last, or not at all.
 *
 * Models:       kernel/sched/fair.c select_idle_sibling(), idle_balance(), nohz_balancer_kick(),
 *               rebalance_domains(), find_busiest_group(), active_load_balance_cpu_stop(),
 *               can_migrate_task(): what 3.7 to 6.1 have in common, with two domains: a node's CPUs, and all
 *               nodes.
 * Not modelled: load by weight and utilization (a task counts as one), domains of hardware threads and
 *               caches, recently run tasks that stay for their cache's sake, groups of tasks, the uneven load
 *               that later kernels allow between nodes. A CPU that is idle because its task waits for a lock
 *               takes nothing before the next tick.
 */
import { MS_NS } from "../core/units.ts";
import { nodeOfCpu } from "../kernel/machine.ts";
import { numaTaskMoved } from "../kernel/numa/life.ts";
import { numaPolicy } from "../kernel/numa/policy.ts";
import { JIFFY_NS } from "../kernel/numa/state.ts";
import { taskFitsCpu } from "./cpu-range.ts";
import { type CpuState, type Driver, type Runner, schedule } from "./driver-state.ts";

/** The longer pause of a CPU that has work itself: sd->busy_factor of 2012. */
const BUSY_FACTOR = 32;
/** A node is uneven to another from 125 % of its tasks on: sd->imbalance_pct between nodes. */
const IMBALANCE_PERCENT = 125;
/** Looks in vain before a task that runs is moved: more than sd->cache_nice_tries + 2. */
const LOOKS_IN_VAIN = 5;

/** How often tasks went to another CPU, beside what NUMA balancing asked for. */
export interface BalancerFigures {
  withinNode: number;
  betweenNodes: number;
}

export interface Balancer {
  /** The next tick at which idle CPUs look around. */
  atNs: number;
  /** By CPU: no look at other nodes before that moment. */
  readonly nodesAtNs: Float64Array;
  /** By CPU: looks at other nodes that found them uneven and got no waiting task. */
  readonly inVain: Uint8Array;
  /** Runners in queues, so that a look is free where nobody waits. */
  waiting: number;
  readonly figures: BalancerFigures;
}

export function makeBalancer(cpus: number): Balancer {
  return {
    // A CPU alone has nobody to take anything from.
    atNs: cpus > 1 ? JIFFY_NS : Number.POSITIVE_INFINITY,
    nodesAtNs: new Float64Array(cpus),
    inVain: new Uint8Array(cpus),
    waiting: 0,
    figures: { withinNode: 0, betweenNodes: 0 },
  };
}

/** A runner wakes and its CPU is busy: an idle CPU of the same node that it may go to. */
export function goToIdleSibling(d: Driver, runner: Runner, tNs: number): boolean {
  if (runner.task === undefined) return false;
  const { machine } = d.k;
  const node = nodeOfCpu(machine, runner.cpu);
  for (let cpu = runner.cpus.from; cpu < runner.cpus.to; cpu++) {
    const state = d.cpus[cpu]!;
    if (state.current !== -1 || state.freeNs > tNs || nodeOfCpu(machine, cpu) !== node) continue;
    take(d, runner, cpu);
    return true;
  }
  return false;
}

/** A CPU has nothing to do any more: it takes a task that waits elsewhere, near before far. */
export function pullToIdle(d: Driver, cpu: number, tNs: number): boolean {
  if (d.balancer.waiting === 0) return false;
  return pull(d, cpu, tNs, { far: false, lead: 1 }) || pull(d, cpu, tNs, { far: true, lead: 1 });
}

/** A tick: idle CPUs look for work, busy ones now and then for a shorter queue. */
export function balanceTick(d: Driver, tNs: number): void {
  const { balancer, cpus } = d;
  balancer.atNs = (Math.floor(tNs / JIFFY_NS) + 1) * JIFFY_NS;
  for (let cpu = 0; cpu < cpus.length; cpu++) {
    const { current } = cpus[cpu]!;
    const idle = current === -1;
    if (idle && balancer.waiting > 0 && pull(d, cpu, tNs, { far: false, lead: 1 })) continue;
    if (tNs < balancer.nodesAtNs[cpu]!) continue;
    balancer.nodesAtNs[cpu] = tNs + cpus.length * MS_NS * (idle ? 1 : BUSY_FACTOR);
    if (idle) lookAtNodes(d, cpu, tNs);
    else if (balancer.waiting > 0) {
      const lead = 2;
      if (!pull(d, cpu, tNs, { far: false, lead })) pull(d, cpu, tNs, { far: true, lead });
    }
  }
}

/** An idle CPU looks at other nodes: a waiting task comes over, or after several looks a running one. */
function lookAtNodes(d: Driver, cpu: number, tNs: number): void {
  const { balancer } = d;
  if (balancer.waiting > 0 && pull(d, cpu, tNs, { far: true, lead: 1 })) {
    balancer.inVain[cpu] = 0;
    return;
  }
  const busiest = busiestNode(d, nodeOfCpu(d.k.machine, cpu));
  if (busiest < 0) {
    balancer.inVain[cpu] = 0;
    return;
  }
  balancer.inVain[cpu]! += 1;
  if (balancer.inVain[cpu]! < LOOKS_IN_VAIN) return;
  balancer.inVain[cpu] = 0;
  pushRunning(d, busiest, cpu);
}

/** The node that runs most tasks, if that is uneven to this one: at least two more, and a quarter more. */
function busiestNode(d: Driver, here: number): number {
  const { machine } = d.k;
  const running = new Int32Array(machine.nodes);
  for (const { current } of d.cpus) {
    const runner = d.runners[current];
    if (runner?.task !== undefined) running[nodeOfCpu(machine, runner.wantedCpu)]! += 1;
  }
  let busiest = here;
  for (let node = 0; node < machine.nodes; node++) if (running[node]! > running[busiest]!) busiest = node;
  const uneven = running[busiest]! * 100 > running[here]! * IMBALANCE_PERCENT;
  return uneven && running[busiest]! - running[here]! >= 2 ? busiest : -1;
}

/** A running task of the node goes on on an idle CPU: of those that have no reason to stay, the last. */
function pushRunning(d: Driver, node: number, cpu: number): void {
  const { machine } = d.k;
  for (const mayLeave of [true, false]) {
    for (let from = d.cpus.length - 1; from >= 0; from--) {
      const runner = d.runners[d.cpus[from]!.current];
      if (nodeOfCpu(machine, from) !== node || runner?.task === undefined) continue;
      if (runner.wantedCpu !== runner.cpu || !taskFitsCpu(runner, cpu)) continue;
      if (mayLeave && leaves(d, runner, from, cpu) !== "may") continue;
      runner.wantedCpu = cpu;
      count(d, from, cpu);
      return;
    }
  }
}

/** What a CPU looks for: on its own node or the others, with so many more waiting than here. */
interface Search {
  readonly far: boolean;
  readonly lead: number;
}

/** Takes a task from the longest queue there is, if one may come. */
function pull(d: Driver, cpu: number, tNs: number, { far, lead }: Search): boolean {
  const { machine } = d.k;
  const node = nodeOfCpu(machine, cpu);
  const least = d.cpus[cpu]!.queue.length + lead;
  for (const words of [["may"], ["may", "rather-not"]]) {
    let best: CpuState | undefined;
    let bestAt = -1;
    for (const [from, state] of d.cpus.entries()) {
      if (from === cpu || (nodeOfCpu(machine, from) !== node) !== far) continue;
      if (state.queue.length < Math.max(least, (best?.queue.length ?? 0) + 1)) continue;
      const at = lastThatMay(d, state, cpu, words);
      if (at < 0) continue;
      best = state;
      bestAt = at;
    }
    if (best === undefined) continue;
    const runner = d.runners[best.queue[bestAt]!]!;
    best.queue.splice(bestAt, 1);
    comeOver(d, runner, cpu, tNs);
    return true;
  }
  return false;
}

/** A task that waited comes to a CPU: it has it if it is idle, or waits there. */
function comeOver(d: Driver, runner: Runner, cpu: number, tNs: number): void {
  const state = d.cpus[cpu]!;
  const costNs = take(d, runner, cpu);
  if (state.current !== -1) {
    state.queue.push(runner.id);
    return;
  }
  d.balancer.waiting -= 1;
  const atNs = Math.max(tNs, runner.clockNs, state.freeNs) + costNs;
  state.current = runner.id;
  state.sliceStartNs = atNs;
  runner.clockNs = atNs;
  schedule(d, runner, atNs);
}

/** The last in a queue that may come to a CPU, as far as NUMA balancing says one of these words of it. */
function lastThatMay(d: Driver, from: CpuState, cpu: number, words: readonly string[]): number {
  for (let at = from.queue.length - 1; at >= 0; at--) {
    const runner = d.runners[from.queue[at]!]!;
    if (runner.task === undefined || !taskFitsCpu(runner, cpu)) continue;
    if (words.includes(leaves(d, runner, runner.cpu, cpu))) return at;
  }
  return -1;
}

/** What the design of NUMA balancing says to a task's going to another node. */
function leaves(
  { k, cpus }: Driver,
  runner: Runner,
  from: number,
  to: number,
): "may" | "rather-not" | "never" {
  const there = { from: nodeOfCpu(k.machine, from), to: nodeOfCpu(k.machine, to) };
  if (there.from === there.to || !k.tunables.numaBalancing) return "may";
  return numaPolicy(k).leaves?.(k, runner.task!, there, cpus[to]!.current === -1) ?? "may";
}

/** The runner belongs to that CPU from now on; what the move costs. */
function take(d: Driver, runner: Runner, cpu: number): number {
  const { machine, costs } = d.k;
  const from = runner.cpu;
  if (runner.task !== undefined) numaTaskMoved(d.k, runner.task, from, cpu);
  runner.cpu = cpu;
  runner.wantedCpu = cpu;
  count(d, from, cpu);
  const distance = machine.distances[nodeOfCpu(machine, from) * machine.nodes + nodeOfCpu(machine, cpu)]!;
  return Math.round((costs.moveTaskNs * distance) / 10);
}

function count({ k, balancer }: Driver, from: number, to: number): void {
  const near = nodeOfCpu(k.machine, from) === nodeOfCpu(k.machine, to);
  balancer.figures[near ? "withinNode" : "betweenNodes"] += 1;
}
