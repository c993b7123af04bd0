/** Machines to measure on: one node, two CPUs. */
import { LIFE } from "../src/core/geometry.ts";
import { evenDistances, type MachineSpec } from "../src/kernel/machine.ts";

export function benchMachine(memGib: number): MachineSpec {
  return {
    nodes: 1,
    cpus: 2,
    memBytes: memGib * 2 ** 30,
    geometry: LIFE,
    distances: evenDistances(1),
    swapBytes: 0,
    fragmentedRatio: 0,
    seed: 1,
  };
}
