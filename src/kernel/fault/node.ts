/**
 * Where memory is wanted: the node of the CPU that runs (default policy, first touch).
 *
 * Models:       mm/mempolicy.c policy_node() of the default policy, v6.1.
 * Not modelled: set_mempolicy(), mbind(), cpusets.
 */
import type { NodeId } from "../../core/units.ts";
import { nodeOfCpu } from "../machine.ts";
import type { Kernel } from "../state.ts";

export function localNode(k: Kernel): NodeId {
  return (k.machine.nodes === 1 ? 0 : nodeOfCpu(k.machine, k.cpu)) as NodeId;
}
