/**
 * What this machine's kernel does with a program under each mode of transparent huge pages, as it counts
 * itself: what the model's predictions are held against.
 *
 *     for each mode, n times:  enabled := mode ─▶ program, stopped ─▶ perf stat attached ─▶ go ─▶ counts
 *     at the end, whatever happens:  enabled := what it was
 */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Writable } from "node:stream";
import { UserError } from "../lib/assert.ts";
import {
  chosenWord,
  isReadable,
  isRoot,
  kernelRelease,
  machineLine,
  readHost,
  THP_FOLDER,
  thpMode,
} from "./host-facts.ts";
import { exitStatusOf, type Launched, launch, onPath } from "./launcher.ts";

export type ThpMode = "never" | "madvise" | "always";

/** One run. Names are those of the file, where people read them. */
export interface TruthRun {
  readonly page_faults: number;
  /** Huge pages that the program's processes took in faults. */
  readonly huge_pages: number;
  /** The largest process; the launcher's own few MB are the floor. */
  readonly peak_rss_kb: number;
  readonly wall_s: number;
  readonly user_s: number;
  readonly system_s: number;
  /** Highest AnonHugePages of one process that was seen; only runs that were looked at have it. */
  readonly peak_anon_huge_kb?: number;
  readonly exit_status: number;
}

export interface TruthColumn extends Omit<TruthRun, "exit_status"> {
  readonly column: string;
  readonly runs: readonly TruthRun[];
}

export interface Truth {
  readonly source: string;
  readonly command: readonly string[];
  readonly kernel: string;
  readonly machine: string;
  /** How faults and huge pages were counted. */
  readonly counted: string;
  readonly columns: readonly TruthColumn[];
}

const ENABLED = `${THP_FOLDER}/enabled`;
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** A user allocation of 2 MiB is movable; the huge zero page and the kernel's own are not. */
const HUGE_FILTER = "order == 9 && migratetype == 1";

const PERF_COUNTS =
  "faults by perf stat of the program's processes, huge pages as their movable allocations of order 9";
const SYSTEM_COUNTS =
  "faults by wait4; huge pages from /proc/vmstat, where other programs' are counted too (perf is missing)";

/** Throws unless the setting can be written here. */
export function demandThpWritable(): void {
  if (thpMode() === undefined) {
    throw new UserError("this kernel has no transparent huge pages", { file: ENABLED });
  }
  if (!isRoot()) throw new UserError("writing the setting needs root: run with sudo", { file: ENABLED });
}

function canPerf(): boolean {
  return onPath("perf") !== undefined && isReadable("/sys/kernel/tracing/events/kmem/mm_page_alloc/id");
}

/** Runs the program and counts. `told` hears of each run. */
export async function groundTruth(o: {
  readonly program: readonly string[];
  readonly modes: readonly ThpMode[];
  readonly runs: number;
  readonly output: "inherit" | "ignore";
  readonly fixedLayout: boolean;
  readonly told: (text: string) => void;
  /** Where the setting stands; the kernel's own file unless told. */
  readonly settingFile?: string;
}): Promise<Truth> {
  const { settingFile = ENABLED } = o;
  if (settingFile === ENABLED) demandThpWritable();
  const before = chosenWord(readHost(settingFile))!;
  const restore = (): void => writeFileSync(settingFile, before);
  const state: Running = { interrupted: undefined, launched: undefined, perf: canPerf() };
  const onSignal = (signal: NodeJS.Signals): void => {
    state.interrupted = signal;
    state.launched?.signal(signal);
  };
  for (const signal of SIGNALS) process.on(signal, onSignal);
  process.on("exit", restore);
  try {
    const columns: TruthColumn[] = [];
    for (const mode of o.modes) columns.push(await measureMode(o, mode, state));
    return {
      source: `${kernelRelease()} (median of ${o.runs} runs)`,
      command: o.program,
      kernel: kernelRelease(),
      machine: machineLine(),
      counted: state.perf ? PERF_COUNTS : SYSTEM_COUNTS,
      columns,
    };
  } finally {
    restore();
    process.off("exit", restore);
    for (const signal of SIGNALS) process.off(signal, onSignal);
  }
}

interface Running {
  interrupted: NodeJS.Signals | undefined;
  launched: Launched | undefined;
  readonly perf: boolean;
}

type Options = Parameters<typeof groundTruth>[0];

async function measureMode(o: Options, mode: ThpMode, state: Running): Promise<TruthColumn> {
  const runs: TruthRun[] = [];
  writeFileSync(o.settingFile ?? ENABLED, mode);
  for (let i = 0; i < o.runs; i++) {
    const run = await measureRun(o, state, i === 0);
    demandUninterrupted(state);
    runs.push(run);
    o.told(`thp=${mode}, run ${i + 1} of ${o.runs}: ${run.page_faults} faults, ${run.huge_pages} huge pages`);
  }
  const median = (key: Exclude<keyof TruthRun, "exit_status" | "peak_anon_huge_kb">): number =>
    runs.map((run) => run[key]).sort((a, b) => a - b)[Math.floor((runs.length - 1) / 2)]!;
  const looked = runs[0]!.peak_anon_huge_kb;
  return {
    column: `thp=${mode}`,
    page_faults: median("page_faults"),
    huge_pages: median("huge_pages"),
    peak_rss_kb: median("peak_rss_kb"),
    ...(looked === undefined ? {} : { peak_anon_huge_kb: looked }),
    wall_s: median("wall_s"),
    user_s: median("user_s"),
    system_s: median("system_s"),
    runs,
  };
}

/** A signal may come while a program is being started: there is nothing yet that it could be passed on to. */
function demandUninterrupted({ interrupted }: Running): void {
  if (interrupted === undefined) return;
  throw new UserError(`ended by ${interrupted}; the setting is put back, nothing is written`);
}

async function measureRun(o: Options, state: Running, look: boolean): Promise<TruthRun> {
  const launched = await launch(o.program, {
    hugePagesOff: false,
    fixedLayout: o.fixedLayout,
    output: o.output,
    input: "ignore",
  });
  state.launched = launched;
  try {
    demandUninterrupted(state);
    const counter = state.perf ? await startCounter(launched.pid) : undefined;
    demandUninterrupted(state);
    const hugeBefore = hugeOfSystem();
    const watch = look ? watchHuge(launched.pid) : undefined;
    launched.go();
    const ended = await launched.ended;
    const hugeOfAll = hugeOfSystem() - hugeBefore;
    const counts = await counter?.finish();
    const { usage } = ended;
    const seen = watch?.finish();
    return {
      page_faults: counts?.pageFaults ?? usage.minorFaults + usage.majorFaults,
      huge_pages: counts?.hugePages ?? hugeOfAll,
      peak_rss_kb: usage.maxRssKb,
      ...(seen === undefined ? {} : { peak_anon_huge_kb: seen }),
      wall_s: usage.wallS,
      user_s: usage.userS,
      system_s: usage.systemS,
      exit_status: exitStatusOf(ended),
    };
  } catch (error) {
    launched.signal("SIGKILL");
    throw error;
  } finally {
    state.launched = undefined;
  }
}

function hugeOfSystem(): number {
  return Number(/^thp_fault_alloc (\d+)$/m.exec(readHost("/proc/vmstat") ?? "")?.[1] ?? 0);
}

interface Counter {
  finish(): Promise<{ readonly pageFaults: number; readonly hugePages: number }>;
}

/** perf stat on the stopped program and the processes that it will make. */
async function startCounter(pid: number): Promise<Counter> {
  const folder = mkdtempSync(join(tmpdir(), "pagewise-truth-"));
  const file = join(folder, "counts");
  const events = ["-e", "page-faults", "-e", "kmem:mm_page_alloc", "--filter", HUGE_FILTER];
  const how = ["stat", "-x", ",", "-o", file, "-D", "-1", "--control", "fd:3,4"];
  const perf: ChildProcess = spawn("perf", [...how, ...events, "-p", String(pid)], {
    stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"],
    detached: true,
  });
  const closed = new Promise<void>((resolve) => perf.once("close", () => resolve()));
  const control = perf.stdio[3] as Writable;
  control.on("error", () => {});
  control.write("enable\n");
  const ready = await Promise.race([
    new Promise<boolean>((resolve) => perf.stdio[4]!.once("data", () => resolve(true))),
    closed.then(() => false),
  ]);
  if (!ready) {
    rmSync(folder, { recursive: true, force: true });
    throw new UserError(`perf stat cannot count process ${pid}`);
  }
  return {
    async finish() {
      perf.kill("SIGINT");
      await closed;
      const text = readFileSync(file, "utf8");
      rmSync(folder, { recursive: true, force: true });
      return { pageFaults: countOf(text, "page-faults"), hugePages: countOf(text, "kmem:mm_page_alloc") };
    },
  };
}

/** A line of `perf stat -x,`: COUNT,UNIT,EVENT,… */
export function countOf(text: string, event: string): number {
  for (const line of text.split("\n")) {
    const [count, , name] = line.split(",");
    if (name === event && /^\d+$/.test(count!)) return Number(count);
  }
  throw new UserError(`perf stat did not count ${event}: "${text.trim().split("\n").at(-1)}"`);
}

const LOOK_MS = 15;

/** Looks at the AnonHugePages of a process and its descendants again and again. */
function watchHuge(pid: number): { finish(): number } {
  let peakKb = 0;
  const timer = setInterval(() => {
    for (const each of familyOf(pid)) {
      const text = readHost(`/proc/${each}/smaps_rollup`) ?? "";
      peakKb = Math.max(peakKb, Number(/^AnonHugePages:\s+(\d+) kB$/m.exec(text)?.[1] ?? 0));
    }
  }, LOOK_MS);
  return {
    finish() {
      clearInterval(timer);
      return peakKb;
    },
  };
}

function familyOf(pid: number): number[] {
  const family = [pid];
  for (let i = 0; i < family.length; i++) {
    for (const task of tasksOf(family[i]!)) {
      const children = readHost(`/proc/${family[i]}/task/${task}/children`) ?? "";
      family.push(
        ...children
          .split(" ")
          .filter((word) => word !== "")
          .map(Number),
      );
    }
  }
  return family;
}

function tasksOf(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/task`);
  } catch {
    return [];
  }
}
