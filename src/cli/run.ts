/** `pagewise run`: one kernel, one or more scripts or traces. */
import { basename } from "node:path";
import type { Command } from "commander";
import type { Simulated } from "../engine/simulation.ts";
import { UserError } from "../lib/assert.ts";
import { earlyEnd } from "../report/answer.ts";
import { contentionOf, jsonColumn } from "../report/json.ts";
import { renderExpectations, renderScript } from "../report/script.ts";
import type { Column } from "../report/table.ts";
import {
  type BrokenExpectation,
  brokenExpectations,
  describeBroken,
  type SnapshotFigures,
} from "../workloads/script/expectations.ts";
import { EXIT, whenCalled } from "./command.ts";
import { demandPlaces, exportsOf, wantsRecording, writeExports } from "./exports.ts";
import { err, out, painterOf, widthChars } from "./host.ts";
import { addCommonOptions, type CommonOptions, demandGeneration, settingsOf } from "./options.ts";
import { commandLine, show } from "./show.ts";
import { simulate, warn } from "./simulation.ts";
import { namedWorkload, openWorkload, type ScriptWorkload, type Workload } from "./workload.ts";

const EXAMPLES = `
Examples:
  $ pagewise run examples/first.pw
  $ pagewise run first.pw second.pw --generation linux-6.18 --json
  $ pagewise run --workload numa01,size=64M,rounds=10 --machine "nodes=2 cpus=8 mem=4G"
  $ pagewise run redis.pwt --set thp=always --set max_ptes_none=0 --html redis.html

Without --generation the kernel is linux-6.1, of which most has been recorded. The traces in examples/ were
recorded on linux-6.18: name it for them.

Scripts that name the same machine share a boot, in the order given: the huge zero page that one of them
brought into being is there for the next.

Exit status: 0 all is well; 1 an expectation does not hold, or input was understood in part;
2 a mistake in what was asked.`;

function brokenOf(workload: ScriptWorkload, run: Simulated): BrokenExpectation[] {
  const snapshots = new Map<string, SnapshotFigures>();
  for (const line of run.lines) if ("snapshot" in line) snapshots.set(line.snapshot, line);
  return brokenExpectations(workload.script, (label) => snapshots.get(label));
}

/** A line of what a script printed; the last one also has the contention of the whole run. */
function jsonLine(line: Simulated["lines"][number], { result }: Simulated): string {
  return JSON.stringify("elapsed_s" in line ? { ...line, contention: contentionOf(result) } : line) + "\n";
}

/** Prints what a script printed, and its broken expectations. True if there are any. */
function showScript(workload: ScriptWorkload, run: Simulated, options: CommonOptions): boolean {
  const broken = brokenOf(workload, run);
  if (options.json === true) out(run.lines.map((line) => jsonLine(line, run)).join(""));
  else {
    out(renderScript(run.lines, options.raw === true ? "raw" : "human", painterOf(), widthChars()));
    out(renderExpectations(workload.script.expectations.length, broken));
  }
  for (const each of broken) err(describeBroken(workload.script.file, each) + "\n");
  return broken.length > 0;
}

/** What a trace's run says, or with `--counters` also a script's. */
function showFigures(column: Column, workload: Workload, options: CommonOptions): void {
  if (options.json !== true) {
    if (workload.kind !== "script" || options.counters === true) show([column], options);
  } else if (workload.kind !== "script") out(JSON.stringify(jsonColumn(column)) + "\n");
}

/**
 * Scripts that name the same machine run one after the other in one boot of it, as they would on a real
 * kernel: the huge zero page that one of them brought into being is there for the next. All else that a
 * script leaves behind goes when it exits.
 */
type Boots = Set<string>;

const bootOf = (workload: Workload): string =>
  workload.kind === "script" ? JSON.stringify(workload.script.machine ?? null) : "";

/** True if all is well. */
async function runOne(workload: Workload, options: CommonOptions, withHugeZero: Boots): Promise<boolean> {
  const generation = demandGeneration(options.generation);
  const settings = settingsOf(options, generation);
  const boot = bootOf(workload);
  const hugeZeroAllocated = workload.kind === "script" && withHugeZero.has(boot);
  const label = workload.name;
  const record = wantsRecording(options);
  const run = await simulate(workload, { options, generation, settings, label, hugeZeroAllocated, record });
  if (run.hugeZeroAllocated) withHugeZero.add(boot);
  else withHugeZero.delete(boot);
  const name = [generation.name, ...options.set].join(" ");
  const column = { name, result: run.result, recording: run.recording };
  const broken = workload.kind === "script" && showScript(workload, run, options);
  showFigures(column, workload, options);
  await writeExports([column], options, { command: commandLine() });
  const partial = warn(workload);
  // A script may be about calls that fail: it says so itself.
  const whole =
    workload.kind === "script" ? run.result.outcome === "finished" : earlyEnd(run.result) === undefined;
  return !broken && !partial && whole;
}

async function runAll(files: readonly string[], options: CommonOptions): Promise<number> {
  const [first] = exportsOf(options);
  const count = files.length + (options.workload === undefined ? 0 : 1);
  if (first !== undefined && count > 1) {
    throw new UserError(`expected one file to report on, found ${count}`, { file: first });
  }
  demandPlaces(options);
  // All are opened first: a mistake in the last one stops before the first one runs.
  const workloads: Workload[] = [];
  if (options.workload !== undefined) workloads.push(namedWorkload(options.workload));
  for (const file of files) workloads.push(await openWorkload(file));
  if (workloads.length === 0) throw new UserError("expected a file, or --workload NAME");
  const withHugeZero: Boots = new Set();
  let well = true;
  for (const workload of workloads) {
    const name = basename(workload.name, ".pw");
    if (workloads.length > 1)
      out(options.json === true ? JSON.stringify({ script: name }) + "\n" : `== ${name}\n`);
    well = (await runOne(workload, options, withHugeZero)) && well;
  }
  return well ? EXIT.ok : EXIT.broken;
}

export function registerRun(program: Command): void {
  const command = program
    .command("run")
    .summary("run scripts or traces under one kernel")
    .description("Run workload scripts (.pw) or traces under one kernel and say what it did to the memory.")
    .argument("[file...]", "scripts, traces, or texts that can be imported; - is standard input");
  whenCalled(addCommonOptions(command).addHelpText("after", EXAMPLES), runAll);
}
