/**
 * Is the reduction sound? Runs a race with it and without it, and compares the final states that were
 * reached.
 */
import { stageRace } from "./check.ts";
import { digestOf } from "./digest.ts";
import { searchPlain } from "./plain-search.ts";
import type { Form, Race } from "./scenario.ts";
import { type Limits, type Outcome, search } from "./search.ts";

export interface Reduction {
  readonly reduced: Outcome;
  readonly whole: Outcome;
  /** Final states: with reduction, without it, and those that only one of the two has reached. */
  readonly reducedStates: number;
  readonly wholeStates: number;
  readonly differing: number;
}

/** Runs both to their ends, or limits. */
export function compareReduction(race: Race, form: Form, limits: Limits): Reduction {
  const run = (withReduction: boolean) => {
    const stage = stageRace(race, form, withReduction);
    const states = new Set<string>();
    const atEnd = () => {
      states.add(digestOf(stage.world));
      return stage.atEnd();
    };
    const subject = { ...stage, atEnd };
    const bound = { ...limits, preemptionsMax: Number.POSITIVE_INFINITY, shortest: false };
    const outcome = withReduction ? search(subject, stage.rec!, limits) : searchPlain(subject, bound);
    return { outcome, states };
  };
  const reduced = run(true);
  const whole = run(false);
  const missed = [...whole.states].filter((state) => !reduced.states.has(state)).length;
  const invented = [...reduced.states].filter((state) => !whole.states.has(state)).length;
  return {
    reduced: reduced.outcome,
    whole: whole.outcome,
    reducedStates: reduced.states.size,
    wholeStates: whole.states.size,
    differing: missed + invented,
  };
}
