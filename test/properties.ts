/**
 * `npm run properties [-- --seed N --count N]`: every property test on cases that `npm test` does not draw,
 * one seed after another; 10 unless told. Stops at the first seed that fails: fast-check prints its
 * counterexample.
 */
import { spawnSync } from "node:child_process";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";

const { values } = parseArgs({
  options: { seed: { type: "string", default: "2" }, count: { type: "string", default: "10" } },
});
const first = Number(values.seed);
const count = Number(values.count);
if (!Number.isInteger(first) || !Number.isInteger(count) || count < 1) {
  console.error("properties: --seed and --count are whole numbers, --count at least 1");
  process.exit(2);
}

const root = join(import.meta.dirname, "..");
const files = globSync("src/**/*.{fuzz,test}.ts", { cwd: root }).filter((file) =>
  readFileSync(join(root, file), "utf8").includes("fc.assert("),
);
for (let seed = first; seed < first + count; seed++) {
  const { status } = spawnSync(join(root, "node_modules/.bin/vitest"), ["run", "--reporter=dot", ...files], {
    cwd: root,
    stdio: "inherit",
    env: { ...process.env, PROPERTY_SEED: String(seed) },
  });
  if (status !== 0) {
    console.error(`seed ${seed} failed; again: npm run properties -- --seed ${seed} --count 1`);
    process.exit(1);
  }
}
console.log(`${count} seeds from ${first}: every property of ${files.length} files holds`);
