/**
 * The command line as a function: arguments in, exit code out. Mistakes of the user are told on standard
 * error.
 */
import { Command, CommanderError } from "commander";
import { describeUserError, UserError } from "../lib/assert.ts";
import { registerCalibrate } from "./calibrate.ts";
import { registerCheck } from "./check.ts";
import { EXIT, exitCodeOf } from "./command.ts";
import { registerCompare } from "./compare.ts";
import { registerExport } from "./export.ts";
import { registerFuzz } from "./fuzz.ts";
import { registerGenerations } from "./generations.ts";
import { registerGroundTruth } from "./ground-truth.ts";
import { err, isReaderGone, out } from "./host.ts";
import { registerImport } from "./import.ts";
import { registerInfo } from "./info.ts";
import { registerKnobs } from "./knobs.ts";
import { registerRecord } from "./record.ts";
import { registerRun } from "./run.ts";
import { rememberArguments } from "./show.ts";
import { registerValidate } from "./validate.ts";
import { VERSION } from "./version.ts";
import { registerWorkloads } from "./workloads.ts";

const EXAMPLES = `
Examples:
  $ pagewise run examples/first.pw
  $ pagewise compare TRACE --settings "thp=never; thp=always" --html report.html
  $ pagewise knobs max_ptes

'pagewise COMMAND --help' says more about each.`;

function makeProgram(): Command {
  const program = new Command("pagewise")
    .description("What would each Linux kernel have done to this program's memory?")
    .version(VERSION, "--version", "print the version")
    .helpOption("--help", "print this help")
    .helpCommand("help [command]", "print the help of a command")
    .addHelpText("after", EXAMPLES)
    .showHelpAfterError("('pagewise --help' lists commands and options)")
    .configureOutput({ writeOut: out, writeErr: err })
    .exitOverride();
  registerRun(program);
  registerCompare(program);
  registerRecord(program);
  registerGroundTruth(program);
  registerCheck(program);
  registerCalibrate(program);
  registerImport(program);
  registerInfo(program);
  registerExport(program);
  registerGenerations(program);
  registerKnobs(program);
  registerWorkloads(program);
  registerValidate(program);
  registerFuzz(program);
  return program;
}

/** Says what went wrong; answers with the exit code. Our own mistakes go on up, with their stack. */
function codeOfError(error: unknown): number {
  if (isReaderGone(error)) return EXIT.ok;
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.mistake;
  if (error instanceof UserError) {
    err(`pagewise: ${describeUserError(error)}\n`);
    return EXIT.mistake;
  }
  throw error;
}

/** Carries out one command line. */
export async function runProgram(args: readonly string[]): Promise<number> {
  rememberArguments(args);
  const program = makeProgram();
  try {
    await program.parseAsync([...args], { from: "user" });
    return exitCodeOf(program);
  } catch (error) {
    return codeOfError(error);
  }
}
