/** One soak: a seed's script under every generation, with every invariant checked after every statement. */
import { simulateScript } from "../../src/engine/simulate.ts";
import type { Generation } from "../../src/generations/generation.ts";
import { GENERATIONS } from "../../src/generations/index.ts";
import { HARDWARE } from "../../src/hardware/index.ts";
import type { Script } from "../../src/workloads/script/ast.ts";
import { parseScript } from "../../src/workloads/script/parse.ts";
import { soakMachine, soakScript } from "./scripts.ts";

/** The script's settings, without those of knobs that this kernel does not have. */
function knobsOf({ settings }: Script, { knobs }: Generation): (readonly [knob: string, value: string])[] {
  const known = new Set(knobs.map(({ name }) => name));
  return settings.filter(({ knob }) => known.has(knob)).map(({ knob, value }) => [knob, value]);
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
export function soak(seed: number, count: number): SoakFailure[] {
  const failures: SoakFailure[] = [];
  for (let each = seed; each < seed + count; each++) {
    for (const generation of GENERATIONS) {
      try {
        soakOnce(each, generation);
      } catch (error) {
        failures.push({ seed: each, generation: generation.name, error: error as Error });
      }
    }
  }
  return failures;
}

/** The line that runs a failure again. */
export function replayLine({ seed, generation, error }: SoakFailure): string {
  return `${generation}: ${error.message}\n  replay: npm run soak -- --seed ${seed} --count 1`;
}
