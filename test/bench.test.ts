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
  ];
  for (const label of labels) expect(text).toMatch(new RegExp(`${label} +\\d`));
});
