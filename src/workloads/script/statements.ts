/** One reader for each statement of the script language: from a line's words to its place in the tree. */
import type { Advice } from "../records.ts";
import type { ScriptProt, Statement, ThpDisable } from "./ast.ts";
import {
  endOfLine,
  expected,
  type Line,
  peek,
  takeAddress,
  takeCount,
  takeIf,
  takeName,
  takeOneOf,
  takeRange,
  takeSeed,
  takeSize,
  takeTime,
  takeWord,
} from "./words.ts";

const PROTS: readonly ScriptProt[] = ["ro", "rw", "none"];

/** The advice that `advise` knows, as the language lists it. */
const ADVICE: readonly Advice[] = [
  "hugepage",
  "nohugepage",
  "collapse",
  "dontneed",
  "free",
  "cold",
  "pageout",
  "willneed",
  "dontfork",
  "dofork",
];

const MAP_OPTIONS = ["at", "align", ...PROTS, "shared", "populate"] as const;

/** Takes the `{` that ends a line which opens a block. */
function openBlock(line: Line): void {
  if (peek(line) !== "{") throw expected(line, "'{' (it ends the line that opens a block)");
  line.at += 1;
  endOfLine(line);
}

function readMap(line: Line): Statement {
  const region = takeName(line, "the region's name");
  const size = takeSize(line, "the region's size");
  let at: number | undefined;
  let align: number | undefined;
  let prot: ScriptProt | undefined;
  const flags = { shared: false, populate: false };
  while (line.at < line.words.length) {
    const before = line.at;
    const option = takeOneOf(line, MAP_OPTIONS, "an option of map");
    const again =
      option === "at"
        ? at
        : option === "align"
          ? align
          : option === "shared" || option === "populate"
            ? flags[option] || undefined
            : prot;
    line.at = before;
    if (again !== undefined) throw expected(line, `each option of map once`);
    line.at = before + 1;
    if (option === "at") at = takeAddress(line);
    else if (option === "align") align = takeAlignment(line);
    else if (option === "shared" || option === "populate") flags[option] = true;
    else prot = option;
  }
  return { op: "map", line: line.number, region, size, at, align, prot: prot ?? "rw", ...flags };
}

function takeAlignment(line: Line): number {
  const align = takeSize(line, "the alignment", 1);
  if (Number.isInteger(Math.log2(align))) return align;
  line.at -= 1;
  throw expected(line, "an alignment that is a power of two (such as 2M)");
}

function readRemap(line: Line): Statement {
  const region = takeName(line, "the region's name");
  const size = takeSize(line, "the new size");
  const at = takeIf(line, "at") ? takeAddress(line) : undefined;
  endOfLine(line, at === undefined ? ["at"] : []);
  return { op: "remap", line: line.number, region, size, at };
}

function readTouch(line: Line, op: "read" | "write"): Statement {
  const region = takeName(line, "the region's name");
  const range = takeRange(line);
  let step = 4096;
  let random: { seed: bigint; count: number } | undefined;
  if (takeIf(line, "step")) step = takeSize(line, "the step", 1);
  else if (takeIf(line, "random"))
    random = { seed: takeSeed(line), count: takeCount(line, "how many pages", 0) };
  else endOfLine(line, range === undefined ? ["a range", "step", "random"] : ["step", "random"]);
  endOfLine(line);
  return { op, line: line.number, region, range, step, random };
}

function readRanged(line: Line, op: "unmap" | "split"): Statement {
  const region = takeName(line, "the region's name");
  const range = takeRange(line);
  endOfLine(line, range === undefined ? ["a range"] : []);
  return { op, line: line.number, region, range };
}

function readPin(line: Line): Statement {
  const region = takeName(line, "the region's name");
  const range = takeRange(line);
  const prot = takeIf(line, "ro") ? "ro" : "rw";
  endOfLine(line, prot === "ro" ? [] : range === undefined ? ["a range", "ro"] : ["ro"]);
  return { op: "pin", line: line.number, region, range, prot };
}

const THP_DISABLE: readonly ThpDisable[] = ["on", "except-advised", "off"];

function readThpDisable(line: Line): Statement {
  const mode = takeOneOf(line, THP_DISABLE, "on, except-advised or off");
  endOfLine(line);
  return { op: "thp_disable", line: line.number, mode };
}

function readProtect(line: Line): Statement {
  const region = takeName(line, "the region's name");
  const range = takeRange(line);
  const prot = takeOneOf(line, PROTS, "a protection");
  endOfLine(line);
  return { op: "protect", line: line.number, region, range, prot };
}

function readAdvise(line: Line): Statement {
  const region = takeName(line, "the region's name");
  const range = takeRange(line);
  const advice = takeOneOf(line, ADVICE, "an advice");
  endOfLine(line);
  return { op: "advise", line: line.number, region, range, advice };
}

function readBlock(line: Line, op: "repeat" | "during" | "fork" | "thread"): Statement {
  const number = line.number;
  const body: Statement[] = [];
  let statement: Statement;
  if (op === "repeat") statement = { op, line: number, times: takeCount(line, "how many times", 0), body };
  else if (op === "during") statement = { op, line: number, ns: takeTime(line, "how long"), body };
  else statement = { op, line: number, name: takeName(line, `the ${op}'s name`), body };
  openBlock(line);
  return statement;
}

/** A statement of one word and one argument. */
function alone<T extends Statement>(line: Line, statement: T): T {
  endOfLine(line);
  return statement;
}

/** The statements by their first word; blocks come back with an empty body that the caller fills. */
export const STATEMENTS: Readonly<Record<Statement["op"], (line: Line) => Statement>> = {
  cpu: (line) => alone(line, { op: "cpu", line: line.number, cpu: takeCount(line, "a CPU's number", 0) }),
  map: readMap,
  unmap: (line) => readRanged(line, "unmap"),
  remap: readRemap,
  protect: readProtect,
  advise: readAdvise,
  read: (line) => readTouch(line, "read"),
  write: (line) => readTouch(line, "write"),
  pin: readPin,
  unpin: (line) =>
    alone(line, { op: "unpin", line: line.number, region: takeName(line, "the region's name") }),
  split: (line) => readRanged(line, "split"),
  thp_disable: readThpDisable,
  sleep: (line) => alone(line, { op: "sleep", line: line.number, ns: takeTime(line, "how long") }),
  repeat: (line) => readBlock(line, "repeat"),
  during: (line) => readBlock(line, "during"),
  fork: (line) => readBlock(line, "fork"),
  thread: (line) => readBlock(line, "thread"),
  join: (line) => alone(line, { op: "join", line: line.number, name: takeName(line, "a child or thread") }),
  snapshot: (line) => alone(line, { op: "snapshot", line: line.number, label: takeWord(line, "the label") }),
};
