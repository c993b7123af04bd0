/**
 * A scenario's form, checked: what came out and whether that is what its file expects. And how many of the
 * review catalogue's entries stand in the table.
 */
import { asExpected, countCost, exploreRace } from "./check.ts";
import type { Cost, Race, Scenario } from "./scenario.ts";
import type { Found, Limits } from "./search.ts";

export interface Verdict {
  readonly scenario: string;
  readonly entries: readonly string[];
  readonly form: string;
  readonly kind: Scenario["kind"];
  readonly asExpected: boolean;
  /** "holds in every schedule", "found: …", "not exhausted …", "flush rounds 1", or why it is elsewhere. */
  readonly text: string;
  readonly schedules: number;
  readonly found: Found | undefined;
}

function raceVerdicts(race: Race, formName: string | undefined, limits: Limits | undefined): Verdict[] {
  return race.forms
    .filter(({ name }) => formName === undefined || name === formName)
    .map((form) => {
      const outcome = exploreRace(race, form, limits);
      const { found, exhausted, schedules, seenRatio } = outcome;
      const text =
        found !== undefined
          ? "found: " + found.what
          : exhausted
            ? "holds in every schedule"
            : `not exhausted: about ${Math.floor(seenRatio * 100)}% of the schedules seen`;
      return {
        scenario: race.name,
        entries: race.entries,
        form: form.name,
        kind: race.kind,
        asExpected: asExpected(form.expect, outcome),
        text,
        schedules,
        found,
      };
    });
}

function costVerdicts(cost: Cost, formName: string | undefined): Verdict[] {
  return cost.forms
    .filter(({ name }) => formName === undefined || name === formName)
    .map((form) => {
      const counted = countCost(cost, form);
      const wanted = Object.entries(form.expect);
      return {
        scenario: cost.name,
        entries: cost.entries,
        form: form.name,
        kind: cost.kind,
        asExpected: wanted.every(([name, figure]) => counted[name] === figure),
        text: wanted.map(([name]) => `${name} ${counted[name]}`).join(", "),
        schedules: 1,
        found: undefined,
      };
    });
}

/** Every form of a scenario, or the one of that name. */
export function verdictsOf(scenario: Scenario, formName?: string, limits?: Limits): Verdict[] {
  if (scenario.kind === "race") return raceVerdicts(scenario, formName, limits);
  if (scenario.kind === "cost") return costVerdicts(scenario, formName);
  const { name, entries, kind, why } = scenario;
  return [
    { scenario: name, entries, form: "", kind, asExpected: true, text: why, schedules: 0, found: undefined },
  ];
}
