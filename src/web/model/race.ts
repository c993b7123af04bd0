/** A counterexample of `pagewise check --json`, as the race view draws it. */
import { UserError } from "../../lib/assert.ts";

export interface RaceStep {
  /** Index into `actors`. */
  readonly actor: number;
  readonly what: string;
  /** The state of the little machine after the step, item by item: "frame A" → "ref 2 map 1". */
  readonly state: Readonly<Record<string, string>>;
  /** What is broken from here on; only at the step that broke it. */
  readonly broken?: string;
}

export interface Counterexample {
  readonly race: string;
  readonly claim: string;
  readonly generation: string;
  readonly form: string;
  readonly verdict: string;
  readonly schedule: string;
  readonly actors: readonly string[];
  readonly steps: readonly RaceStep[];
  /** The command that replays it; empty when unknown. */
  readonly replay: string;
}

/** The state of the machine after a step: what each step said of an item last. */
export function machineAfter({ steps }: Counterexample, at: number): Map<string, string> {
  const state = new Map<string, string>();
  for (const step of steps.slice(0, at + 1)) {
    for (const [name, value] of Object.entries(step.state)) state.set(name, value);
  }
  return state;
}

type Plain = Readonly<Record<string, unknown>>;

const isPlain = (value: unknown): value is Plain =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** The first of some fields that is a text or a number. */
function textOf(from: Plain, ...names: string[]): string {
  for (const name of names) {
    const value = from[name];
    if (typeof value === "string") return value;
    if (typeof value === "number") return String(value);
  }
  return "";
}

function stateOf(value: unknown): Record<string, string> {
  if (Array.isArray(value)) return Object.fromEntries(value.map((each, i) => [String(i), String(each)]));
  if (typeof value === "string") return value === "" ? {} : { machine: value };
  if (!isPlain(value)) return {};
  return Object.fromEntries(
    Object.entries(value).map(([name, each]) => [
      name,
      typeof each === "string" ? each : JSON.stringify(each),
    ]),
  );
}

function actorsOf(value: unknown): string[] {
  if (!Array.isArray(value)) return [];
  return value.map((each, i) => {
    if (typeof each === "string") return each;
    return isPlain(each) ? textOf(each, "name", "what") || `CPU ${i}` : `CPU ${i}`;
  });
}

function stepOf(value: unknown, actors: string[]): RaceStep | undefined {
  if (!isPlain(value)) return undefined;
  const who = value.actor ?? value.cpu ?? value.who;
  let actor = typeof who === "number" ? who : actors.indexOf(String(who));
  if (actor < 0) actor = actors.push(String(who)) - 1;
  while (actor >= actors.length && actor < 64) actors.push(`CPU ${actors.length}`);
  const note = textOf(value, "note", "detail");
  const what = textOf(value, "what", "text", "op", "label");
  const broken = textOf(value, "broken", "violated");
  const state = stateOf(value.state ?? value.frames);
  const step = { actor, what: note === "" ? what : `${what}  (${note})`, state };
  return broken === "" ? step : { ...step, broken };
}

/** The counterexample of a report of `check`: the first form that has one. */
function findIn(value: Plain): Plain | undefined {
  if (Array.isArray(value.steps)) return value;
  for (const name of ["counterexample", "found", "races", "forms", "results", "checks"]) {
    const inner = value[name];
    for (const each of Array.isArray(inner) ? inner : [inner]) {
      const found = isPlain(each) ? findIn(each) : undefined;
      if (found !== undefined) return { ...value, ...found };
    }
  }
  return undefined;
}

/**
 * Reads a counterexample; undefined when the text is something else. Throws `UserError` for reports of
 * `check` that hold none, and for versions from the future.
 */
export function readCounterexample(text: string, file: string): Counterexample | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text.split("\n", 1)[0]!.trim() === "{" ? text : (text.split("\n", 1)[0] ?? ""));
  } catch {
    return undefined;
  }
  if (!isPlain(value)) return undefined;
  const format = textOf(value, "format");
  const isCheck = format === "pagewise-check" || (format === "" && ("race" in value || "races" in value));
  if (!isCheck) return undefined;
  if (typeof value.version === "number" && value.version > 1) {
    throw new UserError(`its version is ${value.version}, this Pagewise reads 1: take a newer one`, { file });
  }
  const found = findIn(value);
  if (found === undefined) {
    throw new UserError("no form in it has a counterexample: every schedule held, there is nothing to draw", {
      file,
    });
  }
  const actors = actorsOf(found.actors ?? found.cpus);
  const steps = (found.steps as unknown[]).flatMap((each) => stepOf(each, actors) ?? []);
  const schedule = Array.isArray(found.schedule) ? found.schedule.join(".") : textOf(found, "schedule");
  return {
    race: textOf(found, "race", "name"),
    claim: textOf(found, "claim", "title"),
    generation: textOf(found, "generation"),
    form: textOf(found, "form"),
    verdict: textOf(found, "verdict", "violation", "what", "broken"),
    schedule,
    actors,
    steps,
    replay: textOf(found, "replay"),
  };
}
