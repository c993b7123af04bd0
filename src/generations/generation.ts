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
