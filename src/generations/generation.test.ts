import { expect, test } from "vitest";
import { generationDifferences } from "./generation.ts";
import { GENERATIONS, generationByName } from "./index.ts";

test("a kernel does not differ from itself", () => {
  for (const each of GENERATIONS) expect(generationDifferences(each, each)).toEqual([]);
});

test("3.9 differs from 3.8 in the form of the look at page_count alone", () => {
  const differences = generationDifferences(generationByName("linux-3.8")!, generationByName("linux-3.9")!);
  expect(differences).toEqual([{ key: "numaDesign.hugeCount", left: "F3", right: "F4" }]);
});

test("AutoNUMA differs from its base in its policy, its knobs, and a khugepaged that is sped up", () => {
  const differences = generationDifferences(
    generationByName("linux-3.7-nobalance")!,
    generationByName("autonuma")!,
  );
  const keys = differences.map(({ key }) => key);
  expect(
    keys.every((key) => /^(numaDesign|autonuma\/|noautonuma|transparent_hugepage\/khugepaged)/.test(key)),
  ).toBe(true);
  expect(differences).toContainEqual({
    key: "transparent_hugepage/khugepaged/scan_sleep_millisecs",
    left: "10000",
    right: "100",
  });
});

test("every kernel's summary fits a line, and its knobs have each a name of their own", () => {
  for (const { summary, knobs } of GENERATIONS) {
    expect(summary.length).toBeLessThan(110);
    expect(new Set(knobs.map(({ name }) => name)).size).toBe(knobs.length);
  }
});
