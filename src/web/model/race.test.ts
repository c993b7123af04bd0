import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { groupedMachine, machineAfter, printSchedule, readRace } from "./race.ts";

const SAMPLE = join(import.meta.dirname, "..", "..", "..", "test", "web", "race.sample.json");
const text = readFileSync(SAMPLE, "utf8");
const race = readRace(text, "race.json")!;

test("the machine after a step is what the steps up to it told", () => {
  const now = (at: number, place: string) => machineAfter(race, at).get(place);
  assert.equal(now(2, "PMD 0 flags"), "HINT");
  assert.equal(now(12, "PMD 0 flags"), "none");
  assert.equal(now(7, "lock mmap_lock of mm 0 (read)"), "held by fault");
  assert.equal(now(14, "lock mmap_lock of mm 0 (read)"), "free");
  assert.equal(now(8, "frame 0 references"), "2");
  assert.equal(now(13, "PMD 0 points at"), "32");
  assert.equal(now(13, "frame 33 holds"), "5");
  assert.equal(now(17, "frame 33 holds"), "7");
  assert.equal(now(3, "TLB of CPU 1, page 1"), "forgotten");
  assert.equal(now(17, "TLB of CPU 1, page 1"), "frame 33");
});

test("the machine in groups: who holds which lock, each frame a row, what the step changed", () => {
  const { locks, frames, tlbs } = groupedMachine(race, 7);
  assert.deepEqual(
    locks.map(({ name, value }) => `${name}: ${value}`),
    ["mmap_lock of mm 0 (read): fault"],
  );
  assert.ok(tlbs.some(({ name, value }) => name === "CPU 0, page 0" && value === "forgotten"));
  assert.deepEqual(groupedMachine(race, 8).frames, [
    { frame: 0, facts: new Map([["references", { name: "frame 0 references", value: "2", changed: true }]]) },
  ]);
  assert.deepEqual(frames, []);
});

test("a schedule is printed as the command line takes it", () => {
  assert.equal(printSchedule([0, 0, 0, 1, 2, 2]), "0*3.1.2*2");
});

test("other JSON is no race; a check that found none, or a story cut, is refused in a sentence", () => {
  assert.equal(readRace('{"format":"pagewise-results"}', "x"), undefined);
  assert.equal(readRace(text.slice(0, 300), "x"), undefined);
  expect(() => readRace('{"verdicts":[]}', "x.json")).toThrow(/tells no race/);
  expect(() => readRace('{"story":{"actors":[],"steps":[]}}', "x.json")).toThrow(/no actors or no steps/);
  const stranger = text.replace('"actor":"writer"', '"actor":"nobody"');
  expect(() => readRace(stranger, "x.json")).toThrow(/step 18 is of nobody/);
});
