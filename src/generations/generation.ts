/** What a generation is: one kernel or patch set, as behaviours and knobs. A new kernel is a new file. */
import type { KnobSpec } from "../core/knobs.ts";
import type { Behaviours } from "../kernel/behaviours.ts";

export interface Generation {
  /** "linux-6.1": what people type. */
  readonly name: string;
  readonly summary: string;
  readonly behaviours: Behaviours;
  readonly knobs: readonly KnobSpec[];
  /** Where its facts are from. */
  readonly sources: readonly string[];
  /** How it has been checked, in a sentence. */
  readonly judgedBy: string;
}

/** A generation that differs from another in the given behaviours. */
export function derive(base: Behaviours, changes: Partial<Behaviours>): Behaviours {
  return { ...base, ...changes };
}

/** Behaviours as names and words; those of a nested choice stand behind its name: `numaDesign.policy`. */
export function flatBehaviours(behaviours: Behaviours): Readonly<Record<string, string>> {
  const flat: Record<string, string> = {};
  const visit = (prefix: string, value: unknown): void => {
    if (typeof value !== "object" || value === null) flat[prefix] = String(value);
    else for (const [key, each] of Object.entries(value)) visit(`${prefix}.${key}`, each);
  };
  for (const [key, value] of Object.entries(behaviours)) visit(key, value);
  return flat;
}

/** One thing in which two kernels differ; "-" where one of them has no such thing. */
export interface Difference {
  readonly key: string;
  readonly left: string;
  readonly right: string;
}

/** Behaviours first, then knobs by their defaults. */
export function generationDifferences(one: Generation, other: Generation): Difference[] {
  const knobsOf = ({ knobs }: Generation): Record<string, string> =>
    Object.fromEntries(knobs.map((knob) => [knob.name, String(knob.default)]));
  return [
    ...differencesOf(flatBehaviours(one.behaviours), flatBehaviours(other.behaviours)),
    ...differencesOf(knobsOf(one), knobsOf(other)),
  ];
}

function differencesOf(
  one: Readonly<Record<string, string>>,
  other: Readonly<Record<string, string>>,
): Difference[] {
  const keys = [...new Set([...Object.keys(one), ...Object.keys(other)])];
  return keys
    .map((key) => ({ key, left: one[key] ?? "-", right: other[key] ?? "-" }))
    .filter(({ left, right }) => left !== right);
}
