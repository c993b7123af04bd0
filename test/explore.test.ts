import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Scenario } from "../src/explore/scenario.ts";
import { SCENARIOS } from "../src/explore/scenarios/index.ts";
import { LIMITS } from "../src/explore/search.ts";
import { parseSchedule, printSchedule } from "../src/explore/story.ts";
import { verdictsOf } from "../src/explore/verdict.ts";

const root = join(import.meta.dirname, "..");

describe("scenarios are as their files say, in every interleaving", () => {
  test.each(SCENARIOS.map((scenario) => [scenario.name, scenario] as const))("%s", (_name, scenario) => {
    for (const verdict of verdictsOf(scenario, undefined, LIMITS))
      expect([verdict.form, verdict.text, verdict.asExpected]).toEqual([verdict.form, verdict.text, true]);
  });
});

test("names of scenarios are their own, and entries are the catalogue's", () => {
  const names = SCENARIOS.map(({ name }: Scenario) => name);
  expect(new Set(names).size).toBe(names.length);
  for (const { entries } of SCENARIOS) for (const entry of entries) expect(entry).toMatch(/^[A-E]\d\d$/);
});

test("docs/check.md shows a scenario that exists", () => {
  const shown = /```ts\n([\s\S]*?)```/.exec(readFileSync(join(root, "docs/check.md"), "utf8"))![1]!;
  const file = readFileSync(join(root, "src/explore/scenarios/zap-during-migration.ts"), "utf8");
  expect(file).toBe(shown);
});

test("schedules are printed shortly and read back", () => {
  expect(printSchedule([0, 0, 0, 1, 0])).toBe("0*3.1.0");
  expect(parseSchedule("0*3.1.0")).toEqual([0, 0, 0, 1, 0]);
  expect(() => parseSchedule("0.a")).toThrow("part 2 of the schedule is 'a'");
});
