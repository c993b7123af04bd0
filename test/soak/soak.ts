/** One soak: a seed's script under every generation, with every invariant checked after every statement. */
import { makeKnobs } from "../../src/core/knobs.ts";
import { simulateScript } from "../../src/engine/simulate.ts";
import type { Generation } from "../../src/generations/generation.ts";
import { GENERATIONS } from "../../src/generations/index.ts";
import { HARDWARE } from "../../src/hardware/index.ts";
import { RESERVED_BELIEF } from "../../src/kernel/invariants-reservations.ts";
import type { Script } from "../../src/workloads/script/ast.ts";
import { parseScript } from "../../src/workloads/script/parse.ts";
import { soakMachine, soakScript } from "./scripts.ts";

/** The script's settings, without those of knobs or values that this kernel does not have. */
function knobsOf({ settings }: Script, { knobs }: Generation): (readonly [knob: string, value: string])[] {
  const own = makeKnobs(knobs);
  return settings
    .filter(({ knob, value }) => own.write(knob, value) === undefined)
    .map(({ knob, value }) => [knob, value]);
}

/** Runs one script under one generation. Throws what broke. */
export function soakOnce(seed: number, generation: Generation): void {
  const script = parseScript(soakScript(seed), `soak-${seed}`);
  simulateScript({
    script,
    generation,
    machine: soakMachine(seed),
    hardware: HARDWARE[0]!,
    settings: knobsOf(script, generation),
    verify: true,
    name: script.file,
  });
}

export interface SoakFailure {
  readonly seed: number;
  readonly generation: string;
  readonly error: Error;
}

/** Runs the scripts of `count` seeds from `seed` on; returns what broke, each with its seed. */
export function soak(seed: number, count: number, generations = GENERATIONS): SoakFailure[] {
  const failures: SoakFailure[] = [];
  for (let each = seed; each < seed + count; each++) {
    for (const generation of generations) failures.push(...soakUnder(each, generation));
  }
  return failures;
}

/** Runs each seed's script under `many` of the generations, in turn, so that all have the same share. */
export function soakInTurn(seed: number, count: number, many: number): SoakFailure[] {
  const failures: SoakFailure[] = [];
  for (let i = 0; i < count * many; i++) {
    const generation = GENERATIONS[i % GENERATIONS.length]!;
    failures.push(...soakUnder(seed + Math.floor(i / many), generation));
  }
  return failures;
}

function soakUnder(seed: number, generation: Generation): SoakFailure[] {
  try {
    soakOnce(seed, generation);
    return [];
  } catch (error) {
    return [{ seed, generation: generation.name, error: error as Error }];
  }
}

/** The posted reservations lose count when two CPUs fault on one page: their author's code did, too. */
export function isKnownDefect({ generation, error }: SoakFailure): boolean {
  return generation === "thp-reservations-posted" && error.message.startsWith(RESERVED_BELIEF);
}

/** The line that runs a failure again. */
export function replayLine(failure: SoakFailure): string {
  const { seed, generation, error } = failure;
  const known = isKnownDefect(failure) ? " (a known defect of the posted code)" : "";
  const replay = `npm run soak -- --seed ${seed} --count 1 --generations ${generation}`;
  return `${generation}: ${error.message}${known}\n  replay: ${replay}`;
}
