/** Checks the `expect` lines of a script against the snapshots that a run printed. */
import type { Expectation, Script } from "./ast.ts";

/** What one snapshot of a run says. Counters that are absent did not change: they are 0. */
export interface SnapshotFigures {
  readonly vmstat: Readonly<Record<string, number>>;
  readonly maps: Readonly<Record<string, RegionFigures>>;
}

export interface RegionFigures {
  readonly rss_kb: number;
  readonly anon_huge_kb: number;
  readonly anon_kb: number;
  readonly swap_kb: number;
  readonly node_pages: readonly number[];
}

export interface BrokenExpectation {
  readonly expectation: Expectation;
  /** What the run had; undefined when the region was not mapped or the snapshot was never reached. */
  readonly found: number | undefined;
  /** Whether the run reached the snapshot. */
  readonly reached: boolean;
}

const NODE_PAGES = /^node_pages\[(\d+)\]$/;

/** The value of a figure; undefined when its region is not mapped at the snapshot. */
export function figureOf(snapshot: SnapshotFigures, figure: string): number | undefined {
  const dot = figure.indexOf(".");
  if (dot === -1) return snapshot.vmstat[figure] ?? 0;
  const region = snapshot.maps[figure.slice(0, dot)];
  if (region === undefined) return undefined;
  const name = figure.slice(dot + 1);
  const node = NODE_PAGES.exec(name);
  if (node !== null) return region.node_pages[Number(node[1])] ?? 0;
  return region[name as Exclude<keyof RegionFigures, "node_pages">];
}

function holds({ comparison, value, tolerance }: Expectation, found: number): boolean {
  switch (comparison) {
    case "==":
      return Math.abs(found - value) <= tolerance;
    case "!=":
      return Math.abs(found - value) > tolerance;
    case "<":
      return found < value + tolerance;
    case "<=":
      return found <= value + tolerance;
    case ">":
      return found > value - tolerance;
    case ">=":
      return found >= value - tolerance;
  }
}

/** The expectations that do not hold, in order. `snapshotOf` finds what the run printed under a label. */
export function brokenExpectations(
  script: Script,
  snapshotOf: (label: string) => SnapshotFigures | undefined,
): BrokenExpectation[] {
  const broken: BrokenExpectation[] = [];
  for (const expectation of script.expectations) {
    const snapshot = snapshotOf(expectation.snapshot);
    const found = snapshot === undefined ? undefined : figureOf(snapshot, expectation.figure);
    if (found === undefined || !holds(expectation, found))
      broken.push({ expectation, found, reached: snapshot !== undefined });
  }
  return broken;
}

/** `FILE:LINE: expected thp_fault_alloc == 32, found 31 (snapshot touched)`. */
export function describeBroken(file: string, { expectation, found, reached }: BrokenExpectation): string {
  const { line, figure, comparison, value, tolerance, snapshot } = expectation;
  const within = tolerance === 0 ? "" : ` within ${tolerance}`;
  const why = reached ? "no such region at that moment" : "the run did not reach that snapshot";
  const what = found === undefined ? `nothing: ${why}` : String(found);
  return (
    `${file}:${line}: expected ${figure} ${comparison} ${value}${within}, found ${what} ` +
    `(snapshot ${snapshot})`
  );
}
