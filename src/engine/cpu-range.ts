/** Where a runner may run: CPUs of a node are neighbours, so one range says it. */
import { type MachineSpec, nodeOfCpu } from "../kernel/machine.ts";
import type { Affinity } from "../workloads/generators/program.ts";

/** CPUs `from` … `to` − 1. */
export interface CpuRange {
  readonly from: number;
  readonly to: number;
}

export function everyCpu({ cpus }: MachineSpec): CpuRange {
  return { from: 0, to: cpus };
}

export function oneCpu(cpu: number): CpuRange {
  return { from: cpu, to: cpu + 1 };
}

/**
 * The CPUs of an affinity; CPUs and nodes beyond the machine's count round it. A node without CPUs binds
 * nobody.
 */
export function cpusOf(machine: MachineSpec, affinity: Affinity): CpuRange {
  if (affinity === "any") return everyCpu(machine);
  if ("cpu" in affinity) return oneCpu(affinity.cpu % machine.cpus);
  const node = affinity.node % machine.nodes;
  let from = 0;
  while (from < machine.cpus && nodeOfCpu(machine, from) !== node) from++;
  if (from === machine.cpus) return everyCpu(machine);
  let to = from;
  while (to < machine.cpus && nodeOfCpu(machine, to) === node) to++;
  return { from, to };
}

export function taskFitsCpu({ cpus }: { readonly cpus: CpuRange }, cpu: number): boolean {
  return cpu >= cpus.from && cpu < cpus.to;
}
