/**
 * Measures what memory management costs on this machine, with a small C program that is compiled here, and
 * turns its lines into a hardware description.
 *
 *     measure.c ──cc──▶ lines: NAME NS, again and again ──▶ least and spread ──▶ figures ──▶ TOML
 */
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FIGURE_NAMES, FIGURES, type FigureName } from "../hardware/figures.ts";
import { HARDWARE } from "../hardware/index.ts";
import type { HardwareSpec } from "../hardware/spec.ts";
import { UserError } from "../lib/assert.ts";
import { kernelRelease, machineLine, readHost, thpMode } from "./host-facts.ts";
import { onPath } from "./launcher.ts";
import { type Chase, reachesOf, tlbLines } from "./tlb-reach.ts";

/** All that the program measured. */
export interface Measured {
  /** Nanoseconds, or bytes a ns, of each repetition. */
  readonly values: ReadonlyMap<string, readonly number[]>;
  /** Nanoseconds of a load, by pages of the ring. */
  readonly chase: Chase;
  /** The same of as many loads side by side: what caches cost, without TLBs. */
  readonly dense: Chase;
  readonly skipped: readonly string[];
}

/** Reads the program's lines. */
export function readMeasured(text: string): Measured {
  const values = new Map<string, number[]>();
  const chase = new Map<number, number[]>();
  const dense = new Map<number, number[]>();
  const skipped = new Set<string>();
  const push = <K>(map: Map<K, number[]>, key: K, value: number): void => {
    map.set(key, [...(map.get(key) ?? []), value]);
  };
  for (const line of text.split("\n")) {
    const [name, first, second] = line.split(" ");
    if (name === "skip") skipped.add(line.slice(5));
    else if (name === "chase") push(chase, Number(first), Number(second));
    else if (name === "dense") push(dense, Number(first), Number(second));
    else if (name !== "" && first !== undefined) push(values, name!, Number(first));
  }
  return { values, chase, dense, skipped: [...skipped] };
}

/** A figure with what it was made of. */
export interface CalibratedFigure {
  readonly name: FigureName;
  readonly value: number;
  readonly source: string;
}

/** Fixed parts that are not measured by themselves here; the catalogue says where they are from. */
const ALLOC_HUGE_NS = FIGURES.allocHugeNs.default;
const FLUSH_ONE_NS = FIGURES.flushOneNs.default;
const PAGE_BYTES = 4096;
const HUGE_BYTES = 2 ** 21;

/** The repetitions of one figure, seen as what they are for: a cost or a rate. */
interface Readings {
  least(name: string): number;
  /** The least cost, or the highest rate: other programs only ever slow things down. */
  best(name: string): number;
  /** For people: the best, of how many, from which to which. */
  spread(name: string): string;
}

function readingsOf({ values }: Measured): Readings {
  const least = (name: string): number => Math.min(...(values.get(name) ?? [Number.NaN]));
  const most = (name: string): number => Math.max(...(values.get(name) ?? [Number.NaN]));
  const isRate = (name: string): boolean => name.includes("_per_ns") || name === "clock_ghz";
  const best = (name: string): number => (isRate(name) ? most(name) : least(name));
  return {
    least,
    best,
    spread(name) {
      const runs = values.get(name)?.length ?? 0;
      return `${name} ${shown(best(name))} (best of ${runs}, ${shown(least(name))} to ${shown(most(name))})`;
    },
  };
}

/** Turns measurements into figures: a fault less its parts is the part that is left. */
export function figuresOf(measured: Measured): CalibratedFigure[] {
  const figures: CalibratedFigure[] = [];
  const { least, best, spread } = readingsOf(measured);
  const add = (name: FigureName, value: number, from: readonly string[], how = ""): void => {
    const { min, max } = FIGURES[name];
    const rounded = Number(value.toPrecision(3));
    if (!(rounded >= min && rounded <= max)) return;
    figures.push({
      name,
      value: rounded,
      source: `measured: ${[...from.map(spread), how].filter(Boolean).join("; ")}`,
    });
  };
  const faultNs = least("read_fault_ns");
  const zero = best("zero_bytes_per_ns");
  const allocNs = least("write_fault_ns") - faultNs - PAGE_BYTES / zero;
  add("syscallNs", least("syscall_ns"), ["syscall_ns"], "getppid");
  add("faultNs", faultNs, ["read_fault_ns"], "a read of the zero page");
  add("zeroPageBytesPerNs", zero, ["zero_bytes_per_ns"], "memset of one page in the cache");
  add("allocPageNs", allocNs, ["write_fault_ns"], "less faultNs and zeroing");
  const zeroHugeNs = least("huge_fault_ns") - faultNs - ALLOC_HUGE_NS;
  add(
    "zeroHugeBytesPerNs",
    HUGE_BYTES / zeroHugeNs,
    ["huge_fault_ns"],
    "2 MiB in it less faultNs and allocHugeNs",
  );
  const copyNs = least("cow_fault_ns") - faultNs - allocNs - FLUSH_ONE_NS;
  add(
    "copyPageBytesPerNs",
    PAGE_BYTES / copyNs,
    ["cow_fault_ns"],
    "less faultNs, allocPageNs and flushOneNs",
  );
  add("copyHugeBytesPerNs", best("copy_bytes_per_ns"), ["copy_bytes_per_ns"], "memcpy between huge pages");
  add("zapPageNs", least("munmap_page_ns"), ["munmap_page_ns", "dontneed_page_ns"]);
  add("zapHugeNs", least("munmap_huge_ns"), ["munmap_huge_ns"]);
  add("changePteNs", least("mprotect_page_ns"), ["mprotect_page_ns"]);
  const splitNs = least("split_mprotect_ns") - least("plain_mprotect_ns");
  add("splitPmdNs", splitNs, ["split_mprotect_ns", "plain_mprotect_ns"], "the first less the second");
  add("forkNs", least("fork_ns"), ["fork_ns"], "fork of a process of a few pages");
  add("forkPteNs", least("fork_page_ns"), ["fork_page_ns"], "beyond the fixed part");
  add("forkPmdNs", least("fork_huge_ns"), ["fork_huge_ns"], "beyond a fork without them");
  const targetNs = FIGURES.interruptLocalCpuNs.default;
  // Each repetition is a median already, of rounds that nobody disturbed; it errs to both sides.
  const rounds = [...(measured.values.get("shootdown_ns") ?? [])].sort((a, b) => a - b);
  const shootdownNs = rounds[rounds.length >> 1] ?? Number.NaN;
  add(
    "interruptNs",
    shootdownNs - targetNs,
    [],
    `shootdown_ns ${shown(shootdownNs)} (median of ${rounds.length}, ${shown(rounds[0] ?? 0)} to ` +
      `${shown(rounds.at(-1) ?? 0)}), less interruptLocalCpuNs, for one target`,
  );
  add("clockGhz", best("clock_ghz"), ["clock_ghz"], "a chain of additions");
  addChase(measured, best("clock_ghz"), add);
  return figures;
}

const shown = (value: number): string => String(Number(value.toPrecision(3)));

/**
 * What a load costs beyond the first level: a ring that fits the first TLB level against one that does not.
 */
function addChase(
  { chase }: Measured,
  ghz: number,
  add: (name: FigureName, value: number, from: readonly string[], how?: string) => void,
): void {
  const first = Math.min(...(chase.get(32) ?? [Number.NaN]));
  const second = Math.min(...(chase.get(512) ?? [Number.NaN]));
  const how = `pointer chase over 512 pages ${shown(second)} ns a load, over 32 pages ${shown(first)} ns`;
  add("secondLevelCycles", Math.max(0, (second - first) * ghz), [], how);
}

/** Family 19h is Zen 3 and Zen 4, family 1Ah Zen 5. */
function amd(family: number, model: number): string | undefined {
  if (family === 26) return "zen5";
  if (family !== 25) return undefined;
  return model < 0x10 || (model >= 0x20 && model < 0x60) ? "zen3" : "zen4";
}

/** The description that comes along and is nearest to this processor. */
export function nearestHardware(cpuinfo: string): HardwareSpec {
  const field = (name: string): string => new RegExp(`^${name}\\s*: (.*)$`, "m").exec(cpuinfo)?.[1] ?? "";
  const model = Number(field("model"));
  const known: string | undefined =
    field("vendor_id") === "AuthenticAMD"
      ? amd(Number(field("cpu family")), model)
      : field("vendor_id") === "GenuineIntel" && field("cpu family") === "6"
        ? new Map([
            [85, "skylake-sp"],
            [106, "ice-lake-sp"],
          ]).get(model)
        : undefined;
  return HARDWARE.find(({ name }) => name === known) ?? HARDWARE[0]!;
}

export interface Calibration {
  readonly base: HardwareSpec;
  readonly figures: readonly CalibratedFigure[];
  readonly measured: Measured | undefined;
  /** Why nothing was measured. */
  readonly why: string | undefined;
}

/** Compiles, runs, and reads. Without a compiler it answers with the nearest description that comes along. */
export async function calibrate(repetitions: number): Promise<Calibration> {
  const base = nearestHardware(readHost("/proc/cpuinfo") ?? "");
  const compiler = onPath("cc", "gcc", "clang");
  if (process.platform !== "linux" || compiler === undefined) {
    const why = "measuring needs a C compiler on Linux (Debian: apt install gcc)";
    return { base, figures: [], measured: undefined, why };
  }
  const folder = mkdtempSync(join(tmpdir(), "pagewise-calibrate-"));
  try {
    const program = join(folder, "measure");
    const built = spawnSync(compiler, ["-O2", "-pthread", "-o", program, sourceFile()], { encoding: "utf8" });
    if (built.status !== 0) {
      throw new UserError(`does not compile here: ${built.stderr.split("\n")[0]}`, { file: "measure.c" });
    }
    const measured = readMeasured(await outputOf(program, [String(repetitions)]));
    return { base, figures: figuresOf(measured), measured, why: undefined };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function sourceFile(): string {
  const beside = [
    join(import.meta.dirname, "calibrate"),
    join(import.meta.dirname, "../../src/record/calibrate"),
  ];
  const found = beside.map((folder) => join(folder, "measure.c")).find((file) => existsSync(file));
  if (found === undefined) throw new UserError("the package lacks the program that measures (measure.c)");
  return found;
}

async function outputOf(program: string, args: readonly string[]): Promise<string> {
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "inherit"] });
  let text = "";
  child.stdout.on("data", (piece: Buffer) => {
    text += piece.toString("utf8");
  });
  const status = await new Promise((resolve) => child.once("close", resolve));
  if (status !== 0) throw new UserError(`ended with status ${status}`, { file: "measure.c" });
  return text;
}

function chaseLine(pages: number, runs: readonly number[], dense: readonly number[] | undefined): string {
  const ns = (value: number): string => value.toFixed(2).padStart(7);
  const beside = dense === undefined ? "" : `; side by side ${ns(Math.min(...dense))}`;
  const to = `(to ${Math.max(...runs).toFixed(2)})`;
  return `#   ${String(pages).padStart(5)} pages ${ns(Math.min(...runs))} ns a load ${to}${beside}`;
}

/** The description as TOML, with the method and the spread beside each figure. */
export function tomlOf({ base, figures, measured, why }: Calibration, name: string): string {
  const quote = (text: string): string => JSON.stringify(text);
  const head = [
    `name = ${quote(name)}`,
    `summary = ${quote(`${machineLine()}, ${kernelRelease()}`)}`,
    `base = ${quote(base.name)}            # what could not be measured`,
    "",
  ];
  if (measured === undefined) return [`# Nothing was measured: ${why}.`, ...head].join("\n");
  const left = FIGURE_NAMES.filter((each) => !figures.some((figure) => figure.name === each));
  const lines = [
    "# CPU time in ns of many equal steps, divided by their number; the best of some repetitions, because",
    `# other programs only ever slow it down. THP was ${thpMode() ?? "not there"}.`,
    ...head,
    "[figures]",
    ...figures.map(
      (figure) => `${figure.name} = { value = ${figure.value}, source = ${quote(figure.source)} }`,
    ),
    "",
    ...tlbLines(reachesOf(measured.chase, measured.dense, base.tlb)),
    ...measured.skipped.map((what) => `# Not measured: ${what}.`),
    `# Not measured, from ${base.name}: ${left.join(", ")}.`,
    "#",
    "# A pointer chase in shuffled order, one load for each page, and as many loads side by side: where the",
    "# first grows and the second does not, a TLB level is outgrown.",
    ...[...measured.chase].map(([pages, runs]) => chaseLine(pages, runs, measured.dense.get(pages))),
    "",
  ];
  return lines.join("\n");
}
