/**
 * Scripts that say what they expect, under every generation: what the kernel's own selftests ask of anonymous
 * memory.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Generation } from "../src/generations/generation.ts";
import { GENERATIONS } from "../src/generations/index.ts";
import { runModel } from "../src/validate/model.ts";
import {
  brokenExpectations,
  describeBroken,
  type SnapshotFigures,
} from "../src/workloads/script/expectations.ts";
import { parseScript } from "../src/workloads/script/parse.ts";

const folder = join(import.meta.dirname, "scripts");

/** The selftests are of 6.1: other kernels lack some of what they ask for, or give no huge page by fault. */
function hasWhatItTakes({ behaviours }: Generation, text: string): boolean {
  if (behaviours.reservations === "posted") return false;
  if (text.includes("thp_scan_exceed") && !behaviours.scanExceedCounters) return false;
  return !/^\s*advise .* collapse$/m.test(text) || behaviours.madviseCollapse;
}

describe.each(readdirSync(folder).filter((name) => name.endsWith(".pw")))("%s", (name) => {
  const text = readFileSync(join(folder, name), "utf8");
  const able = GENERATIONS.filter((generation) => hasWhatItTakes(generation, text));

  test.each(able)("comes out as it says under $name", (generation) => {
    const script = parseScript(text, name);
    expect(script.expectations.length).toBeGreaterThan(0);
    const { lines } = runModel(script, { generation, hugeZeroAllocated: false, verify: true });
    expect(lines.filter((line) => "errno" in line)).toEqual([]);
    const broken = brokenExpectations(
      script,
      (label) =>
        lines.find((line) => "snapshot" in line && line.snapshot === label) as SnapshotFigures | undefined,
    );
    expect(broken.map((each) => describeBroken(name, each))).toEqual([]);
  });
});
