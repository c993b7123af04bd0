/**
 * numa/core's tasks from November on: private ones keep to their memory and spread, shared ones gather with
 * the others of their process on as few nodes as will do, and their memory lies evenly on those.
 *
 *     new pass ─▶ sums = (7 × sums + this pass) / 8 ─▶ settled? ─▶ private or shared
 *         private ─▶ ideal CPU: an idle one on the node with most of them
 *         shared  ─▶ ideal CPU: on the node that has most of the process's tasks, and is not full of them
 *     the same ideal CPU twice ─▶ go there     a change ─▶ scan fast     else ─▶ half as often
 *
 * Models:       kernel/sched/fair.c task_numa_placement(), sched_update_ideal_cpu_shared(),
 *               sched_update_ideal_cpu_private(), numa/core v17 (22 November 2012), patches 26, 28 to 33 of
 *               33.
 * Not modelled: buddies by who used a page last, which v17 keeps for the load balancer alone; rq->curr_buddy,
 *               which keeps two tasks from choosing one CPU before the first has come; a task that comes to a
 *               busy CPU changes places with the one there, where v17 lets both wait for the balancer.
 */
import type { NodeId } from "../../../core/units.ts";
import { localNode } from "../../fault/node.ts";
import { type MachineSpec, nodeOfCpu } from "../../machine.ts";
import type { Kernel } from "../../state.ts";
import { type EarlyTask, earlyTask } from "../early/state.ts";
import type { NumaTask } from "../state.ts";
import { KNOB } from "./scan.ts";

/** Whether a task's pages are its own. "unknown": it is no business of numa/core's yet. */
export type TaskClass = "unknown" | "private" | "shared";

/** What v17 keeps of a task beside sums of faults and the node of its home. */
export interface Classed {
  class: TaskClass;
  /** Pages faulted on in this pass, as `faults`. */
  readonly recent: Float64Array;
  /** Passes since the last change. */
  settled: number;
  /** Where it should run, −1: anywhere; and what the pass before said. */
  idealCpu: number;
  candidateCpu: number;
  /** Nodes that run tasks of its group: its memory is to lie on these. */
  readonly nodes: Uint8Array;
}

/** A sum keeps seven parts of eight of what it was. */
const KEPT = 7;

export function classed(k: Kernel, task: NumaTask): Classed {
  const state = earlyTask(k, task);
  state.classed ??= {
    class: "unknown",
    recent: new Float64Array(k.machine.nodes * 2),
    settled: k.knobs.readNumber(KNOB.SETTLE),
    idealCpu: -1,
    candidateCpu: -1,
    nodes: new Uint8Array(k.machine.nodes).fill(1),
  };
  return state.classed;
}

/** Accounts pages that a hint fault found on a node, or moved there. */
export function accountClassed(k: Kernel, task: NumaTask, node: NodeId, pages: number, own: boolean): void {
  const state = earlyTask(k, task);
  classed(k, task).recent[node * 2 + (own ? 1 : 0)]! += pages;
  if (state.pass === task.mm!.numa.scanSeq) return;
  state.pass = task.mm!.numa.scanSeq;
  placeClassed(k, task, state);
}

/** A new pass: what is the task, and where should it run? */
function placeClassed(k: Kernel, task: NumaTask, state: EarlyTask): void {
  const c = classed(k, task);
  average(state, c);
  c.settled += 1;
  if (c.settled < k.knobs.readNumber(KNOB.SETTLE)) return;
  const kind = classOf(state, c.class);
  c.idealCpu = kind === "shared" ? gatheringCpu(k, task, c) : spreadingCpu(k);
  const home = homeOf(k.machine, c);
  if (kind === c.class && (home < 0 || home === state.selected)) {
    task.scanPeriodMs = Math.min(k.knobs.readNumber(KNOB.MAX), task.scanPeriodMs * 2);
  } else {
    c.settled = 0;
    bringSums(state, home);
    c.class = kind;
    state.selected = home;
    task.scanPeriodMs = k.knobs.readNumber(KNOB.MIN);
  }
  if (home >= 0 && home !== localNode(k)) goTo(k, c.idealCpu);
}

/** This pass goes into the sums. */
function average({ faults }: EarlyTask, { recent }: Classed): void {
  for (let i = 0; i < faults.length; i++) {
    faults[i] = Math.floor((faults[i]! * KEPT + recent[i]!) / (KEPT + 1));
    recent[i] = 0;
  }
}

/** Twice as much of the other kind changes a task's class. */
function classOf({ faults }: EarlyTask, before: TaskClass): TaskClass {
  let shared = 0;
  let own = 0;
  for (let i = 0; i < faults.length; i += 2) {
    shared += faults[i]!;
    own += faults[i + 1]!;
  }
  if (before === "unknown") return shared >= own ? "shared" : "private";
  if (before === "private") return shared >= own * 2 ? "shared" : "private";
  return shared * 2 <= own ? "private" : "shared";
}

/** The home: the node of the ideal CPU, once it has been the same twice; −1 before. */
function homeOf(machine: MachineSpec, c: Classed): number {
  if (c.idealCpu === c.candidateCpu) return nodeOfCpu(machine, c.idealCpu);
  c.candidateCpu = c.idealCpu;
  return -1;
}

/** Own pages will come along: their faults count for the new home at once. */
function bringSums(state: EarlyTask, home: number): void {
  const { selected, faults } = state;
  if (home < 0 || selected < 0 || home === selected) return;
  faults[home * 2 + 1]! += faults[selected * 2 + 1]!;
  faults[selected * 2 + 1] = 0;
}

/** What a node looks like to a shared task. */
interface Gathering {
  /** CPUs that run tasks of its group. */
  buddies: number;
  /** A CPU that could be had there, −1: none. */
  cpu: number;
}

/** Towards the node with most of the group, if it is not full of it; notes where the group is. */
function gatheringCpu(k: Kernel, task: NumaTask, c: Classed): number {
  const { machine } = k;
  const looks: Gathering[] = Array.from({ length: machine.nodes }, () => ({ buddies: 0, cpu: -1 }));
  for (let cpu = 0; cpu < machine.cpus; cpu++) {
    const node = nodeOfCpu(machine, cpu);
    const look = looks[node]!;
    const there = roleOf(k, task, cpu, node);
    if (there === "buddy") look.buddies += 1;
    else if (there === "yields") look.cpu = cpu;
  }
  let best = -1;
  const full = machine.cpus / machine.nodes;
  for (const [node, { buddies, cpu }] of looks.entries()) {
    c.nodes[node] = buddies > 0 ? 1 : 0;
    if (buddies === 0 || buddies >= full || cpu < 0) continue;
    if (best < 0 || buddies > looks[best]!.buddies) best = node;
  }
  return best < 0 || best === localNode(k) ? k.cpu : looks[best]!.cpu;
}

/**
 * Who runs on a CPU, as a shared task sees it: one of its group, one that yields to it, or one that stays.
 */
function roleOf(k: Kernel, task: NumaTask, cpu: number, node: number): "buddy" | "yields" | "stays" {
  const other = k.numa.running[cpu];
  if (other === task) return "buddy";
  if (other === undefined) return k.numa.seats?.tasksOn(cpu) === 0 ? "yields" : "stays";
  const its = classed(k, other);
  if (its.class === "unknown") return "stays";
  if (its.class === "private") return "yields";
  if (other.mm === task.mm) return "buddy";
  return its.idealCpu >= 0 && nodeOfCpu(k.machine, its.idealCpu) === node ? "stays" : "yields";
}

/** Towards the node with most idle CPUs, if it has two more than this one. */
function spreadingCpu(k: Kernel): number {
  const { machine } = k;
  const idle = new Int32Array(machine.nodes);
  const last = new Int32Array(machine.nodes).fill(-1);
  for (let cpu = 0; cpu < machine.cpus; cpu++) {
    if (k.numa.running[cpu] !== undefined || k.numa.seats?.tasksOn(cpu) !== 0) continue;
    idle[nodeOfCpu(machine, cpu)]! += 1;
    last[nodeOfCpu(machine, cpu)] = cpu;
  }
  const here = localNode(k);
  let best = 0;
  for (let node = 1; node < machine.nodes; node++) if (idle[node]! > idle[best]!) best = node;
  return idle[best]! > idle[here]! + 1 ? last[best]! : k.cpu;
}

/** The task goes on on its ideal CPU. */
function goTo(k: Kernel, cpu: number): void {
  if (k.numa.running[cpu] !== undefined) k.numa.exchange?.(cpu);
  else if (k.numa.seats?.mayGo(cpu) === true) k.numa.seats.go(cpu);
}

/** The node for a page of a shared task: its place among the nodes of the group, in huge pages. */
export function interleavedNode({ nodes }: Classed, index: number): number {
  let count = 0;
  for (const member of nodes) count += member;
  let left = index % Math.max(1, count);
  for (let node = 0; node < nodes.length; node++) {
    if (nodes[node] === 1 && left-- === 0) return node;
  }
  return 0;
}
