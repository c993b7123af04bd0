/** From a script's tree back to its text. `parseScript(printScript(s))` equals `s` but for line numbers. */
import type { ByteRange, Expectation, Script, ScriptMachine, Statement } from "./ast.ts";

const SIZE_UNITS: readonly (readonly [string, number])[] = [
  ["G", 2 ** 30],
  ["M", 2 ** 20],
  ["K", 2 ** 10],
];

/** `2M`, `64K`, `4097`: the shortest exact form. */
export function printSize(bytes: number): string {
  for (const [unit, size] of SIZE_UNITS) if (bytes > 0 && bytes % size === 0) return bytes / size + unit;
  return String(bytes);
}

function printTime(ns: number): string {
  if (ns % 1_000_000_000 === 0) return ns / 1_000_000_000 + "s";
  return ns % 1_000_000 === 0 ? ns / 1_000_000 + "ms" : ns / 1_000 + "us";
}

/** `nodes=2 cpus=2 mem=2G`. */
export function printMachine(machine: ScriptMachine): string {
  const scale = machine.scale === undefined ? "" : ` scale=${machine.scale}`;
  const huge = machine.hugeBytes === undefined ? "" : " huge=" + printSize(machine.hugeBytes);
  const swap = machine.swapBytes === undefined ? "" : " swap=" + printSize(machine.swapBytes);
  const { nodes, cpus, memBytes } = machine;
  return `nodes=${nodes} cpus=${cpus} mem=${printSize(memBytes)}${huge}${swap}${scale}`;
}

const printAddress = (address: number): string => "0x" + address.toString(16);

function printRange(range: ByteRange | undefined): string {
  if (range === undefined) return "";
  return ` ${printSize(range.from)}..${range.to === undefined ? "" : printSize(range.to)}`;
}

function printMap(s: Extract<Statement, { readonly op: "map" }>): string {
  let text = `map ${s.region} ${printSize(s.size)}`;
  if (s.at !== undefined) text += " at " + printAddress(s.at);
  if (s.align !== undefined) text += " align " + printSize(s.align);
  if (s.prot !== "rw") text += " " + s.prot;
  if (s.shared) text += " shared";
  if (s.populate) text += " populate";
  return text;
}

function printTouch(s: Extract<Statement, { readonly op: "read" | "write" }>): string {
  const text = `${s.op} ${s.region}${printRange(s.range)}`;
  if (s.random !== undefined) return `${text} random ${s.random.seed} ${s.random.count}`;
  return s.step === 4096 ? text : `${text} step ${printSize(s.step)}`;
}

/** A statement's line; blocks end in `{`. */
export function printStatement(s: Statement): string {
  switch (s.op) {
    case "cpu":
      return `cpu ${s.cpu}`;
    case "map":
      return printMap(s);
    case "unmap":
    case "split":
      return `${s.op} ${s.region}${printRange(s.range)}`;
    case "pin":
      return `pin ${s.region}${printRange(s.range)}${s.prot === "ro" ? " ro" : ""}`;
    case "unpin":
      return `unpin ${s.region}`;
    case "thp_disable":
      return `thp_disable ${s.mode}`;
    case "remap":
      return `remap ${s.region} ${printSize(s.size)}${s.at === undefined ? "" : " at " + printAddress(s.at)}`;
    case "protect":
      return `protect ${s.region}${printRange(s.range)} ${s.prot}`;
    case "advise":
      return `advise ${s.region}${printRange(s.range)} ${s.advice}`;
    case "read":
    case "write":
      return printTouch(s);
    case "sleep":
      return `sleep ${printTime(s.ns)}`;
    case "repeat":
      return `repeat ${s.times} {`;
    case "during":
      return `during ${printTime(s.ns)} {`;
    case "fork":
    case "thread":
      return `${s.op} ${s.name} {`;
    case "join":
      return `join ${s.name}`;
    case "snapshot":
      return `snapshot ${s.label}`;
  }
}

/** A number without an exponent, as the language has them. */
function printNumber(value: number): string {
  const text = String(value);
  return text.includes("e") ? value.toFixed(20).replace(/\.?0+$/, "") : text;
}

/** The `expect` lines of one snapshot; tolerances are printed where they change. */
function printExpectations(list: readonly Expectation[], tolerances: Map<string, number>): string[] {
  const lines: string[] = [];
  for (const { figure, comparison, value, tolerance } of list) {
    if ((tolerances.get(figure) ?? 0) !== tolerance)
      lines.push(`tolerance ${figure} ${printNumber(tolerance)}`);
    tolerances.set(figure, tolerance);
    lines.push(`expect ${figure} ${comparison} ${printNumber(value)}`);
  }
  return lines;
}

/** The script's text. */
export function printScript(script: Script): string {
  const lines: string[] = [];
  const tolerances = new Map<string, number>();
  if (script.machine !== undefined) lines.push("machine " + printMachine(script.machine));
  for (const { knob, value } of script.settings) lines.push(`set ${knob} ${value}`);
  const printBody = (body: readonly Statement[], indent: string): void => {
    for (const statement of body) {
      lines.push(indent + printStatement(statement));
      if (statement.op === "snapshot") {
        const mine = script.expectations.filter((each) => each.snapshot === statement.label);
        for (const line of printExpectations(mine, tolerances)) lines.push(indent + line);
      }
      if ("body" in statement) {
        printBody(statement.body, indent + "  ");
        lines.push(indent + "}");
      }
    }
  };
  printBody(script.body, "");
  return lines.map((line) => line + "\n").join("");
}
