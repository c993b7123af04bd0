/**
 * Swap on a disk, as Debian's 6.1 and 6.12 did it in a virtual machine: every figure exact, without QEMU.
 * Each script waits behind what it sends to swap until the disk has it: before that, what becomes of a page
 * depends on how fast the disk is.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { ScriptLine } from "../src/engine/simulate.ts";
import { generationByName } from "../src/generations/index.ts";
import { compareRuns, LIVE } from "../src/validate/compare.ts";
import { renderRows } from "../src/validate/difference-table.ts";
import { runModel } from "../src/validate/model.ts";
import { parseScript } from "../src/workloads/script/parse.ts";

interface Recordings {
  readonly generation: string;
  readonly scripts: Readonly<Record<string, readonly ScriptLine[]>>;
}

const names = readdirSync(join(import.meta.dirname, "swap")).map((name) => name.replace(/\.pw$/, ""));

describe.each(["6.1", "6.12"])("swap of %s", (version) => {
  const file = join(import.meta.dirname, "recordings", `swap-${version}.json`);
  const { generation: name, scripts } = JSON.parse(readFileSync(file, "utf8")) as Recordings;
  const generation = generationByName(name)!;

  test("every script of the folder was recorded", () => {
    expect(Object.keys(scripts).sort()).toEqual([...names].sort());
  });

  test.each(names)("%s does what the kernel did", (script) => {
    const text = readFileSync(join(import.meta.dirname, "swap", `${script}.pw`), "utf8");
    const parsed = parseScript(text, script);
    const { lines } = runModel(parsed, { generation, hugeZeroAllocated: false, verify: false });
    const { rows } = compareRuns(parsed, lines, scripts[script]!, LIVE);
    const wrong = rows.filter(({ agrees }) => !agrees);
    expect(wrong.length === 0 ? "" : renderRows(wrong, "")).toBe("");
    const exact = rows.filter(({ figure }) => figure === "pswpout" || figure.endsWith(".swap_kb"));
    expect(exact.length).toBeGreaterThan(0);
    expect(exact.every(({ tolerance }) => tolerance === 0)).toBe(true);
  });
});
