/**
 * Scripts that say what they expect: what the kernel's own selftests ask of anonymous memory. Those of
 * `scripts` hold of every kernel, those of a folder in it of the kernel that the folder is called after. A
 * call that is meant to fail says so behind it: `# fails with 22`, or `# fails with 22 before 6.18`.
 */
import { readdirSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { GENERATIONS, generationByName } from "../src/generations/index.ts";
import { runModel } from "../src/validate/model.ts";
import {
  brokenExpectations,
  describeBroken,
  type SnapshotFigures,
} from "../src/workloads/script/expectations.ts";
import { parseScript } from "../src/workloads/script/parse.ts";

const folder = join(import.meta.dirname, "scripts");
const names = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) =>
  name.endsWith(".pw"),
);
/** Beliefs are checked behind every statement, under one kernel: too dear for a script of thousands. */
const VERIFIED_MAX = 500;

/** The selftests are of these kernels; older ones lack some of what they ask for. */
const MODERN = GENERATIONS.filter(({ name }) => name.startsWith("linux-6."));

/** Lines whose call is to fail under a kernel, each with its errno. */
function failuresOf(text: string, version: string): { line: number; errno: number }[] {
  return text.split("\n").flatMap((line, index) => {
    const match = /# fails with (\d+)(?: before (\d+\.\d+))?$/.exec(line);
    const applies =
      match?.[2] === undefined ||
      Number.parseInt(version.split(".")[1]!, 10) < Number(match[2].split(".")[1]);
    return match !== null && applies ? [{ line: index + 1, errno: Number(match[1]) }] : [];
  });
}

describe.each(names)("%s", (name) => {
  const own = generationByName(basename(dirname(name)));
  test.each(own === undefined ? MODERN : [own])("comes out as it says under $name", (generation) => {
    const text = readFileSync(join(folder, name), "utf8");
    const script = parseScript(text, name);
    expect(script.expectations.length).toBeGreaterThan(0);
    const verify = script.body.length < VERIFIED_MAX && generation === (own ?? MODERN[0]);
    const { lines } = runModel(script, { generation, hugeZeroAllocated: false, verify });
    const failed = lines.flatMap((line) => ("errno" in line ? [{ line: line.line, errno: line.errno }] : []));
    expect(failed).toEqual(failuresOf(text, generation.name.replace("linux-", "")));
    const find = (label: string) =>
      lines.find((line) => "snapshot" in line && line.snapshot === label) as SnapshotFigures | undefined;
    const broken = brokenExpectations(script, find);
    expect(broken.map((each) => describeBroken(name, each))).toEqual([]);
  });
});
