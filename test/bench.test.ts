/** The benchmarks on small inputs, so that they cannot rot. Their rates mean nothing here. */
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "vitest";

test("npm run bench -- --small measures every figure", () => {
  const program = join(import.meta.dirname, "../bench/main.ts");
  const text = execFileSync(process.execPath, ["--expose-gc", program, "--small"], { encoding: "utf8" });
  const labels = [
    "seq, thp=never",
    "rand, thp=always",
    "zipf, thp=never",
    "faults, 4 KiB",
    "faults, huge",
    "16 GiB machine",
    "a used page, thp=never",
    "an empty 16 GiB machine",
    "10 s of the machine take",
    "threads' time in a second",
  ];
  for (const label of labels) expect(text).toMatch(new RegExp(`${label} +\\d`));
});

test("npm run autonuma -- --small answers the review's questions", () => {
  const program = join(import.meta.dirname, "../bench/autonuma.ts");
  const text = execFileSync(process.execPath, [program, "--small"], { encoding: "utf8" });
  // Eight CPUs that fork at once wait for each other; listed by the scanner, nobody waits.
  expect(text).toMatch(/^0 us +8 +\d+ +[1-9][\d.]* %.* +0\.0 %$/m);
  // What the scanner called progress is more than what it marked: a list without anybody counts as well.
  expect(text).toMatch(/progress reported 40961, entries marked 8192, rounds without anything to scan 1/);
}, 300_000);
