/**
 * The model against what real kernels printed, without QEMU: random scripts and single ones, recorded on
 * Debian's 6.1 and 6.12 in virtual machines. `npm run validate` asks the kernels themselves.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { ScriptLine } from "../src/engine/simulate.ts";
import type { Generation } from "../src/generations/generation.ts";
import { generationByName } from "../src/generations/index.ts";
import { compareRuns, LIVE } from "../src/validate/compare.ts";
import { renderRows } from "../src/validate/difference-table.ts";
import { runModel } from "../src/validate/model.ts";
import type { Script } from "../src/workloads/script/ast.ts";
import { parseScript } from "../src/workloads/script/parse.ts";

type Figures = Readonly<Record<string, number>>;
/** A snapshot: label, counters that are exact, pgfault, and rss, huge and anonymous kB of each region. */
type Snapshot = readonly [
  string,
  Figures,
  number,
  Readonly<Record<string, readonly [number, number, number]>>,
];
type Failed = readonly ["errno", op: string, errno: number];

interface Recordings<T> {
  readonly kernel: string;
  readonly generation: string;
  readonly scripts: Readonly<Record<string, T>>;
}

interface SingleRecording {
  readonly script: string;
  readonly errors: readonly Extract<ScriptLine, { readonly errno: number }>[];
  readonly snapshots: Readonly<Record<string, object>>;
}

function read<T>(name: string): Recordings<T> {
  return JSON.parse(readFileSync(join(import.meta.dirname, "recordings", name), "utf8"));
}

function demandGeneration(name: string): Generation {
  const generation = generationByName(name);
  if (generation === undefined) throw new Error(`the recordings name a generation that exists: ${name}`);
  return generation;
}

/** What the recorded program would have printed. */
function linesOf(recorded: readonly (Snapshot | Failed)[]): ScriptLine[] {
  return recorded.map((entry) => {
    if (entry[0] === "errno") return { errno: (entry as Failed)[2], op: (entry as Failed)[1], line: 0 };
    const [snapshot, exact, pgfault, regions] = entry as Snapshot;
    const maps = Object.entries(regions).map(([name, [rss_kb, anon_huge_kb, anon_kb]]) => [
      name,
      { rss_kb, anon_huge_kb, anon_kb },
    ]);
    return { snapshot, vmstat: { ...exact, pgfault }, maps: Object.fromEntries(maps) } as ScriptLine;
  });
}

/**
 * A fork of the recorded program cost it 27 faults of its own, give or take one: with more than two forks in
 * a script the differences can add up to more than three.
 */
function closenessOf(script: Script): typeof LIVE {
  const forks = script.body.filter(({ op }) => op === "fork").length;
  return { ...LIVE, pgfault: 3 + Math.max(0, forks - 2), samePasses: true };
}

/** The script and the rows that differ; empty when all agree. */
function differences(
  text: string,
  script: Script,
  model: readonly ScriptLine[],
  kernel: readonly ScriptLine[],
): string {
  const { rows } = compareRuns(script, model, kernel, closenessOf(script));
  const wrong = rows.filter(({ agrees }) => !agrees);
  expect(rows.length).toBeGreaterThan(0);
  return wrong.length === 0 ? "" : `${script.file}\n${text}\n${renderRows(wrong, "")}`;
}

const texts = read<string>("random-scripts.json").scripts;

/**
 * Differences of all recorded scripts, by the value of `enabled`. They ran in one boot, so the huge zero page
 * stays.
 */
function compareAll(
  scripts: Recordings<readonly (Snapshot | Failed)[]>["scripts"],
  generation: Generation,
): Map<string, string> {
  const byMode = new Map<string, string>();
  let hugeZeroAllocated = false;
  for (const [file, recorded] of Object.entries(scripts)) {
    const script = parseScript(texts[file]!, file);
    const run = runModel(script, { generation, hugeZeroAllocated, verify: false });
    hugeZeroAllocated = run.hugeZeroAllocated;
    const mode = script.settings.find(({ knob }) => knob.endsWith("/enabled"))!.value;
    const found = differences(texts[file]!, script, run.lines, linesOf(recorded));
    byMode.set(mode, (byMode.get(mode) ?? "") + found);
  }
  return byMode;
}

/** Reservations with a threshold of 1 are to be neutral: the kernel that carries them does what 6.1 did. */
const NEUTRAL = "linux-6.1+reservations";

describe.each([
  ["random-6.1.json", "linux-6.1"],
  ["random-6.12.json", "linux-6.12"],
  ["random-6.1.json", NEUTRAL],
])("%s, by %s", (name, by) => {
  const recordings = read<readonly (Snapshot | Failed)[]>(name);
  const found = compareAll(recordings.scripts, demandGeneration(by));

  test.each(["always", "madvise", "never"])(
    "random scripts with huge pages %s do as the kernel did",
    (mode) => {
      expect(found.get(mode)).toBe("");
    },
  );

  test("there are recordings of more than a hundred scripts", () => {
    expect(Object.keys(recordings.scripts).length).toBeGreaterThan(100);
  });
});

describe.each(["linux-6.1", NEUTRAL])("single-6.1.json, by %s", (generation) => {
  const { scripts } = read<SingleRecording>("single-6.1.json");

  test.each(Object.keys(scripts))("%s does as the kernel did", (file) => {
    const { script: text, errors, snapshots } = scripts[file]!;
    const script = parseScript(text, file);
    const options = { generation: demandGeneration(generation), hugeZeroAllocated: false, verify: true };
    const kernel: ScriptLine[] = [];
    // The recordings list failed calls apart from snapshots; each of these scripts has one behind its last
    // call.
    for (const line of errors) kernel.push(line);
    for (const [snapshot, figures] of Object.entries(snapshots))
      kernel.push({ snapshot, ...figures } as ScriptLine);
    expect(differences(text, script, runModel(script, options).lines, kernel)).toBe("");
  });
});
