import assert from "node:assert/strict";
import { test } from "vitest";
import { closest, didYouMean, editDistance } from "./suggest.ts";

test("a distance counts letters put in, left out, replaced, and neighbours swapped", () => {
  const table: [string, string, number][] = [
    ["", "abc", 3],
    ["write", "write", 0],
    ["wirte", "write", 1],
    ["wrte", "write", 1],
    ["read", "write", 4],
  ];
  for (const [a, b, distance] of table) {
    assert.equal(editDistance(a, b), distance);
    assert.equal(editDistance(b, a), distance);
  }
});

test("the nearest word is meant if it is near enough, the earlier of two equals", () => {
  assert.equal(closest("alway", ["never", "always"]), "always");
  assert.equal(closest("zzz", ["never", "always"]), undefined);
  assert.equal(closest("b", ["a", "c"]), "a");
});

test("a beginning, or the last part of a path, means the one candidate that has it", () => {
  assert.equal(closest("collapse", ["transparent_hugepage/khugepaged", "vm.collapse"]), "vm.collapse");
  assert.equal(
    closest("trans", ["transparent_hugepage/enabled", "vm.swappiness"]),
    "transparent_hugepage/enabled",
  );
  assert.equal(closest("trans", ["transparent_a", "transparent_b"]), undefined);
});

test("advice is silent when nothing is near", () => {
  assert.equal(didYouMean("wirte", ["write"]), "; did you mean 'write'?");
  assert.equal(didYouMean("q", ["write"]), "");
});
