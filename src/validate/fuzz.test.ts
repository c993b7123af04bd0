import { expect, test } from "vitest";
import { generationByName } from "../generations/index.ts";
import { type FuzzResult, fuzz } from "./fuzz.ts";
import type { GuestResult, GuestScript } from "./guest.ts";
import type { GuestRun } from "./guest-output.ts";
import { runModel } from "./model.ts";

const LINUX = generationByName("linux-6.1")!;
/** A script whose kernel does not balance: quick, and its memory stays where it was. */
const SEED = 1;

/** A kernel that is the model, in batches that `spoil` may change. */
async function fuzzed(spoil: (run: GuestRun, label: string) => GuestRun): Promise<[FuzzResult, string[]]> {
  const labels: string[] = [];
  const run = async (scripts: readonly GuestScript[], label: string): Promise<GuestResult> => {
    labels.push(label);
    const runs = scripts.map(({ script }): GuestRun => {
      const { lines } = runModel(script, { generation: LINUX, hugeZeroAllocated: false, verify: false });
      return spoil({ outcome: "ran", lines }, label);
    });
    return { runs, kernel: undefined, boots: 1, folder: "", durationS: 0 };
  };
  const result = await fuzz({
    ...{ kind: "numa", seed: SEED, count: 1, generation: LINUX, run, batch: 1 },
    ...{ shrinkRoundsMax: 0, shrinkMax: 0, onBatch: () => {}, onDisagreement: () => {} },
  });
  return [result, labels];
}

/** As if all memory were on the other node. */
function elsewhere(run: GuestRun): GuestRun {
  if (run.outcome === "failed") return run;
  const lines = run.lines.map((line) => {
    if (!("snapshot" in line)) return line;
    const maps = Object.entries(line.maps).map(([region, figures]) => [
      region,
      { ...figures, node_pages: figures.node_pages.toReversed() },
    ]);
    return { ...line, maps: Object.fromEntries(maps) };
  });
  return { ...run, lines };
}

test("a kernel that was not through agrees when it is given more time, and is told apart", async () => {
  const [result, labels] = await fuzzed((run, label) => (label === "" ? elsewhere(run) : run));
  expect(labels).toEqual(["", "with more time: "]);
  expect(result).toEqual({ agreed: 0, late: [SEED], disagreements: [], unsteady: [], notRun: [] });
});

test("what disagrees with more time too is a disagreement", async () => {
  const [result] = await fuzzed(elsewhere);
  expect(result.late).toEqual([]);
  expect(result.disagreements.map(({ seed }) => seed)).toEqual([SEED]);
});

test("what agrees is run once", async () => {
  const [result, labels] = await fuzzed((run) => run);
  expect(labels).toEqual([""]);
  expect(result.agreed).toBe(1);
});
