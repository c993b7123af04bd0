/**
 * Strategy: scripts of many seeds and all kinds; each is printed, read again and simulated.
 * Invariants: the text reads back as the same text; the same seed gives the same text, another seed another
 * one; the
 *             model runs it to its end with all its beliefs checked; every statement of the outermost level
 *             that does something is followed by a snapshot; most calls and touches succeed.
 */
import { expect, test } from "vitest";
import { generationByName } from "../generations/index.ts";
import { parseScript } from "../workloads/script/parse.ts";
import { printScript } from "../workloads/script/print.ts";
import { type FuzzKind, generateScript } from "./generate.ts";
import { modelRun } from "./verdict.ts";

const COUNT = 12;
const seeds = Array.from({ length: COUNT }, (_, index) => 7000 + index);
const textOf = (kind: FuzzKind, seed: number): string => printScript(generateScript(kind, seed, "x"));

test("scripts about balancing read back and differ by seed", () => {
  const texts = seeds.map((seed) => textOf("numa", seed));
  expect(new Set(texts).size).toBe(COUNT);
  for (const text of texts) expect(printScript(parseScript(text, "numa"))).toBe(text);
  expect(texts.filter((text) => text.includes("during 4s")).length).toBe(COUNT);
});

test.each(["thp", "placement", "swap"] as const)(
  "scripts of kind %s read back, differ by seed and run in the model",
  (kind) => {
    const texts = seeds.map((seed) => textOf(kind, seed));
    expect(new Set(texts).size).toBe(COUNT);
    let snapshots = 0;
    let failed = 0;
    texts.forEach((text, index) => {
      const script = parseScript(text, `seed ${seeds[index]}`);
      expect(printScript(script)).toBe(text);
      expect(textOf(kind, seeds[index]!)).toBe(text);
      const run = modelRun(script, generationByName("linux-6.1")!);
      if (typeof run === "string") throw new Error(`seed ${seeds[index]}: ${run}`);
      const { lines } = run;
      snapshots += lines.filter((line) => "snapshot" in line).length;
      failed += lines.filter((line) => "errno" in line).length;
      const acts = script.body.filter(({ op }) => !["cpu", "map", "join", "snapshot"].includes(op)).length;
      expect(script.body.filter(({ op }) => op === "snapshot").length).toBe(acts);
    });
    expect(snapshots).toBeGreaterThan(COUNT * 4);
    expect(failed).toBeLessThan(snapshots / 3);
  },
);
