/** The simulator's side of a validation: a script under the generation that stands for the real kernel. */
import { geometryOf, LIFE } from "../core/geometry.ts";
import { PAGE_BYTES } from "../core/units.ts";
import { type ScriptLine, simulateScript } from "../engine/simulate.ts";
import type { Generation } from "../generations/generation.ts";
import { HARDWARE } from "../hardware/index.ts";
import type { HardwareSpec } from "../hardware/spec.ts";
import { evenDistances, type MachineSpec } from "../kernel/machine.ts";
import type { Script, ScriptMachine } from "../workloads/script/ast.ts";

/**
 * A virtual machine's nodes are all the same memory of its host: no node is far. Who comes first to a page
 * that several threads use, and so where it ends, depends on that.
 */
const GUEST_HARDWARE: HardwareSpec = {
  ...HARDWARE[0]!,
  costs: {
    ...HARDWARE[0]!.costs,
    remoteLatencyPs: HARDWARE[0]!.costs.lineLatencyPs,
    remoteStreamPs: HARDWARE[0]!.costs.lineStreamPs,
  },
};

/** The machine of a script that names none. */
export const DEFAULT_MACHINE: ScriptMachine = { nodes: 1, cpus: 2, memBytes: 2 ** 30, hugeBytes: undefined };

function machineSpec({ nodes, cpus, memBytes, hugeBytes, swapBytes }: ScriptMachine): MachineSpec {
  return {
    nodes,
    cpus,
    memBytes,
    geometry: hugeBytes === undefined ? LIFE : geometryOf(Math.log2(hugeBytes / PAGE_BYTES)),
    distances: evenDistances(nodes),
    swapBytes: swapBytes ?? 0,
    fragmentedRatio: 0,
    seed: 1,
  };
}

export interface ModelOptions {
  readonly generation: Generation;
  /** An earlier script of the same boot has made the huge zero page. */
  readonly hugeZeroAllocated: boolean;
  readonly verify: boolean;
  /** Of recordings that `validate`'s own runner did not make. */
  readonly stacksWhereUsed?: boolean;
}

export interface ModelRun {
  readonly lines: readonly ScriptLine[];
  readonly hugeZeroAllocated: boolean;
  readonly outcome: "finished" | "oom";
}

/**
 * Simulates a script as a virtual machine runs it. What takes time takes as long as on the first hardware of
 * the list; figures that depend on it are not compared closely.
 */
export function runModel(script: Script, options: ModelOptions): ModelRun {
  const { lines, result, hugeZeroAllocated } = simulateScript({
    script,
    generation: options.generation,
    machine: machineSpec(script.machine ?? DEFAULT_MACHINE),
    hardware: GUEST_HARDWARE,
    settings: script.settings.map(({ knob, value }) => [knob, value] as const),
    verify: options.verify,
    name: script.file,
    hugeZeroAllocated: options.hugeZeroAllocated,
    // The guest's runner locks its memory, its threads' stacks included, before the script begins.
    stacksOnFirstNode: options.stacksWhereUsed !== true,
  });
  return { lines, outcome: result.outcome, hugeZeroAllocated };
}
