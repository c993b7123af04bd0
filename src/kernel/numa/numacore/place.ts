/**
 * numa/core's homes: the node of most faults becomes a task's home once it has been so for some passes, and
 * the task moves there.
 *
 *     first fault of a pass ─▶ node of most faults ▸ halve all ─▶ is it the home?
 *          yes ─▶ scan half as often     no ─▶ scan fast; after settle_count passes: new home, and go there
 *
 * Models:       kernel/sched/fair.c task_numa_placement(), task_numa_fault(), numa/core 26/31 (October 2012);
 *               faults by private and shared, 18/27 (November 2012). What became of it: classes.ts.
 * Not modelled: the four rounds of load balancing by class of task: a task changes places with one that has
 *               its home elsewhere, or takes an idle CPU.
 */
import type { NodeId } from "../../../core/units.ts";
import { localNode } from "../../fault/node.ts";
import { nodeOfCpu } from "../../machine.ts";
import type { Kernel } from "../../state.ts";
import { type EarlyTask, earlyTask } from "../early/state.ts";
import type { Leave, NodeWay } from "../policy.ts";
import { currentTask, type NumaTask } from "../state.ts";
import { accountClassed } from "./classes.ts";
import { KNOB, numacoreOf } from "./scan.ts";

/** Accounts pages that a hint fault found on a node, or moved there. */
export function accountNumacore(k: Kernel, node: NodeId, pages: number, isPrivate: boolean): void {
  const task = currentTask(k);
  if (task?.mm === undefined) return;
  if (numacoreOf(k).tasks === "classed") {
    accountClassed(k, task, node, pages, isPrivate);
    return;
  }
  const state = earlyTask(k, task);
  if (state.pass !== task.mm.numa.scanSeq) placeNumacore(k, task, state);
  state.faults[node * 2 + (isPrivate ? 1 : 0)]! += pages;
  state.total += pages;
}

/** The balancer takes tasks from their homes last, to their homes first. */
export function leavesNumacore(k: Kernel, task: NumaTask, way: NodeWay): Leave {
  const { selected } = earlyTask(k, task);
  return selected >= 0 && selected !== way.to ? "rather-not" : "may";
}

function faultsOn(state: EarlyTask, node: number): number {
  return state.faults[node * 2]! + state.faults[node * 2 + 1]!;
}

/** A new pass: where has the last one faulted most? */
function placeNumacore(k: Kernel, task: NumaTask, state: EarlyTask): void {
  state.pass = task.mm!.numa.scanSeq;
  let most = -1;
  let max = 0;
  for (let node = 0; node < k.machine.nodes; node++) {
    const faults = faultsOn(state, node);
    if (faults > max) {
      max = faults;
      most = node;
    }
  }
  for (let i = 0; i < state.faults.length; i++) state.faults[i] = Math.floor(state.faults[i]! / 2);
  if (most < 0) return;
  if (most === state.selected) {
    state.unsettled = 0;
    task.scanPeriodMs = Math.min(k.knobs.readNumber(KNOB.MAX), task.scanPeriodMs * 2);
    return;
  }
  task.scanPeriodMs = k.knobs.readNumber(KNOB.MIN);
  state.unsettled += 1;
  if (state.unsettled <= k.knobs.readNumber(KNOB.SETTLE)) return;
  state.unsettled = 0;
  state.selected = most;
  goHome(k, task, most as NodeId);
}

/** To an idle CPU of the home; else in the place of a task whose home it is not. */
function goHome(k: Kernel, task: NumaTask, home: NodeId): void {
  const here = localNode(k);
  if (home === here || k.numa.place?.(task, home) === home) return;
  for (let cpu = 0; cpu < k.machine.cpus; cpu++) {
    const other = k.numa.running[cpu];
    if (nodeOfCpu(k.machine, cpu) !== home || other === undefined) continue;
    const { selected } = earlyTask(k, other);
    if (selected !== home && (selected === here || selected < 0) && k.numa.exchange?.(cpu) === true) return;
  }
}
