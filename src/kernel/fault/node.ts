/**
 * Where memory is wanted: the node of the CPU that runs (default policy, first touch), or the one that the
 * task has asked for.
 *
 * Models:       mm/mempolicy.c policy_node() of the default policy and of a task's MPOL_BIND to one node,
 *               v6.1.
 * Not modelled: other policies, mbind(), cpusets. A task that is bound takes memory of other nodes when its
 *               own is full.
 */
import { NO_NODE, type NodeId } from "../../core/units.ts";
import { nodeOfCpu } from "../machine.ts";
import { currentTask } from "../numa/state.ts";
import type { Kernel } from "../state.ts";

/** The node of the CPU that runs. */
export function localNode(k: Kernel): NodeId {
  return (k.machine.nodes === 1 ? 0 : nodeOfCpu(k.machine, k.cpu)) as NodeId;
}

/** The node that the current task's memory should come from. */
export function wantedNode(k: Kernel): NodeId {
  const bound = currentTask(k)?.memoryNode ?? NO_NODE;
  return bound === NO_NODE ? localNode(k) : bound;
}

/** Whether the current task has a policy of its own: then its pages stay where that has put them. */
export function hasMemoryPolicy(k: Kernel): boolean {
  return (currentTask(k)?.memoryNode ?? NO_NODE) !== NO_NODE;
}
