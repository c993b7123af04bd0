import assert from "node:assert/strict";
import { test } from "vitest";
import { hashOf, placeOf } from "./hash.ts";

const PLACE = {
  view: "map",
  base: 1,
  col: 2,
  t: 12_345,
  range: [100, 2_000],
  colour: "heat",
  region: 7,
  event: 99,
  step: 3,
} as const;

test("an address says the whole place, and is read back equal", () => {
  assert.equal(
    hashOf(PLACE),
    "#view=map&base=1&col=2&t=12345&range=100-2000&colour=heat&region=7&event=99&step=3",
  );
  assert.deepEqual(placeOf(hashOf(PLACE)), PLACE);
});

test("whatever an address gets wrong is as at the beginning", () => {
  const beginning = placeOf("");
  for (const wrong of ["#", "#view=nowhere", "#t=-5&range=9-3", "#region=x&event=1e9&base=", "#&&=&view"]) {
    assert.deepEqual(placeOf(wrong), beginning);
  }
});
