/**
 * The headline experiment of reservations at a 64th of its size: 17 children without, 118 with. The whole
 * table is `bench/fork-sparse.ts`; docs/reservations.md has what it printed at full size.
 */
import { expect, test } from "vitest";
import { simulate } from "../src/engine/simulation.ts";
import type { Result } from "../src/metrics/result.ts";
import { workloadByName } from "../src/workloads/generators/index.ts";
import { expectedFailingChild, sixtyFourth } from "./fork-sparse.ts";

function run(generation: string, law: string, threshold: number | undefined, seed = 1): Result {
  const { name, machine } = sixtyFourth(seed);
  const settings = threshold === undefined ? {} : { promotion_threshold: threshold };
  return simulate(workloadByName(`${name},law=${law}`), { generation, machine, settings }).result;
}

const failing = ({ told }: Result): number => told!.failing_child!;

test("the arithmetic gives 17 and 118", () => {
  expect([expectedFailingChild("one-or-256", 1), expectedFailingChild("one-or-256", 256)]).toEqual([17, 118]);
  expect(expectedFailingChild("up-to-512", 512)).toBe(31);
});

test("without reservations the 17th child's map fails, whatever it touches", () => {
  const result = run("linux-4.19", "one-or-256", undefined);
  expect(failing(result)).toBe(17);
  expect(result.assumes?.[0]).toContain("with probability 1/2 one page, else 1 to 256");
});

test("with reservations as posted the 118th child's map fails, give or take one", () => {
  const result = run("thp-reservations-posted", "one-or-256", undefined);
  expect(Math.abs(failing(result) - 118)).toBeLessThanOrEqual(1);
  expect(result.vmstat.thp_res_alloc_failed).toBeGreaterThan(result.vmstat.thp_res_alloc!);
  expect(result.vmstat.nr_thp_reserved ?? 0).toBe(0);
});

/**
 * While blocks last, every region that reaches the threshold is promoted. Once memory was short the dropped
 * reservations leave no block whole, and later children stay with base pages: fewer are promoted than the
 * arithmetic has it, where thresholds lie inside the law's range (docs/reservations.md).
 */
test.each([
  ["one-or-256", 1, 0],
  ["one-or-256", 32, 45],
  ["one-or-256", 384, 0],
  ["up-to-512", 16, 0],
  ["up-to-128", 256, 0],
] as const)(
  "promoted at the fault, law %s, threshold %i: at most %i more than arithmetic",
  (law, threshold, more) => {
    const child = failing(run("thp-reservations-reviewed", law, threshold));
    const distance = child - expectedFailingChild(law, threshold);
    expect(distance).toBeGreaterThanOrEqual(-1);
    expect(distance).toBeLessThanOrEqual(more + 1);
  },
);
