/** `pagewise record`: runs a program, or watches one that runs, and stores what it does to its memory. */
import { type Command, Option } from "commander";
import { UserError } from "../lib/assert.ts";
import type { Choice } from "../record/choose.ts";
import type { Recorded } from "../record/record.ts";
import type { SourceName, Subject } from "../record/source.ts";
import { formatBytes, formatFigure } from "../report/format.ts";
import { EXIT, whenCalled } from "./command.ts";
import { beginFile, demandWritable, err } from "./host.ts";
import { COMPRESSORS, hasZstd } from "./input.ts";

interface RecordOptions {
  readonly output?: string;
  readonly source?: SourceName;
  readonly pid?: string;
  readonly for?: string;
  readonly hugePages?: true;
  readonly randomLayout?: true;
}

const EXAMPLES = `
Sources, the best first; the first that works here is taken:
  perf       kernel tracepoints: every page fault and mapping, about 1.5 µs a fault; needs root
  valgrind   a tool of ours, built from the distribution's valgrind: every reference, 15 to 50 times slower
  lackey     valgrind's own: every reference, some thousand times slower
  strace     system calls alone: mappings, but nothing of their use

Huge pages are off for the program while it is recorded (prctl PR_SET_THP_DISABLE, for this program alone):
so every page shows, and from such a trace every other setting can be predicted. Its addresses are not
randomized, because where a huge page fits depends on them: so runs can be compared.

The program's input, output and exit status stay its own; what pagewise says goes to standard error. Meanwhile
the trace grows in FILE.NUMBER.part. Should pagewise be killed, all but the last second is in there: "pagewise
info" reads it, "pagewise import FILE.NUMBER.part -o FILE" makes a trace of it.

Examples:
  $ sudo pagewise record -- sort -R words.txt
  $ sudo pagewise record -o server.pwt --pid 4711 --for 30s
  $ pagewise record --source valgrind -- python3 app.py`;

export function registerRecord(program: Command): void {
  const command = program
    .command("record")
    .summary("record a program into a trace")
    .description("Run a program, or watch one that runs, and store what it does to its memory.")
    .usage("[options] -- PROGRAM [ARGUMENT...]")
    .argument("[program...]", "the program and its arguments, behind --")
    .option("-o, --output <file>", "where to store the trace (the program's name with .pwt)")
    .addOption(
      new Option("--source <name>", "how to record (the best that works here)").choices([
        "perf",
        "valgrind",
        "lackey",
        "strace",
      ]),
    )
    .option("--pid <pid>", "record a process that runs already, and its children")
    .option("--for <time>", "end the recording after that time, such as 30s or 5m")
    .option("--huge-pages", "leave huge pages as the system has them while recording")
    .option("--random-layout", "let the kernel randomize addresses")
    .addHelpText("after", EXAMPLES);
  whenCalled(command, recordProgram);
}

const UNITS_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

function durationMs(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const found = /^(\d*\.?\d+)(ms|s|m|h)$/.exec(text);
  const value = found === null ? 0 : Number(found[1]) * UNITS_MS[found[2]!]!;
  if (value > 0 && value < 2 ** 31) return value;
  throw new UserError(`expected a time such as 30s or 5m, found '${text}'`, { file: "--for" });
}

function subjectOf(program: readonly string[], options: RecordOptions): Subject {
  const hugePagesOff = options.hugePages !== true;
  const fixedLayout = options.randomLayout !== true;
  if (options.pid === undefined) {
    if (program.length > 0) return { program, hugePagesOff, fixedLayout };
    throw new UserError("expected a program behind --, or --pid PID");
  }
  if (program.length > 0) throw new UserError("takes no program beside it", { file: "--pid" });
  const pid = /^\d+$/.test(options.pid) ? Number(options.pid) : 0;
  if (pid < 1) throw new UserError(`expected a number, found '${options.pid}'`, { file: "--pid" });
  try {
    process.kill(pid, 0);
  } catch (error) {
    const gone = (error as NodeJS.ErrnoException).code === "ESRCH";
    throw new UserError(gone ? `no process ${pid}` : `process ${pid} is another user's`, { file: "--pid" });
  }
  return { program: [], pid, hugePagesOff: false, fixedLayout: false };
}

function defaultOutput({ program, pid }: Subject): string {
  const name = program[0] ?? `pid-${pid}`;
  return `${name.slice(name.lastIndexOf("/") + 1)}.pwt`;
}

async function recordProgram(program: readonly string[], options: RecordOptions): Promise<number> {
  const forMs = durationMs(options.for);
  const subject = subjectOf(program, options);
  // Loaded here, so that other commands start without it.
  const { demandProgram } = await import("../record/launcher.ts");
  const { chooseSource } = await import("../record/choose.ts");
  if (subject.pid === undefined) demandProgram(subject.program[0]!);
  const choice = chooseSource(options.source, subject);
  const output = options.output ?? defaultOutput(subject);
  demandWritable(output, "--output");
  announce(choice, subject);
  const { record } = await import("../record/record.ts");
  const { openTraceFile } = await import("../record/trace-file.ts");
  const packing = hasZstd
    ? ({ codec: "zstd", compress: COMPRESSORS.zstd } as const)
    : ({ codec: "gzip", compress: COMPRESSORS.gzip } as const);
  const recorded = await record({
    source: choice.source,
    subject,
    ...(forMs === undefined ? {} : { forMs }),
    remark: (what) => err(`pagewise: ${what}\n`),
    openFile: () => openTraceFile(beginFile(output, true), output, packing),
  });
  return await conclude(recorded, output);
}

function announce({ source, passedOver }: Choice, subject: Subject): void {
  for (const why of passedOver) err(`pagewise: not with ${why}\n`);
  err(`pagewise: recording with ${source.name}: ${source.sees}\n`);
  for (const what of source.misses) err(`pagewise:   not seen: ${what}\n`);
  if (subject.hugePagesOff) err("pagewise: huge pages are off for this program while it is recorded\n");
  if (subject.fixedLayout) err("pagewise: its addresses are not randomized: the same in every run\n");
}

const count = (value: number): string => formatFigure("count", value);

async function conclude(recorded: Recorded, output: string): Promise<number> {
  const { exitStatusOf } = await import("../record/launcher.ts");
  const { summary, totals, bytes, ended, troubles } = recorded;
  for (const trouble of troubles) err(`pagewise: warning: ${trouble}\n`);
  if (summary.unreadableLines > 0) {
    const first = summary.unreadable[0];
    err(`pagewise: warning: ${count(summary.unreadableLines)} lines of the source could not be read, `);
    err(`the first: expected ${first?.expected}, found "${first?.found}"\n`);
  }
  const memory = formatBytes(process.resourceUsage().maxRSS * 1024);
  err(
    `pagewise: ${output}: ${count(totals.records)} records, ${count(totals.events)} events, ` +
      `${formatBytes(bytes)}, in ${recorded.wallS.toFixed(2)} s; the recorder's own memory ${memory}\n`,
  );
  const compare = `compare ${output} --settings "thp=never; thp=always" --html report.html`;
  err(`pagewise: next: pagewise ${totals.records === 0 ? `info ${output}` : compare}\n`);
  if (ended === undefined) return EXIT.ok;
  if (ended.code === undefined) err(`pagewise: the program was ended by ${ended.signal}\n`);
  return exitStatusOf(ended);
}
