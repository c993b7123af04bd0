/**
 * Runs one form of a scenario: sets the machine up, explores, and says whether it is as the scenario expects.
 */

import { C } from "../core/counters.ts";
import { asCpu } from "../core/units.ts";
import type { Generation } from "../generations/generation.ts";
import { generationByName } from "../generations/index.ts";
import { violations } from "../kernel/invariants.ts";
import { broken } from "../kernel/invariants-paths.ts";
import { assert, UserError } from "../lib/assert.ts";
import { recordState } from "./dressing.ts";
import { lostWrite, staleTlb, witnessOf } from "./memory.ts";
import { type PlainOptions, searchPlain } from "./plain-search.ts";
import type { Recorder } from "./recorder.ts";
import { Runner } from "./runner.ts";
import type { Cost, Form, Race } from "./scenario.ts";
import { LIMITS, type Limits, type Outcome, type Subject, search } from "./search.ts";
import { saveState, walkState } from "./state-graph.ts";
import { makeWorld, type World } from "./world.ts";

/** A scenario's form, set up and ready to run as often as one likes. */
export interface Stage extends Subject {
  readonly world: World;
  readonly rec: Recorder | undefined;
  readonly runner: Runner;
}

/** The generation that a form names. */
export function generationOf(form: Form): Generation {
  const generation = generationByName(form.generation);
  assert(generation !== undefined, "a scenario's forms name generations that exist");
  return generation;
}

/** Sets up. With `record`, every step's footprint is recorded, which reduction needs. */
export function stageRace(race: Race, form: Form, record: boolean): Stage {
  const world = makeWorld(generationOf(form), form.behaviours ?? {}, race.world);
  race.prepare?.(world);
  world.k.cpu = asCpu(0);
  const actors = race.actors(world);
  if (actors.length === 0) throw new UserError(`the scenario ${race.name} has no actors: nothing would run`);
  const graph = walkState({ k: world.k, memory: world.memory });
  const rec = record ? recordState(graph) : undefined;
  const runner = new Runner(world.k, actors, rec);
  world.k.witness = witnessOf(world.memory, (where) => runner.mightSleep(where));
  const saved = saveState(graph);
  const { always, atEnd } = race;
  return {
    world,
    rec,
    runner,
    restart: saved.restore,
    afterStep: always === undefined ? undefined : () => always(world),
    atEnd: () =>
      violations(world.k)[0] ??
      lostWrite(world.memory, race.mayVanish === true) ??
      staleTlb(world.memory) ??
      atEnd?.(world, (actor) => runner.returned(actor)),
  };
}

/** Every schedule of a race, as far as it can matter. */
export function exploreRace(race: Race, form: Form, limits: Limits = LIMITS): Outcome {
  const stage = stageRace(race, form, true);
  const outcome = search(stage, stage.rec!, limits);
  if (outcome.found !== undefined) return outcome;
  const cycle = lockCycle(stage.runner.nested);
  return cycle === undefined ? outcome : { ...outcome, found: { what: cycle, schedule: [] } };
}

/** Every schedule, with nothing left out, or within a bound. */
export function explorePlainly(race: Race, form: Form, options: PlainOptions): Outcome {
  return searchPlain(stageRace(race, form, false), options);
}

/** Two locks that are taken in both orders, be it in different runs. */
export function lockCycle(nested: ReadonlyMap<string, string>): string | undefined {
  const after = new Map<string, string[]>();
  for (const pair of nested.keys()) {
    const [outer, inner] = pair.split(" → ") as [string, string];
    after.set(outer, [...(after.get(outer) ?? []), inner]);
  }
  const reaches = (from: string, to: string, seen: Set<string>): boolean =>
    (after.get(from) ?? []).some((next) => {
      if (next === to) return true;
      if (seen.has(next)) return false;
      seen.add(next);
      return reaches(next, to, seen);
    });
  for (const [outer, inners] of after)
    for (const inner of inners)
      if (reaches(inner, outer, new Set()))
        return broken("lockOrder", `${outer}, then ${inner}, and the other way round`);
  return undefined;
}

/** Whether what was found is what the scenario expects of that form. */
export function asExpected(expect: string, outcome: Outcome): boolean {
  if (expect === "holds") return outcome.found === undefined && outcome.exhausted;
  return outcome.found?.what.includes(expect) === true;
}

/** Counts a cost: all actors one after the other. */
export function countCost(cost: Cost, form: Form): Readonly<Record<string, number>> {
  const world = makeWorld(generationOf(form), form.behaviours ?? {}, cost.world);
  cost.prepare?.(world);
  const actors = cost.actors(world);
  const runner = new Runner(world.k, actors, undefined);
  world.k.witness = witnessOf(world.memory, (where) => runner.mightSleep(where));
  const before = world.k.vmstat.slice();
  world.k.cpu = asCpu(0);
  runner.begin();
  for (let left = true; left; ) {
    left = false;
    for (let i = 0; i < actors.length; i++) {
      for (; runner.enabled(i); left = true) runner.step(i);
    }
  }
  return cost.count(world, {
    moved: (counter) => world.k.vmstat[C[counter]]! - before[C[counter]]!,
    returned: (actor) => runner.returned(actor),
  });
}
