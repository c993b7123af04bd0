/**
 * The headline experiment of reservations at a 64th of its size: 17 children without, 118 with. The whole
 * table is `bench/fork-sparse.ts`; docs/reservations.md has what it printed at full size.
 */
import { expect, test } from "vitest";
import { simulate } from "../src/engine/simulation.ts";
import type { Result } from "../src/metrics/result.ts";
import { workloadByName } from "../src/workloads/generators/index.ts";
import { drawnFailingChild, expectedFailingChild, sixtyFourth } from "./fork-sparse.ts";

function run(
  generation: string,
  law: string,
  threshold: number | undefined,
  { seed = 1, defrag }: { readonly seed?: number; readonly defrag?: string } = {},
): Result {
  const { name, machine } = sixtyFourth(seed);
  const own: Record<string, number> = threshold === undefined ? {} : { promotion_threshold: threshold };
  const settings = { ...own, ...(defrag === undefined ? {} : { "transparent_hugepage/defrag": defrag }) };
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

test("another seed ends where the numbers that its children draw say", () => {
  const child = failing(run("thp-reservations-posted", "one-or-256", undefined, { seed: 3 }));
  expect(Math.abs(child - drawnFailingChild("one-or-256", 512, 3, 64))).toBeLessThanOrEqual(1);
});

/**
 * The arithmetic presumes that a region which reaches the threshold becomes huge. It can when its first touch
 * may compact for a block, as the workload has it: then what dropped reservations left scattered is
 * cleaned up, and the model and the arithmetic agree. bench/fork-sparse.ts has all laws and thresholds.
 */
test.each([
  ["one-or-256", 1],
  ["one-or-256", 2],
  ["one-or-256", 32],
  ["one-or-256", 64],
  ["up-to-128", 32],
  ["one-or-512", 192],
  ["up-to-512", 192],
] as const)("promoted at the fault, law %s, threshold %i: as arithmetic has it", (law, threshold) => {
  const child = failing(run("thp-reservations-reviewed", law, threshold));
  expect(Math.abs(child - drawnFailingChild(law, threshold, 1, 64))).toBeLessThanOrEqual(1);
});

test("where nobody may compact, blocks run out: more children live, most of them with base pages", () => {
  const result = run("thp-reservations-reviewed", "one-or-256", 32, { defrag: "madvise" });
  expect(failing(result)).toBeGreaterThan(expectedFailingChild("one-or-256", 32) + 20);
  expect(result.vmstat.thp_res_alloc_failed).toBeGreaterThan(result.vmstat.thp_res_alloc!);
});
