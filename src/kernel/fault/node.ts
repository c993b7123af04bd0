/** Where memory is wanted: the node of the CPU that runs (default policy, first touch). */
import type { NodeId } from "../../core/units.ts";
import { nodeOfCpu } from "../machine.ts";
import type { Kernel } from "../state.ts";

export function localNode(k: Kernel): NodeId {
  return (k.machine.nodes === 1 ? 0 : nodeOfCpu(k.machine, k.cpu)) as NodeId;
}
