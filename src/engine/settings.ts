/** Knobs and settings as people write them: short names, ranges, lists of columns. */
import { type KnobSpec, makeKnobs } from "../core/knobs.ts";
import { type Place, UserError } from "../lib/assert.ts";
import { didYouMean } from "../lib/suggest.ts";

/** A knob's full name and the value to write. */
export type Setting = readonly [knob: string, value: string];

/** One column of a comparison: its name and what it sets. */
export interface SettingsColumn {
  readonly name: string;
  readonly settings: readonly Setting[];
}

/** Names that people say, which are not the last component of one knob alone. */
const SHORT_NAMES: Readonly<Record<string, string>> = {
  thp: "transparent_hugepage/enabled",
  defrag: "transparent_hugepage/defrag",
};

/** Options stand where files stand in messages. */
const SET: Place = { file: "--set" };
const SETTINGS: Place = { file: "--settings" };

const endsAt = (full: string, short: string): boolean =>
  full.endsWith("/" + short) || full.endsWith("." + short);

/** Knobs that moved: a script for one kernel means the same knob on another. */
const MOVED = ["sched/numa_balancing/", "kernel.numa_balancing_"] as const;

/** What a knob that has moved is called in this kernel. */
function nameHere(name: string, knobs: readonly KnobSpec[]): string {
  for (const [from, to] of [MOVED, [MOVED[1], MOVED[0]]] as const) {
    const other = to + name.slice(from.length);
    const isHere = (each: string) => knobs.some((knob) => knob.name === each);
    if (name.startsWith(from) && !isHere(name) && isHere(other)) return other;
  }
  return name;
}

/** The full name of a knob, from its full name, a short name, or its last components. */
export function resolveKnob(name: string, knobs: readonly KnobSpec[], place: Place = SET): string {
  const full = nameHere(SHORT_NAMES[name] ?? name, knobs);
  if (knobs.some((knob) => knob.name === full)) return full;
  const found = knobs.filter((knob) => endsAt(knob.name, name)).map((knob) => knob.name);
  if (found.length === 1) return found[0]!;
  if (found.length > 1) {
    throw new UserError(`'${name}' could be ${found.join(" or ")}: write more of its name`, place);
  }
  const known = knobs.map((knob) => knob.name);
  const lasts = known.map((each) => each.split(/[/.]/).at(-1)!);
  const advice = didYouMean(name, [...Object.keys(SHORT_NAMES), ...lasts, ...known]);
  throw new UserError(`this kernel has no knob '${name}'${advice} ('pagewise knobs' lists them)`, place);
}

/** Checks a value as the kernel would. */
export function checkSetting(name: string, value: string, knobs: readonly KnobSpec[], place: Place): Setting {
  const knob = resolveKnob(name, knobs, place);
  const refusal = makeKnobs(knobs).write(knob, value);
  if (refusal === undefined) return [knob, value];
  const choices = refusal.expected.split(" | ");
  const advice = choices.length > 1 ? didYouMean(value, choices) : "";
  throw new UserError(`expected ${refusal.expected} for ${knob}, found '${value}'${advice}`, place);
}

/** Reads one `KNOB=VALUE`. */
export function parseSetting(text: string, knobs: readonly KnobSpec[], place: Place = SET): Setting {
  const at = text.indexOf("=");
  if (at < 1) throw new UserError(`expected KNOB=VALUE, found '${text.trim()}'`, place);
  return checkSetting(text.slice(0, at).trim(), text.slice(at + 1).trim(), knobs, place);
}

/**
 * Columns of `--settings`: "thp=never; thp=always,max_ptes_none=0". An empty one is the kernel's defaults.
 */
export function parseSettingsList(text: string, knobs: readonly KnobSpec[]): SettingsColumn[] {
  const columns = text.split(";").map((column) => {
    const parts = column.split(",").map((part) => part.trim());
    const given = parts.filter((part) => part !== "" && part !== "defaults");
    const settings = given.map((part) => parseSetting(part, knobs, SETTINGS));
    const name = given.map((part) => part.replace(/\s*=\s*/, "=")).join(",");
    return { name: name === "" ? "defaults" : name, settings };
  });
  const names = new Set<string>();
  for (const { name } of columns) {
    if (names.has(name)) throw new UserError(`expected each column once, found '${name}' twice`, SETTINGS);
    names.add(name);
  }
  return columns;
}
