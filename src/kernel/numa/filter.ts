/**
 * Is the page in the wrong place, and does this fault prove it? One remote use is not enough: the same node
 * must come twice, unless nobody else has been seen and the program is young.
 *
 *     on this node ─▶ stay      never seen, young ─▶ move      last use elsewhere ─▶ stay
 *     last use by me ─▶ move    shared: the group must use this node much more than the page's
 *
 * Models:       mm/mempolicy.c mpol_misplaced() for the default policy; kernel/sched/fair.c
 *               should_numa_migrate_memory(), v6.1.
 * Not modelled: memory policies that allow moves (MPOL_F_NUMA_BALANCING), slow tiers (mode 2 acts as mode 1).
 */
import { NO_NODE, type NodeId, type Pfn } from "../../core/units.ts";
import { nodeOfFrame } from "../buddy/state.ts";
import { hasMemoryPolicy, localNode } from "../fault/node.ts";
import { nodeOfCpu } from "../machine.ts";
import type { Kernel } from "../state.ts";
import { cpuOf, exchangeCpupid, isPidUnset, isSamePid, makeCpupid } from "./cpupid.ts";
import { FAULTS, faultIndex, type NumaGroup, type NumaTask } from "./state.ts";

/** Until then a process has not been seen whole often enough to tell private from shared pages. */
const YOUNG_PASSES = 4;

/** Faults of a group on a node, private and shared. */
export function groupFaults(k: Kernel, group: NumaGroup, kind: number, node: number): number {
  return group.faults[faultIndex(k, kind, node, 0)]! + group.faults[faultIndex(k, kind, node, 1)]!;
}

/** The node that a page should go to, or NO_NODE. A page that is on this node keeps its mark. */
export function misplaced(k: Kernel, task: NumaTask | undefined, head: Pfn): NodeId {
  if (hasMemoryPolicy(k)) return NO_NODE;
  const here = localNode(k);
  const there = nodeOfFrame(k.buddy, head);
  if (task === undefined || (there === here && !k.behaviours.numaRules.localFaultMarks)) return NO_NODE;
  const passes = passesFilter(k, task, head, there, here);
  return passes && there !== here ? here : NO_NODE;
}

function passesFilter(k: Kernel, task: NumaTask, head: Pfn, from: NodeId, to: NodeId): boolean {
  const last = exchangeCpupid(k, head, makeCpupid(k.cpu, task.pid));
  const unset = isPidUnset(last);
  const mine = isSamePid(last, task.pid);
  const young = task.preferred === NO_NODE || task.scanSeq <= YOUNG_PASSES;
  if (young && (unset || mine)) return true;
  if (!unset && nodeOfCpu(k.machine, cpuOf(last)) !== to) return false;
  if (mine || task.group === undefined) return true;
  const cpuTo = groupFaults(k, task.group, FAULTS.CPU, to);
  const cpuFrom = groupFaults(k, task.group, FAULTS.CPU, from);
  if (cpuTo > cpuFrom * 3) return true;
  const memTo = groupFaults(k, task.group, FAULTS.MEM, to);
  const memFrom = groupFaults(k, task.group, FAULTS.MEM, from);
  return cpuTo * memFrom * 3 > cpuFrom * memTo * 4;
}
