/** `pagewise compare`: one workload under several settings or kernels, side by side. */
import type { Command } from "commander";
import type { KnobSpec } from "../core/knobs.ts";
import { columnsOf, type Plan } from "../engine/plan.ts";
import { checkSetting } from "../engine/settings.ts";
import type { Generation } from "../generations/generation.ts";
import { GENERATIONS } from "../generations/index.ts";
import { type Place, UserError } from "../lib/assert.ts";
import { againstTruth } from "../report/against-truth.ts";
import type { Column } from "../report/table.ts";
import type { Measurement } from "../report/trust.ts";
import { EXIT, whenCalled } from "./command.ts";
import { demandPlaces, wantsRecording, writeExports } from "./exports.ts";
import { err, out } from "./host.ts";
import { readMeasurements } from "./measured.ts";
import { generationOfRelease } from "./nearest.ts";
import { addCommonOptions, type CommonOptions, demandGeneration, settingsOf } from "./options.ts";
import { commandLine, show } from "./show.ts";
import { simulate, warn } from "./simulation.ts";
import { demandWorkload, type Workload } from "./workload.ts";

export interface CompareOptions extends CommonOptions {
  readonly settings?: string;
  readonly thresholds?: string;
  readonly generations?: string;
  readonly measured?: string;
  readonly truth?: string;
}

const EXAMPLES = `
Without --generation the kernel is linux-6.1, of which most has been recorded. The traces in examples/ were
recorded on linux-6.18: name it for them.

Columns are the kernels of --generations under each of --settings. Settings are apart by ';', and each is
KNOB=VALUE, apart by ','; thp and defrag are short names, of other knobs the last part will do. All columns
are related to the first.

Examples:
  $ pagewise compare redis.pwt --settings "thp=never; thp=always; thp=always,max_ptes_none=0"
  $ pagewise compare trace.perf.txt.zst --generations "linux-6.1,linux-6.18" --settings "thp=always"
  $ pagewise compare --workload numa02 --settings "kernel.numa_balancing=0; kernel.numa_balancing=1"
  $ pagewise compare examples/first.pw --generation linux-6.18 --html first.html --json
  $ pagewise compare redis.pwt --settings "thp=never; thp=always" --perfetto redis.pftrace`;

function generationsOf(options: CompareOptions): Generation[] {
  if (options.generations === undefined) return [demandGeneration(options.generation)];
  const names = options.generations.split(",").map((name) => name.trim());
  const chosen = names.filter((name) => name !== "").map((name) => demandGeneration(name, "--generations"));
  if (chosen.length === 0) throw new UserError("expected names apart by ','", { file: "--generations" });
  if (new Set(chosen).size < chosen.length) {
    throw new UserError(`expected each kernel once, found '${options.generations}'`, {
      file: "--generations",
    });
  }
  return chosen;
}

const THRESHOLDS: Place = { file: "--thresholds" };
const THRESHOLD = "promotion_threshold";

/** Throws unless the kernel promotes reservations; the message names those that do. */
function demandReservations({ name, knobs }: Generation): void {
  const has = (all: readonly KnobSpec[]): boolean => all.some((knob) => knob.name.endsWith(`/${THRESHOLD}`));
  if (has(knobs)) return;
  const known = GENERATIONS.filter((each) => has(each.knobs)).map((each) => each.name);
  throw new UserError(
    `${name} has no ${THRESHOLD}: expected --generation with one of ${known.join(", ")}`,
    THRESHOLDS,
  );
}

/** Huge pages off, at the first touch, and with each threshold: as settings of one kernel. */
function thresholdSettings(text: string, generations: readonly Generation[]): string {
  const thresholds = text.split(",").map((each) => each.trim());
  generations.forEach(demandReservations);
  for (const { knobs } of generations)
    for (const each of thresholds) checkSetting(THRESHOLD, each, knobs, THRESHOLDS);
  const twice = thresholds.find((each, i) => thresholds.indexOf(each) < i);
  if (twice !== undefined)
    throw new UserError(`expected each threshold once, found '${twice}' twice`, THRESHOLDS);
  const above = thresholds.filter((each) => each !== "1").map((each) => `promotion_threshold=${each}`);
  const classic = "thp=always,promotion_threshold=1";
  return ["thp=never", classic, ...above.map((each) => `thp=always,${each}`)].join("; ");
}

/** The columns that the options ask for. */
export function planOf(given: CompareOptions): Plan[] {
  if (given.thresholds !== undefined && given.settings !== undefined)
    throw new UserError("expected either --thresholds or --settings, found both", { file: "--thresholds" });
  const generations = generationsOf(given);
  const { thresholds } = given;
  const settings = thresholds === undefined ? given.settings : thresholdSettings(thresholds, generations);
  return columnsOf(generations, settings, (generation) => settingsOf(given, generation));
}

/** Simulates every column. */
export async function simulateAll(
  workload: Workload,
  plan: readonly Plan[],
  options: CommonOptions,
): Promise<Column[]> {
  const columns: Column[] = [];
  for (const { name, generation, settings } of plan) {
    const label = `${columns.length + 1} of ${plan.length}, ${name}`;
    const record = wantsRecording(options);
    const { result, recording } = await simulate(workload, { options, generation, settings, label, record });
    columns.push({ name, result, recording });
  }
  return columns;
}

/** What was measured, and the options with what it says where the user said nothing. */
function withTruth(given: CompareOptions, kernelGiven: boolean): [CompareOptions, readonly Measurement[]] {
  const { truth, measured } = given;
  if (truth === undefined)
    return [given, measured === undefined ? [] : readMeasurements(measured).measurements];
  if (measured !== undefined)
    throw new UserError("says the same as --truth: give one", { file: "--measured" });
  const { measurements, release } = readMeasurements(truth);
  const taken =
    given.thresholds === undefined ? measurements.map(({ column }) => column).join("; ") : undefined;
  const settings = given.settings ?? taken;
  const generation = release === undefined || kernelGiven ? given.generation : generationOfRelease(release);
  return [{ ...given, ...(settings === undefined ? {} : { settings }), generation }, measurements];
}

/** Throws when what was measured can be held against none of the columns: it would be ignored silently. */
function demandMatch(
  plan: readonly Plan[],
  measurements: readonly Measurement[],
  { truth, measured }: CompareOptions,
): void {
  const file = truth ?? measured;
  if (file === undefined || measurements.some(({ column }) => plan.some(({ name }) => name === column)))
    return;
  const list = (names: readonly string[]): string => names.map((name) => `'${name}'`).join(", ") || "none";
  const columns = list(plan.map(({ name }) => name));
  const found = list(measurements.map(({ column }) => column));
  throw new UserError(`expected figures of a column that is compared (${columns}), found ${found}`, { file });
}

/** A fault that became a huge page hides the 511 behind it. */
function warnOfRecording(workload: Workload): void {
  if (workload.kind !== "trace") return;
  const { header } = workload.open();
  if (header.source === "strace") {
    err(
      "pagewise: warning: this trace holds mappings and not a single use of memory: there is nothing to " +
        "predict. Record with perf or valgrind.\n",
    );
  }
  if (header.coverage !== "faults" || header.recordedUnder !== "always") return;
  err(
    "pagewise: warning: this trace was recorded under THP always: where a fault made a huge page, " +
      "the faults behind it are missing, and other settings are predicted wrongly. Record under never " +
      "(pagewise record does).\n",
  );
}

async function compare(
  file: string | undefined,
  given: CompareOptions,
  kernelGiven: boolean,
): Promise<number> {
  if (kernelGiven && given.generations !== undefined)
    throw new UserError("expected either --generation or --generations, found both", {
      file: "--generations",
    });
  const [options, measurements] = withTruth(given, kernelGiven);
  const plan = planOf(options);
  demandMatch(plan, measurements, options);
  demandPlaces(options);
  const workload = await demandWorkload(file, options.workload);
  warnOfRecording(workload);
  const columns = await simulateAll(workload, plan, options);
  show(columns, options, measurements);
  if (options.truth !== undefined && options.json !== true) out(againstTruth(columns, measurements));
  await writeExports(columns, options, { command: commandLine(), measurements });
  return warn(workload) ? EXIT.broken : EXIT.ok;
}

export function registerCompare(program: Command): void {
  const command = program
    .command("compare")
    .summary("run one workload under several settings or kernels, side by side")
    .description("Run one workload under several settings or kernels and show the figures side by side.")
    .argument(
      "[file]",
      "a trace, a script, or a text that can be imported (plain, gzip, zstd); - is standard input",
    )
    .option("--settings <columns>", 'columns, such as "thp=never; thp=always; thp=always,max_ptes_none=0"')
    .option(
      "--thresholds <list>",
      "a column for each promotion_threshold, such as 16,64,256, beside huge pages off and at first touch",
    )
    .option("--generations <names>", 'kernels, such as "linux-6.1,linux-6.18"')
    .option("--measured <file>", "what a real kernel did, as JSON: the report says how far the model is off")
    .option(
      "--truth <file>",
      "what `pagewise ground-truth` measured; its kernel and settings are taken unless told otherwise",
    );
  whenCalled(
    addCommonOptions(command).addHelpText("after", EXAMPLES),
    (file: string | undefined, options: CompareOptions) =>
      compare(file, options, command.getOptionValueSource("generation") !== "default"),
  );
}
