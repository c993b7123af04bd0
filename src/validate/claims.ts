/**
 * The `expect` lines of a script: each must hold of the model and of the kernel, whatever the two agree on.
 */
import type { ScriptLine } from "../engine/simulate.ts";
import type { Script } from "../workloads/script/ast.ts";
import { brokenExpectations, figureOf, type SnapshotFigures } from "../workloads/script/expectations.ts";
import type { Closeness, Row } from "./compare.ts";

type Find = (label: string) => SnapshotFigures | undefined;

/** Finds what a run printed under a label. */
function finder(lines: readonly ScriptLine[]): Find {
  return (label) =>
    lines.find((line) => "snapshot" in line && line.snapshot === label) as SnapshotFigures | undefined;
}

/** A row for each `expect` line, with what either side has there. */
export function claimRows(
  script: Script,
  model: readonly ScriptLine[],
  kernel: readonly ScriptLine[],
  { alone }: Closeness,
): Row[] {
  const sides = [model, kernel].map((lines) => {
    const find = finder(lines);
    const broken = new Set(brokenExpectations(script, find).map(({ expectation }) => expectation));
    return { find, broken };
  });
  // A figure with a dot is a region's, which is the script's own on every machine.
  const comparable = script.expectations.filter(({ figure }) => alone || figure.includes("."));
  return comparable.map((expectation) => {
    const { snapshot, figure, comparison, value, tolerance, line } = expectation;
    const [mine, theirs] = sides.map(({ find }) => {
      const there = find(snapshot);
      const found = there === undefined ? undefined : figureOf(there, figure);
      return found === undefined ? "nothing" : String(found);
    });
    return {
      snapshot,
      figure: `${figure} ${comparison} ${value}`,
      model: mine!,
      kernel: theirs!,
      agrees: sides.every(({ broken }) => !broken.has(expectation)),
      tolerance,
      why: `what line ${line} of the script expects of both`,
    };
  });
}
