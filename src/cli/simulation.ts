/** One run: a workload under a setup. The only file of the command line that calls the engine. */
import type { Setting } from "../engine/settings.ts";
import type { Workload as Input, Simulated } from "../engine/simulation.ts";
import type { Generation } from "../generations/generation.ts";
import { err, progressLine } from "./host.ts";
import { type CommonOptions, demandHardware, machineChoiceOf } from "./options.ts";
import { progressText } from "./progress.ts";
import type { Workload } from "./workload.ts";

function inputOf(workload: Workload): Input {
  switch (workload.kind) {
    case "script":
      return workload.script;
    case "trace":
      return workload.open();
    case "program":
      return workload.program;
  }
}

/** Simulates. `label` is what the progress line calls this run. */
export async function simulate(
  workload: Workload,
  o: {
    readonly options: CommonOptions;
    readonly generation: Generation;
    readonly settings: readonly Setting[];
    readonly label: string;
    /** An earlier script of the same boot has brought the huge zero page into being. */
    readonly hugeZeroAllocated?: boolean;
    /** Record the run step by step. */
    readonly record?: boolean;
  },
): Promise<Simulated> {
  // The engine is large; commands that only list or refuse something start without it.
  const engine = await import("../engine/simulation.ts");
  const sinceMs = performance.now();
  const progress = progressLine();
  progress.show(`${o.label} …`);
  try {
    const input = inputOf(workload);
    const program = "header" in input ? input.header.program : "";
    return engine.simulate(input, {
      generation: o.generation,
      machine: machineChoiceOf(o.options),
      ...(o.options.hardware === undefined ? {} : { hardware: demandHardware(o.options.hardware) }),
      // In the order of the command line: the last write of a knob wins, as it would there.
      settings: Object.fromEntries(o.settings),
      verify: o.options.verify === true,
      quietSystem: o.options.quietSystem === true,
      name: program === "" ? workload.name : `${program} (${workload.name})`,
      hugeZeroAllocated: o.hugeZeroAllocated === true,
      record: o.record === true,
      onProgress: (told, records) => {
        const elapsedMs = performance.now() - sinceMs;
        const share = workload.kind === "trace" ? workload.readShare?.() : undefined;
        progress.show(progressText({ text: `${o.label}: ${told}`, records, share, elapsedMs }));
      },
    });
  } finally {
    progress.done();
  }
}

/** Tells what of a workload was understood only in part. True if there was anything to tell. */
export function warn(workload: Workload): boolean {
  if (workload.kind !== "trace") return false;
  for (const warning of workload.warnings) err(`pagewise: warning: ${warning}\n`);
  return workload.warnings.length > 0;
}
