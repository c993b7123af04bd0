import assert from "node:assert/strict";
import { test } from "vitest";
import type { KnobSpec } from "../core/knobs.ts";
import { describeUserError, UserError } from "../lib/assert.ts";
import { parseSetting, parseSettingsList, resolveKnob } from "./settings.ts";

const choice = (name: string, ...choices: string[]): KnobSpec => ({
  name,
  type: "choice",
  choices,
  default: choices[0]!,
  doc: "",
  source: "",
});
const number = (name: string, min: number, max: number): KnobSpec => {
  return { name, type: "number", unit: "pages", default: min, min, max, doc: "", source: "" };
};
const KNOBS = [
  choice("transparent_hugepage/enabled", "always", "madvise", "never"),
  choice("transparent_hugepage/defrag", "always", "defer", "never"),
  choice("transparent_hugepage/khugepaged/defrag", "0", "1"),
  number("transparent_hugepage/khugepaged/max_ptes_none", 0, 511),
  number("vm.swappiness", 0, 200),
];

function mistake(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    assert.ok(error instanceof UserError);
    return describeUserError(error);
  }
  return "no mistake";
}

test("a knob is known by its full name, a short name, or its last components", () => {
  const table = [
    ["thp", "transparent_hugepage/enabled"],
    ["defrag", "transparent_hugepage/defrag"],
    ["khugepaged/defrag", "transparent_hugepage/khugepaged/defrag"],
    ["max_ptes_none", "transparent_hugepage/khugepaged/max_ptes_none"],
    ["swappiness", "vm.swappiness"],
    ["vm.swappiness", "vm.swappiness"],
  ];
  for (const [name, full] of table) assert.equal(resolveKnob(name!, KNOBS), full);
});

test("columns keep the names they were given, without spaces", () => {
  assert.deepEqual(parseSettingsList("thp=never; thp = always , max_ptes_none=0;", KNOBS), [
    { name: "thp=never", settings: [["transparent_hugepage/enabled", "never"]] },
    {
      name: "thp=always,max_ptes_none=0",
      settings: [
        ["transparent_hugepage/enabled", "always"],
        ["transparent_hugepage/khugepaged/max_ptes_none", "0"],
      ],
    },
    { name: "defaults", settings: [] },
  ]);
});

test("a misspelt knob or value is answered with what was probably meant", () => {
  const set = (text: string) => mistake(() => parseSetting(text, KNOBS));
  assert.equal(
    set("max_pte_none=0"),
    "--set: this kernel has no knob 'max_pte_none'; did you mean 'max_ptes_none'? ('pagewise " +
      "knobs' lists them)",
  );
  assert.equal(
    set("thp=alway"),
    "--set: expected always | madvise | never for transparent_hugepage/enabled, found 'alway'; " +
      "did you mean 'always'?",
  );
  assert.equal(
    set("max_ptes_none=512"),
    "--set: expected 0..511 (pages) for transparent_hugepage/khugepaged/max_ptes_none, found '512'",
  );
  assert.equal(set("thp"), "--set: expected KNOB=VALUE, found 'thp'");
  assert.match(
    mistake(() => parseSettingsList("thp=never;thp=never", KNOBS)),
    /each column once/,
  );
});
