/** One run: a workload under a setup. The only file of the command line that calls the engine. */
import type { ScriptLine } from "../engine/simulate.ts";
import type { Generation } from "../generations/generation.ts";
import type { Result } from "../metrics/result.ts";
import type { TraceReader } from "../workloads/records.ts";
import { needsRelayout, relayout } from "../workloads/relayout/relayout.ts";
import { err, progressLine } from "./host.ts";
import { type CommonOptions, demandHardware, machineOf } from "./options.ts";
import { checkSetting, type Setting } from "./settings.ts";
import type { Workload } from "./workload.ts";

export interface Run {
  readonly result: Result;
  /** What a script printed; empty for a trace. */
  readonly lines: readonly ScriptLine[];
}

/** The `set` lines of a script; those of the command line come after them and win. */
function ownSettings(workload: Workload, generation: Generation): Setting[] {
  if (workload.kind !== "script") return [];
  const { file, settings } = workload.script;
  return settings.map(({ knob, value, line }) => checkSetting(knob, value, generation.knobs, { file, line }));
}

/** Valgrind's addresses are its own: its mappings are placed as this kernel would have placed them. */
function placed(trace: TraceReader, generation: Generation): TraceReader {
  if (!needsRelayout(trace.header)) return trace;
  return relayout(trace, { alignment: generation.behaviours.mmapAlignment });
}

/** Simulates. `label` is what the progress line calls this run. */
export async function simulate(
  workload: Workload,
  o: {
    readonly options: CommonOptions;
    readonly generation: Generation;
    readonly settings: readonly Setting[];
    readonly label: string;
  },
): Promise<Run> {
  // The engine is large; commands that only list or refuse something start without it.
  const { simulateScript, simulateTrace } = await import("../engine/simulate.ts");
  const progress = progressLine();
  const common = {
    generation: o.generation,
    machine: machineOf(o.options, workload.kind === "script" ? workload.script.machine : undefined),
    hardware: demandHardware(o.options.hardware),
    settings: [...ownSettings(workload, o.generation), ...o.settings],
    verify: o.options.verify === true,
    name: workload.name,
  };
  progress.show(`${o.label} …`);
  try {
    if (workload.kind === "script") return simulateScript({ ...common, script: workload.script });
    const trace = placed(workload.open(), o.generation);
    const { program } = trace.header;
    const name = program === "" ? workload.name : `${program} (${workload.name})`;
    const onProgress = (told: string): void => progress.show(`${o.label}: ${told}`);
    return { result: simulateTrace({ ...common, name, trace, onProgress }), lines: [] };
  } finally {
    progress.done();
  }
}

/** Tells what of a workload was understood only in part. True if there was anything to tell. */
export function warn(workload: Workload): boolean {
  if (workload.kind === "script") return false;
  for (const warning of workload.warnings) err(`pagewise: warning: ${warning}\n`);
  return workload.warnings.length > 0;
}
