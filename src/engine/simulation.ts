/**
 * One run in one call: a script, a trace or a named workload under a kernel, with everything else at its
 * default. The command line and users of the library come in here; `simulate.ts` takes every part ready-made.
 *
 *     names, sizes, short knob names ──▶ checked, placed ──▶ simulateScript | simulateTrace | …
 */
import { geometryOf, LIFE } from "../core/geometry.ts";
import { PAGE_BYTES } from "../core/units.ts";
import type { Generation } from "../generations/generation.ts";
import { GENERATIONS } from "../generations/index.ts";
import { HARDWARE } from "../hardware/index.ts";
import type { HardwareSpec } from "../hardware/spec.ts";
import { evenDistances, type MachineSpec } from "../kernel/machine.ts";
import { UserError } from "../lib/assert.ts";
import { demandNamed } from "../lib/suggest.ts";
import { RECORD_LIMITS, type Recording, type RecordLimits } from "../metrics/recording.ts";
import type { Result } from "../metrics/result.ts";
import type { NamedWorkload, WorkloadMachine } from "../workloads/generators/workload.ts";
import type { TraceReader } from "../workloads/records.ts";
import { needsRelayout, relayout } from "../workloads/relayout/relayout.ts";
import type { Script, ScriptMachine } from "../workloads/script/ast.ts";
import { scaleHardware } from "./scale.ts";
import { checkSetting, type Setting } from "./settings.ts";
import { replayRecorded, type ScriptLine, simulateScript, simulateWorkload } from "./simulate.ts";

/** The machine of a workload that names none: the one on which the traces that come along were recorded. */
export const DEFAULT_MACHINE: ScriptMachine = {
  nodes: 1,
  cpus: 2,
  memBytes: 24 * 2 ** 30,
  hugeBytes: undefined,
};

/** What of the machine is given; the rest is the script's own, or the default. */
export interface MachineChoice {
  readonly nodes?: number;
  readonly cpus?: number;
  readonly memBytes?: number;
  /** Size of a huge page: a power of two from 8 KiB to 2 MiB; 2 MiB unless told. */
  readonly hugeBytes?: number | undefined;
  /** Swap space; the script's own, or none, unless told. */
  readonly swapBytes?: number | undefined;
  /** Each page of the model stands for that many: see `scale.ts`. */
  readonly scale?: number;
  readonly fragmentedRatio?: number;
  readonly seed?: number;
}

export interface SimulateOptions {
  /** A kernel, or its name; the first of `GENERATIONS` unless told. */
  readonly generation?: Generation | string;
  /**
   * A hardware description, or its name. Unless told, that of the workload's own machine, if the run is on
   * it; else the first of `HARDWARE`.
   */
  readonly hardware?: HardwareSpec | string;
  readonly machine?: MachineChoice;
  /** Knobs to write before the start, by full or short names; they win over a script's own `set` lines. */
  readonly settings?: Readonly<Record<string, string | number>>;
  /** Check every named invariant as the run goes; one that does not hold throws. */
  readonly verify?: boolean;
  /** What the workload is called in results. */
  readonly name?: string;
  /** An earlier script of the same boot has brought the huge zero page into being. */
  readonly hugeZeroAllocated?: boolean;
  /** No other program is registered with khugepaged: the first that registers is scanned at once. */
  readonly quietSystem?: boolean;
  /** Record the run step by step, for the page and for other tools; true: as much as is usual. */
  readonly record?: RecordLimits | boolean;
  /** Told from time to time how far a trace's replay is. */
  readonly onProgress?: (text: string, records: number) => void;
}

export interface Simulated {
  readonly result: Result;
  /** What the script printed; empty for a trace. */
  readonly lines: readonly ScriptLine[];
  /** Only when `record` was asked for. */
  readonly recording: Recording | undefined;
  /** For the next script of the same boot. */
  readonly hugeZeroAllocated: boolean;
}

/** Says which part of a machine nobody can have: at the command line, of `--machine` or `--swap`. */
function demandWhole(what: string, value: number, min: number, max: number): void {
  if (Number.isSafeInteger(value) && value >= min && value <= max) return;
  throw new UserError(`expected a whole number from ${min} to ${max}, found ${value}`, {
    file: `machine.${what}`,
  });
}

const HUGE_BYTES_MAX = 2 ** 21;
/** What the model's columns can number; processors as many as Debian's kernels are built for. */
const NODES_MAX = 64;
const CPUS_MAX = 8192;
const MEM_BYTES_MIN = 2 ** 20;
const MEM_BYTES_MAX = 2 ** 42;
const SWAP_BYTES_MAX = 2 ** 40;

/** Whoever says how much memory a machine has means another one: the workload's scale is not its. */
function isOther({ memBytes }: MachineChoice): boolean {
  return memBytes !== undefined;
}

function ownFor(given: MachineChoice, own: WorkloadMachine | undefined): Partial<WorkloadMachine> {
  if (own === undefined || !isOther(given)) return { ...own };
  const { scale: _scale, ...rest } = own;
  return rest;
}

/** The machine: what is given, else the script's own, else the usual one. */
export function machineSpec(given: MachineChoice, own: WorkloadMachine | undefined): MachineSpec {
  const meant = { ...DEFAULT_MACHINE, ...ownFor(given, own), ...given };
  const { nodes, cpus, scale = 1 } = meant;
  const memBytes = Math.floor(meant.memBytes / scale);
  const hugeBytes = scale === 1 ? meant.hugeBytes : (meant.hugeBytes ?? HUGE_BYTES_MAX) / scale;
  const swapBytes = given.swapBytes ?? own?.swapBytes ?? 0;
  demandWhole("nodes", nodes, 1, NODES_MAX);
  demandWhole("cpus", cpus, 1, CPUS_MAX);
  if (hugeBytes !== undefined && !(hugeBytes >= 2 * PAGE_BYTES && hugeBytes <= HUGE_BYTES_MAX)) {
    const divided = scale === 1 ? "" : ` after division by scale=${scale}`;
    throw new UserError(`expected 8 KiB to 2 MiB${divided}, found ${hugeBytes}`, {
      file: "machine.hugeBytes",
    });
  }
  const leastBytes = Math.max(MEM_BYTES_MIN, nodes * (hugeBytes ?? HUGE_BYTES_MAX));
  demandWhole("memBytes", meant.memBytes, leastBytes * scale, MEM_BYTES_MAX);
  demandWhole("swapBytes", swapBytes, 0, SWAP_BYTES_MAX);
  if (hugeBytes !== undefined && !Number.isInteger(Math.log2(hugeBytes))) {
    throw new UserError(`expected a power of two, found ${hugeBytes}`, { file: "machine.hugeBytes" });
  }
  return {
    nodes,
    cpus,
    memBytes,
    scale,
    geometry: hugeBytes === undefined ? LIFE : geometryOf(Math.log2(hugeBytes / PAGE_BYTES)),
    distances: evenDistances(nodes),
    swapBytes: Math.floor(swapBytes / scale),
    fragmentedRatio: given.fragmentedRatio ?? 0,
    seed: given.seed ?? 1,
  };
}

/** What can be run. */
export type Workload = Script | TraceReader | NamedWorkload;

export function isScript(workload: Workload): workload is Script {
  return "body" in workload;
}

export function isNamed(workload: Workload): workload is NamedWorkload {
  return "spec" in workload;
}

/** The machine that a workload itself asks for. */
function ownMachine(workload: Workload): WorkloadMachine | undefined {
  if (isScript(workload)) return workload.machine;
  return isNamed(workload) ? workload.spec.machine : undefined;
}

/** What is given, else what the workload's own machine has, if that is the one that is meant. */
function hardwareFor(workload: Workload, { hardware, machine = {} }: SimulateOptions): HardwareSpec {
  const own = isNamed(workload) && !isOther(machine) ? workload.spec.hardware : undefined;
  const chosen = hardware ?? own ?? HARDWARE[0]!;
  return typeof chosen === "string" ? demandNamed(HARDWARE, chosen, "hardware") : chosen;
}

function nameOf(workload: Workload): string {
  if (isScript(workload)) return workload.file;
  return isNamed(workload) ? workload.name : workload.header.program;
}

/** A script's own `set` lines, then those that are given. */
function settingsOf(workload: Workload, generation: Generation, o: SimulateOptions): Setting[] {
  const own = !isScript(workload)
    ? []
    : workload.settings.map(({ knob, value, line }) =>
        checkSetting(knob, value, generation.knobs, { file: workload.file, line }),
      );
  const given = Object.entries(o.settings ?? {}).map(([knob, value]) =>
    checkSetting(knob, String(value), generation.knobs, { file: "settings" }),
  );
  return [...own, ...given];
}

/** Valgrind's addresses are its own: its mappings are placed as this kernel would have placed them. */
function placed(trace: TraceReader, generation: Generation): TraceReader {
  if (!needsRelayout(trace.header)) return trace;
  return relayout(trace, { alignment: generation.behaviours.mmapAlignment });
}

/**
 * Runs a script or a named workload, or replays a trace from where its reader stands. The same arguments give
 * the same result to the byte. Throws `UserError` for a name, size or setting that does not exist.
 */
export function simulate(workload: Workload, options: SimulateOptions = {}): Simulated {
  const { generation = GENERATIONS[0]!, hugeZeroAllocated = false } = options;
  const kernel =
    typeof generation === "string" ? demandNamed(GENERATIONS, generation, "generation") : generation;
  const machine = machineSpec(options.machine ?? {}, ownMachine(workload));
  const common = {
    generation: kernel,
    machine,
    hardware: scaleHardware(hardwareFor(workload, options), machine.scale ?? 1),
    settings: settingsOf(workload, kernel, options),
    verify: options.verify === true,
    name: options.name ?? nameOf(workload),
    hugeZeroAllocated,
    quietSystem: options.quietSystem === true,
    record: options.record === true ? RECORD_LIMITS : options.record || undefined,
  };
  if (isScript(workload)) return simulateScript({ ...common, script: workload });
  const { onProgress } = options;
  if (isNamed(workload)) {
    return { ...simulateWorkload({ ...common, workload, onProgress }), lines: [], hugeZeroAllocated };
  }
  const outcome = replayRecorded({ ...common, trace: placed(workload, kernel), onProgress });
  return { ...outcome, lines: [], hugeZeroAllocated };
}
