/** `pagewise fuzz`: random scripts in the model and on a real kernel; what disagrees, as short as can be. */
import { type Command, Option } from "commander";
import type { Disagreement, FuzzResult } from "../validate/fuzz.ts";
import { FUZZ_KINDS, type FuzzKind } from "../validate/generate.ts";
import { MORE_TIMES } from "../validate/more-time.ts";
import type { Verdict } from "../validate/verdict.ts";
import { printScript } from "../workloads/script/print.ts";
import { EXIT, whenCalled } from "./command.ts";
import { out } from "./host.ts";
import {
  addGuestOptions,
  type GuestCommandOptions,
  openKernelSide,
  tellKernel,
  wholeOption,
} from "./validate.ts";

const EXAMPLES = `
Examples:
  $ pagewise fuzz --count 100
  $ pagewise fuzz --kind numa --seed 7 --count 1000 --kernel debian-6.12

Exit status: 0 no disagreement; 1 a disagreement, or a script that was not run;
2 a mistake in what was asked.`;

interface FuzzCommandOptions extends GuestCommandOptions {
  readonly kind: FuzzKind | "all";
  readonly seed: string;
  readonly count: string;
  readonly rounds: string;
  readonly shrink: string;
}

/** `renderVerdict`, which is loaded when it is needed. */
type Render = (name: string, verdict: Verdict, all: boolean) => string;

function replayLine(kind: FuzzKind, seed: number, { kernel, generation }: FuzzCommandOptions): string {
  const own = generation === undefined ? "" : ` --generation ${generation}`;
  return `pagewise fuzz --kind ${kind} --seed ${seed} --count 1 --kernel ${kernel}${own}`;
}

function tellDisagreement(
  kind: FuzzKind,
  d: Disagreement,
  options: FuzzCommandOptions,
  render: Render,
): void {
  if (d.shrunken === d.script) {
    out(`\nit disagrees, not shrunk: ${replayLine(kind, d.seed, options)}\n`);
    return;
  }
  out(`\nthe shortest script that disagrees, from seed ${d.seed}:\n\n${printScript(d.shrunken)}\n`);
  out(render(d.shrunken.file, d.shrunkenVerdict, false));
  out(`replay: ${replayLine(kind, d.seed, options)}\n`);
}

/** The last lines. True if all is well. */
function tellResult(kind: FuzzKind, result: FuzzResult, options: FuzzCommandOptions): boolean {
  const { agreed, late, disagreements, unsteady, notRun } = result;
  for (const seed of late) {
    out(`agrees when its blocks last ${MORE_TIMES} times as long: ${replayLine(kind, seed, options)}\n`);
  }
  for (const seed of unsteady) {
    out(`not ours: the kernel itself gave two answers in two boots: ${replayLine(kind, seed, options)}\n`);
  }
  for (const { seed, why } of notRun) out(`NOT RUN  seed ${seed}: ${why}\n`);
  const unlike = `${disagreements.length} disagree, ${unsteady.length} where the kernel is unsteady`;
  const inTime = late.length === 0 ? "" : ` at once, ${late.length} with more time`;
  out(`${kind}: ${agreed} scripts agree${inTime}, ${unlike}, ${notRun.length} not run\n`);
  return disagreements.length === 0 && notRun.length === 0;
}

async function fuzzAll(options: FuzzCommandOptions): Promise<number> {
  const { fuzz } = await import("../validate/fuzz.ts");
  const { renderVerdict } = await import("../validate/difference-table.ts");
  const seed = wholeOption(options.seed, "--seed", 0);
  const count = wholeOption(options.count, "--count", 1);
  const shrinkRoundsMax = wholeOption(options.rounds, "--rounds", 0);
  const shrinkMax = wholeOption(options.shrink, "--shrink", 0);
  const batch = wholeOption(options.batch, "--batch", 1);
  const side = await openKernelSide(options);
  const kinds: readonly FuzzKind[] = options.kind === "all" ? FUZZ_KINDS : [options.kind];
  let told = false;
  let well = true;
  for (const kind of kinds) {
    const { generation, run } = side;
    const result = await fuzz({
      ...{ kind, seed, count, generation, run, batch, shrinkRoundsMax, shrinkMax },
      onDisagreement: (found) => tellDisagreement(kind, found, options, renderVerdict),
      onBatch(done, boot) {
        if (!told) tellKernel(boot, side.origin);
        told = true;
        const last = `the last ${boot.runs.length} in ${boot.durationS.toFixed(0)} s`;
        out(`${kind}: ${done} of ${count} scripts, ${last}\n`);
      },
    });
    well = tellResult(kind, result, options) && well;
  }
  return well ? EXIT.ok : EXIT.broken;
}

export function registerFuzz(program: Command): void {
  const command = program
    .command("fuzz")
    .summary("random scripts on a real kernel too, and compare")
    .description("Write random scripts, run them in the model and on a real kernel, shrink what disagrees.")
    .addOption(
      new Option(
        "--kind <kind>",
        "thp: one CPU; placement: tasks wander between two nodes; numa: automatic balancing; swap: a disk",
      )
        .choices(["thp", "placement", "numa", "swap", "all"])
        .default("thp"),
    )
    .option("--seed <number>", "seed of the first script; the next has the next number", "1")
    .option("--count <number>", "how many scripts", "100")
    .option("--shrink <number>", "how many disagreements to shrink; the others are only named", "5")
    .option("--rounds <number>", "boots at most to shrink one disagreement", "12");
  whenCalled(addGuestOptions(command).addHelpText("after", EXAMPLES), fuzzAll);
}
