/**
 * With a threshold of 1 the reviewed reservations are neutral: the same bytes as the kernel that they are
 * written for. (test/recordings.test.ts asks the recordings of 6.1 as well.)
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { simulateScript } from "../src/engine/simulate.ts";
import type { Generation } from "../src/generations/generation.ts";
import { generationByName } from "../src/generations/index.ts";
import { HARDWARE } from "../src/hardware/index.ts";
import { runModel } from "../src/validate/model.ts";
import { parseScript } from "../src/workloads/script/parse.ts";
import { soakMachine, soakScript } from "./soak/scripts.ts";

function demand(name: string): Generation {
  const generation = generationByName(name);
  if (generation === undefined) throw new Error(`a generation ${name} exists`);
  return generation;
}

/** Everything that a run tells, without the kernel's name. */
function told(seed: number, generation: Generation): unknown {
  const script = parseScript(soakScript(seed), `soak-${seed}`);
  const known = new Set(generation.knobs.map(({ name }) => name));
  const { result, lines } = simulateScript({
    script,
    generation,
    machine: soakMachine(seed),
    hardware: HARDWARE[0]!,
    settings: script.settings
      .filter(({ knob }) => known.has(knob) && !knob.endsWith("promotion_threshold"))
      .map(({ knob, value }) => [knob, value] as const),
    verify: false,
    name: script.file,
  });
  return { ...result, generation: "", lines };
}

describe.each([
  ["linux-4.19", "thp-reservations-reviewed"],
  ["linux-6.1", "linux-6.1+reservations"],
])("%s and %s", (base, reviewed) => {
  test.each([1, 2, 3, 5, 8, 13, 21, 34, 55, 89])("random script %i comes out the same", (seed) => {
    expect(told(seed, demand(reviewed))).toEqual(told(seed, demand(base)));
  });
});

const RECORDINGS = join(import.meta.dirname, "recordings");

test.each(["numa-4k-follow", "numa-r5-00"])("NUMA balancing comes out the same: %s", (name) => {
  const script = parseScript(readFileSync(join(RECORDINGS, name + ".pw"), "utf8"), name);
  const by = (generation: string) =>
    runModel(script, { generation: demand(generation), hugeZeroAllocated: false, verify: false }).lines;
  expect(by("linux-6.1+reservations")).toEqual(by("linux-6.1"));
});
