/**
 * The lines of a script that are no statements of the program: `machine`, `set`, `tolerance` and `expect`.
 */
import { COUNTER_NAMES } from "../../core/counters.ts";
import { UserError } from "../../lib/assert.ts";
import { closest } from "../../lib/suggest.ts";
import type { Expectation, ScriptMachine } from "./ast.ts";
import {
  endOfLine,
  expected,
  type Line,
  lineOf,
  mistake,
  parseSize,
  peek,
  takeOneOf,
  takeWord,
} from "./words.ts";

const MACHINE_KEYS = ["nodes", "cpus", "mem", "huge", "swap", "scale"] as const;
type MachineKey = (typeof MACHINE_KEYS)[number];

/** At 256 a huge page has two pages of the model: no page may be larger. */
const SCALES: readonly number[] = [1, 2, 4, 8, 16, 32, 64, 128, 256];

/** What one `key=value` of a machine accepts. */
function machineValue(line: Line, key: MachineKey, text: string): number {
  const bytes = key === "mem" || key === "huge" || key === "swap";
  const value = bytes ? parseSize(text) : /^\d+$/.test(text) ? Number(text) : undefined;
  if (value === undefined || value < 1) {
    throw expected(
      line,
      bytes ? `${key}=SIZE (such as ${key}=2M)` : `${key}=N, a whole number of at least 1`,
    );
  }
  const orders = Math.log2(value / 4096);
  if (key === "huge" && !(Number.isInteger(orders) && orders >= 1 && orders <= 9)) {
    throw expected(line, "huge=SIZE, a power of two from 8K to 2M");
  }
  if (key === "scale" && !SCALES.includes(value)) {
    throw expected(line, "scale=N, a power of two from 1 to 256");
  }
  return value;
}

/** Reads `nodes=2 cpus=2 mem=2G [huge=2M] [swap=1G] [scale=16]` from the cursor to the line's end. */
export function readMachine(line: Line): ScriptMachine {
  const values = new Map<MachineKey, number>();
  while (line.at < line.words.length) {
    const [name, ...rest] = peek(line)!.split("=");
    const key = MACHINE_KEYS.find((each) => each === name);
    if (key === undefined || rest.length !== 1) {
      const meant = closest(name!, MACHINE_KEYS);
      const advice = meant === undefined ? "" : `; did you mean '${meant}='?`;
      throw mistake(
        line,
        line.words[line.at],
        `expected nodes=, cpus=, mem=, huge=, swap= or scale=, found '${peek(line)}'${advice}`,
      );
    }
    if (values.has(key)) throw expected(line, `${key}= only once`);
    values.set(key, machineValue(line, key, rest[0]!));
    line.at += 1;
  }
  for (const key of ["nodes", "cpus", "mem"] as const) if (!values.has(key)) throw expected(line, `${key}=`);
  return {
    nodes: values.get("nodes")!,
    cpus: values.get("cpus")!,
    memBytes: values.get("mem")!,
    hugeBytes: values.get("huge"),
    ...(values.has("swap") ? { swapBytes: values.get("swap") } : {}),
    ...(values.has("scale") ? { scale: values.get("scale")! } : {}),
  };
}

/** The machine of a `--machine` option. `place` names the option in messages. */
export function parseMachine(text: string, place: string): ScriptMachine {
  const line = lineOf(text, place, 1);
  try {
    return readMachine(line);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    throw new UserError(error.message, { file: place });
  }
}

/** `KNOB VALUE`; the value is the rest of the line, words apart by one space. */
export function readSet(line: Line): { knob: string; value: string; line: number } {
  const knob = takeWord(line, "a knob's name (such as transparent_hugepage/enabled)");
  const value = [takeWord(line, `the value of ${knob}`)];
  while (line.at < line.words.length) value.push(takeWord(line, "a value"));
  return { knob, value: value.join(" "), line: line.number };
}

const REGION_FIGURES = ["rss_kb", "anon_huge_kb", "anon_kb", "swap_kb", "node_pages[0]"];
const REGION_FIGURE = /^(rss_kb|anon_huge_kb|anon_kb|swap_kb|node_pages\[\d+\])$/;

/** Takes the name of a figure: a counter, or `REGION.figure`. Whether the region exists is checked later. */
function takeFigure(line: Line): string {
  const figure = peek(line) ?? "";
  const dot = figure.indexOf(".");
  if (dot === -1) {
    if (!COUNTER_NAMES.some((name) => name === figure)) {
      throw expected(line, "a counter (such as thp_fault_alloc) or REGION.figure", COUNTER_NAMES);
    }
  } else if (!REGION_FIGURE.test(figure.slice(dot + 1))) {
    const known = REGION_FIGURES.map((name) => figure.slice(0, dot + 1) + name);
    throw expected(line, "REGION.rss_kb, .anon_huge_kb, .anon_kb, .swap_kb or .node_pages[N]", known);
  }
  line.at += 1;
  return figure;
}

/** Allowed distances by figure, as the `tolerance` lines so far have them. */
export type Tolerances = Map<string, { value: number; percent: boolean }>;

/** `tolerance FIGURE NUMBER[%]`: holds for every `expect` of that figure below it. */
export function readTolerance(line: Line, tolerances: Tolerances): void {
  const figure = takeFigure(line);
  const match = /^(\d+(?:\.\d+)?)(%?)$/.exec(peek(line) ?? "");
  if (match === null) throw expected(line, "the tolerance (such as 3 or 5%)");
  line.at += 1;
  endOfLine(line);
  tolerances.set(figure, { value: Number(match[1]), percent: match[2] === "%" });
}

const COMPARISONS = ["==", "!=", "<", "<=", ">", ">="] as const;

/** `expect FIGURE OP NUMBER`, about the snapshot above it. */
export function readExpect(line: Line, snapshot: string | undefined, tolerances: Tolerances): Expectation {
  if (snapshot === undefined) {
    throw mistake(line, line.words[0], "expected a 'snapshot' above this 'expect', found none");
  }
  const figure = takeFigure(line);
  const comparison = takeOneOf(line, COMPARISONS, "a comparison");
  const word = peek(line) ?? "";
  if (!/^-?\d+(\.\d+)?$/.test(word)) throw expected(line, "a number");
  line.at += 1;
  endOfLine(line);
  const value = Number(word);
  const allowed = tolerances.get(figure);
  const tolerance =
    allowed === undefined ? 0 : allowed.percent ? (Math.abs(value) * allowed.value) / 100 : allowed.value;
  return { line: line.number, snapshot, figure, comparison, value, tolerance };
}
