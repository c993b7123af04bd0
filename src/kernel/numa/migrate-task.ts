/**
 * Moving a task towards its memory: to an idle CPU of a better node, or in the place of a task that gains by
 * it, or loses less.
 *
 *     preferred node, then others that are better ─▶ has a CPU to spare? an idle one takes the task
 *                                                 └▶ each CPU there: what do both gain by changing places?
 *                                                    best of all above the noise ─▶ go, or change places
 *
 * Weights are faults on a node in thousandths of all, of the task or of its group.
 *
 * Models:       kernel/sched/fair.c task_numa_migrate(), task_numa_find_cpu(), task_numa_compare(),
 *               load_too_imbalanced(), adjust_numa_imbalance(), migrate_degrades_locality(), v6.1.
 * Not modelled: load and utilization (a task counts as one, a node is full when it has as many tasks as
 *               CPUs), nodes of different distance, the choice of a swap partner that prefers this node over
 *               one found before, idle cores and idle siblings.
 */
import type { NodeId } from "../../core/units.ts";
import { nodeOfCpu } from "../machine.ts";
import type { Kernel } from "../state.ts";
import { groupFaults } from "./filter.ts";
import type { Leave, NodeWay } from "./policy.ts";
import { FAULTS, faultIndex, type NumaTask, type TaskSeats } from "./state.ts";

/** Gains below this are noise; a better one must be better by half of it. */
const SMALL_GAIN = 30;
/** Nodes with so few tasks of their CPUs' number may be uneven by that many tasks. */
const FEW_TASKS_SHARE = 8;
const UNEVEN_TASKS = 2;
const WEIGHT_MAX = 1000;

/** What has been found so far. */
interface Search {
  readonly task: NumaTask;
  readonly seats: TaskSeats;
  readonly from: number;
  /** Runnable tasks by node. */
  readonly tasks: readonly number[];
  cpu: number;
  partner: boolean;
  gain: number;
}

/** Faults of a task on a node, in thousandths of all of its faults. */
export function taskWeight(k: Kernel, task: NumaTask, node: number): number {
  const { faults, totalFaults } = task;
  if (faults === undefined || totalFaults === 0) return 0;
  const at = (own: number): number => faults[faultIndex(k, FAULTS.MEM, node, own)]!;
  return Math.floor((WEIGHT_MAX * (at(0) + at(1))) / totalFaults);
}

/** The same of its group; 0 without one. */
export function groupWeight(k: Kernel, { group }: NumaTask, node: number): number {
  if (group === undefined || group.totalFaults === 0) return 0;
  return Math.floor((WEIGHT_MAX * groupFaults(k, group, FAULTS.MEM, node)) / group.totalFaults);
}

/** The current task looks for a better CPU than its own; the node on which it is to run. */
export function migrateTask(k: Kernel, task: NumaTask, here: NodeId): NodeId {
  const { seats } = k.numa;
  if (seats === undefined) return here;
  const s: Search = {
    task,
    seats,
    from: here,
    tasks: tasksByNode(k, seats),
    cpu: -1,
    partner: false,
    gain: 0,
  };
  searchNode(k, s, task.preferred);
  if (s.cpu < 0 || (task.group?.activeNodes ?? 1) > 1) {
    for (let node = 0; node < k.machine.nodes; node++) {
      if (node === here || node === task.preferred) continue;
      if (taskGain(k, task, here, node) >= 0 || groupGain(k, task, here, node) >= 0) searchNode(k, s, node);
    }
  }
  if (s.cpu < 0) return here;
  if (!s.partner) seats.go(s.cpu);
  else if (k.numa.exchange?.(s.cpu) !== true) return here;
  return nodeOfCpu(k.machine, s.cpu) as NodeId;
}

/**
 * What the load balancer may take: tasks leave a node that they prefer last, and so where they fault more.
 */
export function leavesMainline(k: Kernel, task: NumaTask, { from, to }: NodeWay, idle: boolean): Leave {
  if (task.faults === undefined || to === task.preferred) return "may";
  if (from === task.preferred) return "rather-not";
  if (idle) return "may";
  const weight = task.group === undefined ? taskWeight : groupWeight;
  return weight(k, task, to) < weight(k, task, from) ? "rather-not" : "may";
}

function tasksByNode(k: Kernel, seats: TaskSeats): number[] {
  const tasks = new Array<number>(k.machine.nodes).fill(0);
  for (let cpu = 0; cpu < k.machine.cpus; cpu++) tasks[nodeOfCpu(k.machine, cpu)]! += seats.tasksOn(cpu);
  return tasks;
}

function taskGain(k: Kernel, task: NumaTask, from: number, to: number): number {
  return taskWeight(k, task, to) - taskWeight(k, task, from);
}

function groupGain(k: Kernel, task: NumaTask, from: number, to: number): number {
  return groupWeight(k, task, to) - groupWeight(k, task, from);
}

/** Looks for a CPU of that node: an idle one if the node has room, else in the place of somebody. */
function searchNode(k: Kernel, s: Search, node: number): void {
  const { machine } = k;
  let cpus = 0;
  for (let cpu = 0; cpu < machine.cpus; cpu++) if (nodeOfCpu(machine, cpu) === node) cpus += 1;
  const there = s.tasks[node]!;
  const here = s.tasks[s.from]!;
  const spare = there < cpus;
  const unevenBy = Math.max(0, there + 1 - (here - 1));
  const few = there + 1 <= Math.max(1, Math.floor(cpus / FEW_TASKS_SHARE)) && unevenBy <= UNEVEN_TASKS;
  const evener = Math.abs(there + 1 - (here - 1)) <= Math.abs(there - here);
  const mayMove = spare ? few || unevenBy === 0 : evener;
  for (let cpu = 0; cpu < machine.cpus; cpu++) {
    if (nodeOfCpu(machine, cpu) !== node || !s.seats.mayGo(cpu)) continue;
    const idle = s.seats.tasksOn(cpu) === 0;
    if (spare && mayMove) {
      if (!idle) continue;
      found(s, cpu, false, s.gain);
      return;
    }
    compare(k, s, cpu, { node, spare, mayMove });
  }
}

interface Destination {
  readonly node: number;
  readonly spare: boolean;
  readonly mayMove: boolean;
}

/** What is gained if the task goes to that CPU, or changes places with the task that runs there. */
function compare(k: Kernel, s: Search, cpu: number, { node, spare, mayMove }: Destination): void {
  const { task, from } = s;
  const mine = task.group === undefined ? taskGain(k, task, from, node) : groupGain(k, task, from, node);
  const other = k.numa.running[cpu];
  if (other === undefined) {
    if (mayMove && mine >= s.gain) found(s, cpu, false, mine);
    return;
  }
  if (!s.seats.mayCome(cpu)) return;
  if (spare && other.group === task.group && task.group !== undefined) return;
  const both = gainOfBoth(k, task, other, { from, to: node, mine });
  if (mayMove && mine > both && mine > s.gain) found(s, cpu, false, mine);
  else if (both >= SMALL_GAIN && both > s.gain + SMALL_GAIN / 2) found(s, cpu, true, both);
}

/** Two tasks that change places; within a group only what the tasks themselves use counts. */
function gainOfBoth(
  k: Kernel,
  task: NumaTask,
  other: NumaTask,
  { from, to, mine }: NodeWay & { readonly mine: number },
): number {
  let gain: number;
  if (other.group === task.group) {
    gain = taskGain(k, task, from, to) + taskGain(k, other, to, from);
    if (task.group !== undefined) gain -= Math.trunc(gain / 16);
  } else {
    const grouped = other.group !== undefined && task.group !== undefined;
    gain = mine + (grouped ? groupGain(k, other, to, from) : taskGain(k, other, to, from));
  }
  if (other.preferred === to) gain -= Math.trunc(gain / 16);
  if (other.preferred === from) gain += Math.trunc(gain / 8);
  return gain;
}

function found(s: Search, cpu: number, partner: boolean, gain: number): void {
  s.cpu = cpu;
  s.partner = partner;
  s.gain = gain;
}
