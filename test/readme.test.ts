/**
 * What documents quote is what the commands print: a figure that has changed fails here, with the line.
 *
 *     ```text … ``` of the document ──▶ pieces between "…" ──▶ each stands in what its command prints
 */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { MAIN_JOB } from "../src/cli/main-job.ts";

const root = join(import.meta.dirname, "..");

/** Words alone: how lines are wrapped and padded is no claim. */
const words = (text: string): string => text.replace(/\s+/g, " ").trim();

const THRESHOLDS = ["--generation", "linux-6.1+reservations", "--thresholds", "16,64,256"];

/** The commands that a document quotes, in the order of the file. */
const QUOTED: Readonly<Record<string, readonly (readonly string[])[]>> = {
  "README.md": [
    MAIN_JOB,
    ["compare", "--workload", "numa02", "--settings", "numa_balancing=0; numa_balancing=1"],
    ["check", "pin-then-migrate"],
  ],
  "docs/reservations.md": [["compare", "examples/redis.pwt", ...THRESHOLDS]],
};

function quotes(document: string): string[] {
  const text = readFileSync(join(root, document), "utf8");
  return [...text.matchAll(/^```text\n([\s\S]*?)^```$/gm)].map((match) => match[1]!);
}

describe.each(Object.keys(QUOTED))("%s quotes what is printed", (document) => {
  const commands = QUOTED[document]!;
  test.each(commands.map((args, at) => ({ name: args.join(" "), args, at })))("$name", ({ args, at }) => {
    const run = spawnSync(process.execPath, [join(root, "src/cli/main.ts"), ...args], {
      cwd: root,
      encoding: "utf8",
      timeout: 300_000,
    });
    const printed = words(run.stdout);
    const pieces = quotes(document)
      [at]!.split("…")
      .map(words)
      .filter((piece) => piece !== "");
    expect(pieces.length).toBeGreaterThan(0);
    for (const piece of pieces) expect(printed).toContain(piece);
  });

  test("nothing is quoted without being compared", () => {
    expect(quotes(document).length).toBe(commands.length);
  });
});
