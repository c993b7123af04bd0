/**
 * `pagewise ground-truth`: runs a program on this kernel under each THP mode and stores what the kernel
 * counts.
 */
import type { Command } from "commander";
import { UserError } from "../lib/assert.ts";
import type { ThpMode, TruthColumn } from "../record/ground-truth.ts";
import { formatBytes, formatFigure } from "../report/format.ts";
import { EXIT, whenCalled } from "./command.ts";
import { demandWritable, err, out, writeWhole } from "./host.ts";

interface GroundTruthOptions {
  readonly output?: string;
  readonly runs: string;
  readonly modes: string;
  readonly showOutput?: true;
  readonly randomLayout?: true;
  readonly json?: true;
}

const EXAMPLES = `
Writes /sys/kernel/mm/transparent_hugepage/enabled (which needs root, and which every program of the machine
feels meanwhile) and puts it back, after ^C too. The program runs with empty input, its output is not shown.

Example:
  $ sudo pagewise record -o sort.pwt -- sort -R words.txt
  $ sudo pagewise ground-truth -o sort.truth.json -- sort -R words.txt
  $ pagewise compare sort.pwt --truth sort.truth.json`;

export function registerGroundTruth(program: Command): void {
  const command = program
    .command("ground-truth")
    .summary("measure what this machine's kernel does with a program")
    .description("Run a program under each mode of transparent huge pages and store what the kernel counts.")
    .usage("[options] -- PROGRAM [ARGUMENT...]")
    .argument("<program...>", "the program and its arguments, behind --")
    .option("-o, --output <file>", "where to store it (the program's name with .truth.json)")
    .option("--runs <n>", "runs under each mode; the median counts", "3")
    .option("--modes <names>", "modes, apart by ','", "never,madvise,always")
    .option("--random-layout", "let the kernel randomize addresses (record with the same)")
    .option("--show-output", "show what the program prints")
    .option("--json", "print JSON")
    .addHelpText("after", EXAMPLES);
  whenCalled(command, measure);
}

const MODES: readonly ThpMode[] = ["never", "madvise", "always"];

function modesOf(text: string): ThpMode[] {
  const names = text.split(",").map((name) => name.trim());
  for (const name of names) {
    if ((MODES as readonly string[]).includes(name)) continue;
    throw new UserError(`expected ${MODES.join(", ")}, found '${name}'`, { file: "--modes" });
  }
  return names as ThpMode[];
}

async function measure(program: readonly string[], options: GroundTruthOptions): Promise<number> {
  const runs = /^[1-9]\d{0,2}$/.test(options.runs) ? Number(options.runs) : 0;
  if (runs === 0)
    throw new UserError(`expected a number 1..999, found '${options.runs}'`, { file: "--runs" });
  const modes = modesOf(options.modes);
  const name = program[0]!.slice(program[0]!.lastIndexOf("/") + 1);
  const output = options.output ?? `${name}.truth.json`;
  demandWritable(output, "--output");
  const { groundTruth } = await import("../record/ground-truth.ts");
  const { demandProgram } = await import("../record/launcher.ts");
  demandProgram(program[0]!);
  const truth = await groundTruth({
    program,
    modes,
    runs,
    fixedLayout: options.randomLayout !== true,
    output: options.showOutput === true ? "inherit" : "ignore",
    told: (text) => err(`pagewise: ${text}\n`),
  });
  writeWhole(output, JSON.stringify(truth, undefined, 1) + "\n");
  if (options.json === true) out(JSON.stringify(truth) + "\n");
  else out(tableOf(truth.columns) + `\n${output}: ${truth.counted}\n`);
  const statuses = new Set(truth.columns.flatMap((column) => column.runs.map((run) => run.exit_status)));
  if (statuses.size === 1 && statuses.has(0)) return EXIT.ok;
  err(`pagewise: warning: the program ended with status ${[...statuses].join(" or ")}\n`);
  return EXIT.broken;
}

/** Medians, with the spread of the faults over the runs. */
function tableOf(columns: readonly TruthColumn[]): string {
  const heads = [
    "",
    "page faults",
    "of runs",
    "huge pages",
    "peak RSS",
    "peak huge",
    "user",
    "system",
    "wall",
  ];
  const rows = columns.map((column) => {
    const faults = column.runs.map((run) => run.page_faults);
    const spread = `${Math.min(...faults)}–${Math.max(...faults)}`;
    return [
      column.column,
      formatFigure("count", column.page_faults),
      spread,
      formatFigure("count", column.huge_pages),
      formatBytes(column.peak_rss_kb * 1024),
      formatBytes((column.peak_anon_huge_kb ?? 0) * 1024),
      ...[column.user_s, column.system_s, column.wall_s].map((seconds) => `${seconds.toFixed(2)} s`),
    ];
  });
  const all = [heads, ...rows];
  const widths = heads.map((_, i) => Math.max(...all.map((row) => [...row[i]!].length)));
  const line = (row: readonly string[]): string =>
    row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join("  ");
  return all.map((row) => line(row).trimEnd() + "\n").join("");
}
