/** The options that `run` and `compare` share, and what they mean together: a setup to simulate. */
import { readFileSync } from "node:fs";
import { type Command, Option } from "commander";
import { parseSetting, type Setting } from "../engine/settings.ts";
import type { MachineChoice } from "../engine/simulation.ts";
import type { Generation } from "../generations/generation.ts";
import { GENERATIONS } from "../generations/index.ts";
import { HARDWARE } from "../hardware/index.ts";
import { hardwareFromToml } from "../hardware/read-toml.ts";
import type { HardwareSpec } from "../hardware/spec.ts";
import { UserError } from "../lib/assert.ts";
import { demandNamed } from "../lib/suggest.ts";
import { parseMachine } from "../workloads/script/header.ts";
import { parseSize } from "../workloads/script/words.ts";
import { demandFile } from "./host.ts";

export interface CommonOptions {
  readonly workload?: string;
  readonly generation: string;
  readonly machine?: string;
  readonly hardware?: string;
  readonly set: readonly string[];
  readonly seed: string;
  readonly swap?: string;
  readonly fragmented?: string;
  readonly verify?: true;
  readonly quietSystem?: true;
  readonly json?: true;
  readonly raw?: true;
  readonly counters?: true;
  readonly html?: string;
  readonly report?: string;
  readonly perfetto?: string;
  readonly csv?: string;
  readonly parquet?: string;
}

const append = (value: string, before: readonly string[]): string[] => [...before, value];

/** Adds the options to a command. */
export function addCommonOptions(command: Command): Command {
  const names = (list: readonly { readonly name: string }[]): string =>
    list.map(({ name }) => name).join(", ");
  return command
    .option(
      "--workload <name>",
      "a program that comes along, such as numa02,threads=8 ('workloads' lists them)",
    )
    .option("--generation <name>", `kernel to simulate: ${names(GENERATIONS)}`, GENERATIONS[0]!.name)
    .option("--machine <spec>", 'machine, such as "nodes=1 cpus=2 mem=24G"; overrides the script\'s own')
    .option(
      "--hardware <name>",
      `TLBs and costs: ${names(HARDWARE)}, or a file FILE.toml (default: the workload's own, or ` +
        `"${HARDWARE[0]!.name}")`,
    )
    .addOption(
      new Option("--set <knob=value>", "set a knob; may be given again and again")
        .default([], "none")
        .argParser(append),
    )
    .option("--seed <number>", "seed of everything random in the run", "1")
    .option("--swap <size>", "swap space, such as 4G (the script's own, or none, unless told)")
    .option("--fragmented <ratio>", "share of 2 MiB blocks that hold an unmovable page at the start, 0..1")
    .option("--verify", "check the model's invariants as it runs (slower)")
    .option(
      "--quiet-system",
      "no other program has memory that khugepaged looks at: it scans the first at once",
    )
    .option("--json", "print JSON")
    .option("--raw", "print plain numbers: bytes, ns, counts")
    .option("--counters", "also print every counter under its /proc/vmstat name")
    .option("--html <file>", "write a report: one HTML file that shows the run step by step")
    .addOption(new Option("--report <file>", "the same as --html").hideHelp())
    .option("--perfetto <file>", "write a trace for ui.perfetto.dev")
    .option("--csv <file>", "write figures and counters as CSV")
    .option("--parquet <folder>", "write events.parquet and samples.parquet, for DuckDB and pandas");
}

/** `place` is the option or argument that asked. */
export function demandGeneration(name: string, place = "--generation"): Generation {
  return demandNamed(GENERATIONS, name, place);
}

/** A description that comes along, by name, or one of the user's own: a file in TOML. */
export function demandHardware(name: string): HardwareSpec {
  if (name.endsWith(".toml")) {
    demandFile(name);
    return hardwareFromToml(readFileSync(name, "utf8"), name);
  }
  return demandNamed(HARDWARE, name, "--hardware");
}

function wholeNumber(text: string, place: string): number {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!(value < 2 ** 32))
    throw new UserError(`expected a whole number below 2^32, found '${text}'`, { file: place });
  return value;
}

function swapBytes(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const bytes = parseSize(text);
  if (bytes !== undefined) return bytes;
  throw new UserError(`expected a size (such as 512M or 4G), found '${text}'`, { file: "--swap" });
}

function ratio(text: string | undefined): number {
  if (text === undefined) return 0;
  const value = /^\d*\.?\d+$/.test(text) ? Number(text) : Number.NaN;
  if (value >= 0 && value <= 1) return value;
  throw new UserError(`expected a number from 0 to 1, found '${text}'`, { file: "--fragmented" });
}

/** What the options say of the machine: `--machine` overrides the script's own. */
export function machineChoiceOf(options: CommonOptions): MachineChoice {
  const told = swapBytes(options.swap);
  const swap = told === undefined ? {} : { swapBytes: told };
  return {
    ...(options.machine === undefined ? {} : parseMachine(options.machine, "--machine")),
    ...swap,
    fragmentedRatio: ratio(options.fragmented),
    seed: wholeNumber(options.seed, "--seed"),
  };
}

/** The settings of all `--set`, checked against the generation's knobs. */
export function settingsOf(options: CommonOptions, generation: Generation): Setting[] {
  return options.set.map((text) => parseSetting(text, generation.knobs));
}
