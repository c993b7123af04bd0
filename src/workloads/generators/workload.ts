/**
 * A named workload: what it stands for, its parameters, and the program of its first thread. `NAME` or
 * `NAME,param=value,…` chooses one.
 */
import { UserError } from "../../lib/assert.ts";
import { demandNamed, didYouMean } from "../../lib/suggest.ts";
import type { ScriptMachine } from "../script/ast.ts";
import { parseSize, parseTime } from "../script/words.ts";
import type { Body } from "./program.ts";

interface Described {
  /** What it is, in one sentence. */
  readonly doc: string;
}

export interface NumberParam extends Described {
  readonly type: "count" | "bytes" | "time" | "ratio";
  readonly default: number;
  readonly min: number;
  readonly max: number;
}

export interface ChoiceParam extends Described {
  readonly type: "choice";
  readonly default: string;
  readonly choices: readonly string[];
}

export type ParamSpec = NumberParam | ChoiceParam;
export type ParamSpecs = Readonly<Record<string, ParamSpec>>;

/** Counts are whole numbers, sizes bytes, times ns, ratios plain. */
type ParamValues<P extends ParamSpecs> = {
  readonly [K in keyof P]: P[K] extends ChoiceParam ? P[K]["choices"][number] : number;
};

export type Values = Readonly<Record<string, number | string>>;

/** A script's machine, and swap. */
export type WorkloadMachine = ScriptMachine;

export interface WorkloadSpec {
  readonly name: string;
  /** One line, for lists. */
  readonly summary: string;
  /** What real program it stands for, and what it leaves out. */
  readonly standsFor: string;
  /** Where the program is described. */
  readonly source: string;
  /** The machine that it runs on unless told. */
  readonly machine: WorkloadMachine;
  /** The description of that machine's hardware, by name; absent: the usual one. */
  readonly hardware?: string;
  /** Knobs that the experiment sets, unless told otherwise; absent: none. */
  readonly settings?: readonly (readonly [knob: string, value: string])[];
  readonly params: ParamSpecs;
  /** What the workload assumes where its source is silent: sentences without their full stop. */
  assumes?(values: Values): readonly string[];
  /** The program of the first thread, which starts all others. */
  main(values: Values): Body;
}

/** A workload as it is declared: its program sees the parameters with their own types. */
type Declaration<P extends ParamSpecs> = Omit<WorkloadSpec, "params" | "main" | "assumes"> & {
  readonly params: P;
  assumes?(values: ParamValues<P>): readonly string[];
  main(values: ParamValues<P>): Body;
};

export function defineWorkload<const P extends ParamSpecs>(declared: Declaration<P>): WorkloadSpec {
  return declared as unknown as WorkloadSpec;
}

/** A workload with all its parameters: what `simulate` runs. */
export interface NamedWorkload {
  readonly kind: "named";
  /** The name and the parameters that differ from their defaults, as one would write them. */
  readonly name: string;
  readonly spec: WorkloadSpec;
  readonly values: Values;
}

/** One figure as one would write it: 64M, 10ms. */
export function printParam(param: ParamSpec, value: number | string): string {
  if (typeof value === "string" || param.type === "count" || param.type === "ratio") return String(value);
  const units: readonly (readonly [number, string])[] =
    param.type === "bytes"
      ? [
          [2 ** 40, "T"],
          [2 ** 30, "G"],
          [2 ** 20, "M"],
          [2 ** 10, "K"],
        ]
      : [
          [1e9, "s"],
          [1e6, "ms"],
          [1e3, "us"],
        ];
  const unit = units.find(([size]) => value >= size && value % size === 0);
  return unit === undefined ? String(value) : value / unit[0] + unit[1];
}

/** What a parameter accepts, for people. */
export function paramRange(param: ParamSpec): string {
  if (param.type === "choice") return param.choices.join(" | ");
  return `${printParam(param, param.min)} to ${printParam(param, param.max)}`;
}

const KINDS = {
  count: "a whole number",
  bytes: "a size such as 64M",
  time: "a time such as 500us, 20ms or 3s",
  ratio: "a number",
} as const;

function readNumber(type: NumberParam["type"], text: string): number | undefined {
  if (type === "bytes") return parseSize(text);
  if (type === "time") return text === "0" ? 0 : parseTime(text);
  const pattern = type === "count" ? /^\d+$/ : /^\d*\.?\d+$/;
  return pattern.test(text) ? Number(text) : undefined;
}

function readParam(name: string, param: ParamSpec, text: string, place: string): number | string {
  if (param.type === "choice") {
    if (param.choices.includes(text)) return text;
    const advice = didYouMean(text, param.choices);
    throw new UserError(`expected ${paramRange(param)} for ${name}, found '${text}'${advice}`, {
      file: place,
    });
  }
  const value = readNumber(param.type, text);
  if (value !== undefined && value >= param.min && value <= param.max) return value;
  const what = `${KINDS[param.type]}, ${paramRange(param)},`;
  throw new UserError(`expected ${what} for ${name}, found '${text}'`, { file: place });
}

function readPair(spec: WorkloadSpec, pair: string, place: string): readonly [string, string] {
  const at = pair.indexOf("=");
  const name = (at < 0 ? pair : pair.slice(0, at)).trim();
  const known = Object.keys(spec.params);
  if (at < 1)
    throw new UserError(`expected PARAM=VALUE after '${spec.name},', found '${pair}'`, { file: place });
  if (known.includes(name)) return [name, pair.slice(at + 1).trim()];
  const advice = didYouMean(name, known);
  throw new UserError(`${spec.name} has no parameter '${name}', only ${known.join(", ")}${advice}`, {
    file: place,
  });
}

/** Reads `NAME[,param=value…]`. `place` names the option in messages. */
export function parseWorkload(
  text: string,
  workloads: readonly WorkloadSpec[],
  place = "--workload",
): NamedWorkload {
  const [name, ...pairs] = text.split(",").map((part) => part.trim());
  const spec = demandNamed(workloads, name!, place);
  const values: Record<string, number | string> = {};
  for (const [param, { default: value }] of Object.entries(spec.params)) values[param] = value;
  const told = new Set<string>();
  for (const pair of pairs) {
    const [param, value] = readPair(spec, pair, place);
    if (told.has(param))
      throw new UserError(`expected ${param}= only once, found '${text}'`, { file: place });
    told.add(param);
    values[param] = readParam(param, spec.params[param]!, value, place);
  }
  return { kind: "named", name: nameOf(spec, values), spec, values };
}

function nameOf(spec: WorkloadSpec, values: Values): string {
  const changed = Object.entries(spec.params).filter(
    ([param, { default: value }]) => values[param] !== value,
  );
  return [spec.name, ...changed.map(([param, each]) => `${param}=${printParam(each, values[param]!)}`)].join(
    ",",
  );
}
