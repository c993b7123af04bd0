import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "vitest";
import { MUTATIONS } from "./explore/mutations.ts";

const root = join(import.meta.dirname, "..");

test("every planted fault is found, and none where none is planted", { timeout: 300_000 }, () => {
  const run = spawnSync(process.execPath, [join(root, "test/explore/mutate.ts")], {
    encoding: "utf8",
    cwd: root,
  });
  expect(run.stderr).toBe("");
  const told = run.stdout.trim().split("\n");
  expect(told).toHaveLength(MUTATIONS.length);
  expect(MUTATIONS.length).toBeGreaterThanOrEqual(20);
  for (const line of told) {
    const { name, planted, fixed, applied } = JSON.parse(line) as Record<string, string>;
    expect([name, applied, fixed]).toEqual([name, true, "holds in every schedule"]);
    expect(`${name}: ${planted}`).toMatch(/: found: /);
  }
});
