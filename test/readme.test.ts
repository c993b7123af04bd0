/**
 * What README.md quotes is what the commands print: a figure that has changed fails here, with the line.
 *
 *     ```text … ``` of README.md ──▶ pieces between "…" ──▶ each stands in what the command before it prints
 */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { MAIN_JOB } from "../src/cli/main-job.ts";

const root = join(import.meta.dirname, "..");

/** Words alone: how lines are wrapped and padded is no claim. */
const words = (text: string): string => text.replace(/\s+/g, " ").trim();

/** Quotes by the words of their command, in the order of the file. */
const QUOTED: readonly (readonly [string, readonly string[]])[] = [
  ["npm start", MAIN_JOB],
  [
    "compare --workload numa02",
    ["compare", "--workload", "numa02", "--settings", "numa_balancing=0; numa_balancing=1"],
  ],
  ["check pin-then-migrate", ["check", "pin-then-migrate"]],
];

function quotes(): string[] {
  const text = readFileSync(join(root, "README.md"), "utf8");
  return [...text.matchAll(/^```text\n([\s\S]*?)^```$/gm)].map((match) => match[1]!);
}

describe("README.md quotes what is printed", () => {
  test.each(QUOTED.map(([name, args], at) => ({ name, args, at })))("$name", ({ args, at }) => {
    const run = spawnSync(process.execPath, [join(root, "src/cli/main.ts"), ...args], {
      cwd: root,
      encoding: "utf8",
      timeout: 300_000,
    });
    const printed = words(run.stdout);
    const pieces = quotes()
      [at]!.split("…")
      .map(words)
      .filter((piece) => piece !== "");
    expect(pieces.length).toBeGreaterThan(0);
    for (const piece of pieces) expect(printed).toContain(piece);
  });

  test("nothing is quoted without being compared", () => {
    expect(quotes().length).toBe(QUOTED.length);
  });
});
