/**
 * `npm run record-check [-- NAME…]`: records programs with this machine's perf, asks its kernel about them,
 * and compares; measures what recording costs; prints the table of docs/FIDELITY.md. Needs root, perf and the
 * programs: what is missing is said and left out, and a bound that does not hold ends it with status 1.
 *
 *     program ──▶ record ──▶ trace ──▶ compare --truth ◀── ground-truth ◀── program
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { generationOfRelease } from "../../src/cli/nearest.ts";
import { launch, onPath } from "../../src/record/launcher.ts";
import { type CheckedProgram, PROGRAMS, prepareInputs } from "./programs.ts";

const cli = join(import.meta.dirname, "..", "..", "src", "cli", "main.ts");
const runner = join(import.meta.dirname, "..", "..", "tools", "run-ts.mjs");

interface Ran {
  readonly status: number | null;
  readonly out: string;
  readonly err: string;
}

function pagewise(...args: readonly string[]): Ran {
  const done = spawnSync(process.execPath, [runner, cli, ...args], { encoding: "utf8", maxBuffer: 2 ** 28 });
  return { status: done.status, out: done.stdout, err: done.stderr };
}

function must(ran: Ran, what: string): Ran {
  if (ran.status === 0) return ran;
  throw new Error(`${what}: status ${ran.status}: ${ran.err.trim().split("\n").at(-1)}`);
}

interface Figures {
  readonly faults: number;
  readonly huge: number;
}

interface Row {
  readonly program: CheckedProgram;
  readonly command: string;
  readonly never: readonly [model: Figures, kernel: Figures];
  readonly always: readonly [model: Figures, kernel: Figures];
  readonly spreadNever: number;
  /**
   * CPU time of the program while it was recorded, and alone, the least of some runs each: other work on the
   * machine counts only as far as it takes the caches.
   */
  readonly recordedS: number;
  readonly aloneS: number;
}

const FAULTS_RATIO = 0.01;
/** Most that recording may cost the program. */
const COST_RATIO = 2;
/** The first recording is the one that is compared. */
const RECORDINGS = 3;
const RUNS_ALONE = 5;

interface TruthFile {
  readonly kernel: string;
  readonly columns: readonly {
    readonly column: string;
    readonly page_faults: number;
    readonly huge_pages: number;
    readonly runs: readonly { readonly page_faults: number }[];
  }[];
}

interface CompareJson {
  readonly columns: readonly {
    readonly name: string;
    readonly huge_from_fault: number;
    readonly vmstat: Readonly<Record<string, number>>;
  }[];
}

/** CPU time of the program with nobody looking. */
async function runAlone(command: readonly string[]): Promise<number> {
  const launched = await launch(command, { hugePagesOff: true, fixedLayout: true, output: "ignore" });
  launched.go();
  const { usage } = await launched.ended;
  return usage.userS + usage.systemS;
}

/** CPU time of the program while it is recorded into that file. */
function recordInto(trace: string, command: readonly string[]): number {
  must(pagewise("record", "--source", "perf", "-o", trace, "--", ...command), "record");
  const info = JSON.parse(must(pagewise("info", trace, "--json"), "info").out) as {
    readonly recorded: { readonly cpuS: number };
  };
  return info.recorded.cpuS;
}

/** Records, measures and compares one program. */
async function check(program: CheckedProgram, folder: string, keep: string): Promise<Row> {
  const command = program.command.map((word) => word.replace("FOLDER", folder));
  const trace = join(keep, `${program.name}.pwt`);
  const truthFile = join(keep, `${program.name}.truth.json`);
  let recordedS = recordInto(trace, command);
  let aloneS = await runAlone(command);
  const again = join(folder, "again.pwt");
  for (let i = 1; i < RECORDINGS; i++) recordedS = Math.min(recordedS, recordInto(again, command));
  for (let i = 1; i < RUNS_ALONE; i++) aloneS = Math.min(aloneS, await runAlone(command));
  must(
    pagewise("ground-truth", "-o", truthFile, "--modes", "never,always", "--", ...command),
    "ground-truth",
  );
  const truth = JSON.parse(readFileSync(truthFile, "utf8")) as TruthFile;
  const generation = generationOfRelease(/\d+\.\d+/.exec(truth.kernel)![0]);
  const how = ["--generation", generation, "--settings", "thp=never; thp=always", "--json"];
  const model = JSON.parse(must(pagewise("compare", trace, ...how), "compare").out) as CompareJson;
  const pair = (mode: string): readonly [Figures, Figures] => {
    const simulated = model.columns.find(({ name }) => name === `thp=${mode}`)!;
    const real = truth.columns.find(({ column }) => column === `thp=${mode}`)!;
    return [
      { faults: simulated.vmstat.pgfault!, huge: simulated.huge_from_fault },
      { faults: real.page_faults, huge: real.huge_pages },
    ];
  };
  const never = truth.columns.find(({ column }) => column === "thp=never")!;
  const faults = never.runs.map((run) => run.page_faults);
  return {
    program,
    command: program.command.join(" "),
    never: pair("never"),
    always: pair("always"),
    spreadNever: Math.max(...faults) - Math.min(...faults),
    recordedS,
    aloneS,
  };
}

const off = ([model, kernel]: readonly [Figures, Figures]): number =>
  (model.faults - kernel.faults) / Math.max(1, kernel.faults);

function broken(row: Row): string[] {
  const problems: string[] = [];
  for (const [mode, pair] of [
    ["never", row.never],
    ["always", row.always],
  ] as const) {
    const ratio = off(pair);
    if (Math.abs(ratio) > FAULTS_RATIO) problems.push(`faults under ${mode} ${(ratio * 100).toFixed(1)} %`);
    const huge = pair[0].huge - pair[1].huge;
    if (Math.abs(huge) > 1) problems.push(`huge pages under ${mode} off by ${huge}`);
  }
  const cost = costOf(row);
  if (cost > COST_RATIO) problems.push(`recording costs ${cost.toFixed(1)}×`);
  return problems;
}

const costOf = ({ recordedS, aloneS }: Row): number => recordedS / Math.max(0.001, aloneS);

const percent = (ratio: number): string => `${ratio >= 0 ? "+" : "−"}${Math.abs(ratio * 100).toFixed(1)} %`;

function lineOf(row: Row): string {
  const { never, always, program } = row;
  const cells = [
    `${program.name}: ${program.what}`,
    `${never[0].faults} / ${never[1].faults} (${percent(off(never))})`,
    `${always[0].faults} / ${always[1].faults} (${percent(off(always))})`,
    `${always[0].huge} / ${always[1].huge}`,
    `${costOf(row).toFixed(1)}×`,
  ];
  return `| ${cells.join(" | ")} |`;
}

const HEAD =
  "| program | faults, never: model / kernel | faults, always | huge pages, always | CPU time, recorded |\n" +
  "|---|---|---|---|---|";

async function main(names: readonly string[]): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), "pagewise-record-check-"));
  const keep = process.env.RECORD_CHECK_KEEP ?? folder;
  mkdirSync(keep, { recursive: true });
  let failed = 0;
  const rows: Row[] = [];
  try {
    prepareInputs(folder);
    for (const program of PROGRAMS) {
      if (names.length > 0 && !names.includes(program.name)) continue;
      const missing = program.needs.filter((need) => onPath(need) === undefined);
      if (missing.length > 0) {
        console.log(`left out: ${program.name}: ${missing.join(", ")} is not installed`);
        continue;
      }
      program.prepare?.(folder);
      const row = await check(program, folder, keep);
      rows.push(row);
      const problems = broken(row);
      if (problems.length > 0 && program.deterministic) failed++;
      const verdict = problems.length === 0 ? "ok" : program.deterministic ? "BROKEN" : "differs";
      console.log(`${verdict} ${lineOf(row)} ${problems.join("; ")} (spread of runs ${row.spreadNever})`);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  console.log(`\n${HEAD}\n${rows.map(lineOf).join("\n")}\n`);
  console.log(
    failed === 0 ? `${rows.length} programs, every bound holds` : `${failed} programs break a bound`,
  );
  return failed === 0 && rows.length > 0 ? 0 : 1;
}

process.exitCode = await main(process.argv.slice(2));
