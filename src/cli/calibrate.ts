/** `pagewise calibrate`: measures this machine and writes a hardware description. */
import type { Command } from "commander";
import { UserError } from "../lib/assert.ts";
import { EXIT, whenCalled } from "./command.ts";
import { demandWritable, err, out, writeWhole } from "./host.ts";

interface CalibrateOptions {
  readonly output: string;
  readonly name: string;
  readonly repetitions: string;
}

const EXAMPLES = `
Takes about half a minute; a quiet machine gives better figures. How many entries the TLBs have is guessed
from a pointer chase, and the guess says what it rests on; what could not be told apart stays as in the base.
Huge pages are measured where THP is madvise or always. Without a C compiler the nearest description that
comes along is written, and said to be that.

Example:
  $ pagewise calibrate -o my-server.toml
  $ pagewise compare app.pwt --hardware my-server.toml --settings "thp=never; thp=always"`;

export function registerCalibrate(program: Command): void {
  const command = program
    .command("calibrate")
    .summary("measure this machine's costs")
    .description(
      "Measure what faults, copies, forks and flushes cost here, and write a hardware description.",
    )
    .option("-o, --output <file>", "where to write it", "this-machine.toml")
    .option("--name <name>", "what to call it", "this-machine")
    .option("--repetitions <n>", "how often to measure each figure", "9")
    .addHelpText("after", EXAMPLES);
  whenCalled(command, async ({ output, name, repetitions }: CalibrateOptions) => {
    const count = /^[1-9]\d?$/.test(repetitions) ? Number(repetitions) : 0;
    if (count === 0) throw new UserError(`expected 1..99, found '${repetitions}'`, { file: "--repetitions" });
    demandWritable(output, "--output");
    const { calibrate, tomlOf } = await import("../record/calibrate.ts");
    const calibration = await calibrate(count);
    if (calibration.why !== undefined) err(`pagewise: nothing was measured: ${calibration.why}\n`);
    const toml = tomlOf(calibration, name);
    writeWhole(output, toml);
    out(`${toml}\n${output}: ${calibration.figures.length} figures, on top of ${calibration.base.name}\n`);
    return EXIT.ok;
  });
}
