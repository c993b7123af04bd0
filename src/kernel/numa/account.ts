/**
 * What a hint fault teaches: sums by node, halved each pass, from which follow the task's preferred node and
 * the period of its next pass.
 *
 *     fault ─▶ buffers[node]       first fault after a pass: MEM = MEM − MEM/2 + buffer ─▶ largest node
 *                                                                                  └─▶ period
 *
 * Models:       kernel/sched/fair.c task_numa_fault(), task_numa_placement(), numa_migrate_preferred(), v6.1.
 * Not modelled: topologies in which the way between nodes matters (all are taken as directly connected). How
 *               a task gets to its node: migrate-task.ts.
 */
import { NO_NODE, type NodeId } from "../../core/units.ts";
import { localNode } from "../fault/node.ts";
import type { Kernel } from "../state.ts";
import { CPUPID_UNSET, isSamePid } from "./cpupid.ts";
import { countActiveNodes, isActiveNode, joinGroup } from "./group.ts";
import { migrateTask } from "./migrate-task.ts";
import { scanMaxMs, updatePeriod } from "./period.ts";
import { cpuTimeNs, FAULTS, faultIndex, jiffies, LOCALITY, msToJiffies, type NumaTask } from "./state.ts";

/** How a hint fault went. */
export const HINT = { MIGRATED: 1, NO_GROUP: 2, SHARED: 4, LOCAL: 8, FAILED: 16 } as const;

export interface HintFault {
  /** The page's mark before this fault. */
  readonly last: number;
  /** Where the page is now. */
  readonly node: NodeId;
  readonly pages: number;
  readonly flags: number;
}

/** Accounts one hint fault of the current task. */
export function accountFault(k: Kernel, task: NumaTask | undefined, fault: HintFault): void {
  if (!k.tunables.numaBalancing || task === undefined || task.mm === undefined) return;
  const { last, node, pages, flags } = fault;
  task.faults ??= makeFaults(k, task);
  let isPrivate: 0 | 1 = last === CPUPID_UNSET || isSamePid(last, task.pid) ? 1 : 0;
  if (isPrivate === 0 && (flags & HINT.NO_GROUP) === 0)
    isPrivate = joinGroup(k, task, last, (flags & HINT.SHARED) !== 0);
  const here = localNode(k);
  const local = (flags & HINT.LOCAL) !== 0 || (isPrivate === 0 && isNear(k, task, here, node));
  if (jiffies(k) > task.migrateRetry) {
    placeTask(k, task);
    runOnPreferred(k, task, here);
  }
  if ((flags & HINT.MIGRATED) !== 0) task.pagesMigrated += pages;
  if ((flags & HINT.FAILED) !== 0) task.locality[LOCALITY.FAILED] += pages;
  task.faults[faultIndex(k, FAULTS.MEM_BUFFER, node, isPrivate)]! += pages;
  task.faults[faultIndex(k, FAULTS.CPU_BUFFER, here, isPrivate)]! += pages;
  task.locality[local ? LOCALITY.LOCAL : LOCALITY.REMOTE] += pages;
}

function makeFaults(k: Kernel, task: NumaTask): Float64Array {
  task.totalFaults = 0;
  task.locality.fill(0);
  return new Float64Array(4 * k.machine.nodes * 2);
}

/** A shared page on one active node of a group, used from another, is near enough. */
function isNear(k: Kernel, { group }: NumaTask, cpuNode: NodeId, memNode: NodeId): boolean {
  if (group === undefined || group.activeNodes <= 1) return false;
  return isActiveNode(k, group, cpuNode) && isActiveNode(k, group, memNode);
}

/** What a load average of a task that always ran would sum up to. */
const LOAD_AVG_MAX = 47_742;

/** CPU time and time since the last placement: how much of a CPU the task uses. */
function takeRuntime(k: Kernel, task: NumaTask): { readonly runtime: number; readonly period: number } {
  const runtimeNs = cpuTimeNs(k, task);
  const first = task.lastPlacementNs === 0;
  const runtime = first ? LOAD_AVG_MAX : runtimeNs - task.lastRuntimeNs;
  const period = first ? LOAD_AVG_MAX : k.nowNs - task.lastPlacementNs;
  task.lastRuntimeNs = runtimeNs;
  task.lastPlacementNs = k.nowNs;
  return { runtime, period };
}

/** Once in a pass: folds what came in into the averages, chooses the preferred node, sets the period. */
export function placeTask(k: Kernel, task: NumaTask): void {
  const mm = task.mm!;
  if (mm.numa.scanSeq === task.scanSeq) return;
  task.scanSeq = mm.numa.scanSeq;
  task.scanPeriodMaxMs = scanMaxMs(k, task, mm);
  const total = task.locality[LOCALITY.REMOTE] + task.locality[LOCALITY.LOCAL];
  const { runtime, period } = takeRuntime(k, task);
  const weight = Math.floor((runtime * 65_536) / (period + 1));
  const came: [shared: number, own: number] = [0, 0];
  let maxFaults = 0;
  let maxNode = NO_NODE;
  for (let node = 0; node < k.machine.nodes; node++) {
    const faults = foldNode(k, task, node, weight, total, came);
    if (faults > maxFaults) {
      maxFaults = faults;
      maxNode = node as NodeId;
    }
  }
  if (task.group !== undefined) countActiveNodes(k, task.group);
  if (maxFaults > 0) task.preferred = nodeToRunOn(k, maxNode);
  updatePeriod(k, task, mm, came[0], came[1]);
}

/** Where a task can run that has its memory on that node: there, or on the nearest node that has a CPU. */
function nodeToRunOn(k: Kernel, node: NodeId): NodeId {
  const { machine, buddy, behaviours } = k;
  if (buddy.cpusOfNode[node]! > 0 || !behaviours.numaRules.preferNodeWithCpu) return node;
  let nearest: NodeId = node;
  let nearestDistance = Number.POSITIVE_INFINITY;
  for (let to = 0; to < machine.nodes; to++) {
    const distance = machine.distances[node * machine.nodes + to]!;
    if (buddy.cpusOfNode[to] === 0 || distance >= nearestDistance) continue;
    nearest = to as NodeId;
    nearestDistance = distance;
  }
  return nearest;
}

/** Folds the buffers of one node; its memory faults afterwards, the group's if there is one. */
function foldNode(
  k: Kernel,
  task: NumaTask,
  node: number,
  weight: number,
  total: number,
  came: [shared: number, own: number],
): number {
  const { group } = task;
  const faults = task.faults!;
  let sum = 0;
  for (let isPrivate = 0; isPrivate < 2; isPrivate++) {
    const mem = faultIndex(k, FAULTS.MEM, node, isPrivate);
    const cpu = faultIndex(k, FAULTS.CPU, node, isPrivate);
    const memBuffer = faultIndex(k, FAULTS.MEM_BUFFER, node, isPrivate);
    const cpuBuffer = faultIndex(k, FAULTS.CPU_BUFFER, node, isPrivate);
    const memDelta = faults[memBuffer]! - Math.floor(faults[mem]! / 2);
    const weighted = Math.floor((weight * faults[cpuBuffer]!) / (total + 1));
    const cpuDelta = weighted - Math.floor(faults[cpu]! / 2);
    came[isPrivate as 0 | 1] += faults[memBuffer]!;
    faults[memBuffer] = 0;
    faults[cpuBuffer] = 0;
    faults[mem]! += memDelta;
    faults[cpu]! += cpuDelta;
    task.totalFaults += memDelta;
    if (group !== undefined) {
      group.faults[mem]! += memDelta;
      group.faults[cpu]! += cpuDelta;
      group.totalFaults += memDelta;
    }
    sum += (group?.faults ?? faults)[mem]!;
  }
  return sum;
}

/** Tries to run where the memory is. In a group, the node that it gets becomes the preferred one. */
function runOnPreferred(k: Kernel, task: NumaTask, here: NodeId): void {
  if (task.preferred === NO_NODE) return;
  const retry = Math.min(msToJiffies(1000), Math.floor(msToJiffies(task.scanPeriodMs) / 16));
  task.migrateRetry = jiffies(k) + retry;
  if (task.preferred === here) return;
  const got = migrateTask(k, task, here);
  if (task.group !== undefined) task.preferred = got;
}
