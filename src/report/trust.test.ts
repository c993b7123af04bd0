import { expect, test } from "vitest";
import { sampleResult } from "../../test/samples/results.ts";
import { GENERATIONS } from "../generations/index.ts";
import { trustNotes } from "./trust.ts";

/** A column for each kernel, on a machine of that scale. */
function notesOf(generations: readonly string[], scale?: number): string[] {
  const changes = scale === undefined ? {} : { scale };
  return trustNotes(
    generations.map((generation) => ({ name: generation, result: sampleResult({ generation, ...changes }) })),
  );
}

test("kernels with the same judge share a sentence; one with another has its own", () => {
  const judged = notesOf(["linux-3.7-nobalance", "numacore", "linux-6.1", "autonuma"]).filter((note) =>
    note.includes("judged"),
  );
  expect(judged).toHaveLength(2);
  expect(judged[0]).toMatch(/^The models of linux-3\.7-nobalance, numacore and autonuma are judged by /);
  expect(judged[1]).toMatch(/^The model of linux-6\.1 is judged by /);
});

test("a scaled machine says what its figures stand for", () => {
  const scaled = (scale?: number) => notesOf(["linux-3.8"], scale).filter((note) => /stands for/.test(note));
  expect(scaled()).toEqual([]);
  expect(scaled(256)).toEqual([expect.stringMatching(/^Each page of the model stands for 256 /)]);
});

test("who judges reads on from one kernel and from several that share a judge", () => {
  const [both] = notesOf(["linux-5.12", "linux-5.14"]).filter((note) => note.includes("judged"));
  expect(both).toMatch(/^The models of linux-5\.12 and linux-5\.14 are judged by no recording of such/);
  for (const { judgedBy } of GENERATIONS) {
    expect(judgedBy).toMatch(/^(no|every|six|published) |^recordings of |^rule by rule against /);
    expect(judgedBy).not.toMatch(/\bits own\b/);
  }
});
