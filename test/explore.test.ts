import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Scenario } from "../src/explore/scenario.ts";
import { SCENARIOS } from "../src/explore/scenarios/index.ts";
import { LIMITS } from "../src/explore/search.ts";
import { parseSchedule, printSchedule } from "../src/explore/story.ts";
import { verdictsOf } from "../src/explore/verdict.ts";
import { PATH_BELIEFS } from "../src/kernel/invariants-paths.ts";

const root = join(import.meta.dirname, "..");

describe("scenarios are as their files say, in every interleaving", () => {
  test.each(SCENARIOS.map((scenario) => [scenario.name, scenario] as const))("%s", (_name, scenario) => {
    for (const verdict of verdictsOf(scenario, undefined, LIMITS))
      expect([verdict.form, verdict.text, verdict.asExpected]).toEqual([verdict.form, verdict.text, true]);
  });
});

/** The review catalogue: groups A to E. */
const CATALOGUE = Object.entries({ A: 19, B: 25, C: 15, D: 12, E: 29 }).flatMap(([group, count]) =>
  Array.from({ length: count }, (_, i) => group + String(i + 1).padStart(2, "0")),
);

test("all 100 entries of the review catalogue stand in the table", () => {
  expect(CATALOGUE).toHaveLength(100);
  expect([...new Set(SCENARIOS.flatMap(({ entries }) => entries))].sort()).toEqual(CATALOGUE);
});

test("what is found in a posted form is absent in another form of the same scenario", () => {
  const races = SCENARIOS.filter((scenario) => scenario.kind === "race");
  const neverClean = races.filter(({ forms }) => forms.every(({ expect: wanted }) => wanted !== "holds"));
  expect(neverClean.map(({ name }) => name)).toEqual([]);
});

test("every entry has a form that shows the fault, or a sentence that says why none does", () => {
  const silent = SCENARIOS.filter((scenario) => {
    if (scenario.kind === "elsewhere" || scenario.entries.length === 0) return false;
    const told = new Set(scenario.forms.map(({ expect: wanted }) => JSON.stringify(wanted)));
    return told.size < 2 === (scenario.alike === undefined);
  });
  expect(silent.map(({ name }) => name)).toEqual([]);
});

test("names of scenarios are their own, and entries are the catalogue's", () => {
  const names = SCENARIOS.map(({ name }: Scenario) => name);
  expect(new Set(names).size).toBe(names.length);
  for (const { entries } of SCENARIOS) for (const entry of entries) expect(entry).toMatch(/^[A-E]\d\d$/);
});

test("docs/check.md names everything that a path may be found to do", () => {
  const docs = readFileSync(join(root, "docs/check.md"), "utf8");
  const missing = Object.values(PATH_BELIEFS).filter(({ broken }) => !docs.includes(broken));
  expect(missing.map(({ broken }) => broken)).toEqual([]);
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
