/**
 * From results to the rows of the comparison: absolute, and relative to one column. No drawing here.
 */
import { COUNTER_NAMES, isGauge } from "../core/counters.ts";
import type { Recording } from "../metrics/recording.ts";
import type { Result } from "../metrics/result.ts";
import { FIGURE_GROUPS, type Figure } from "./figures.ts";
import type { FigureKind } from "./format.ts";

/** One run of a comparison, with the name it goes by. */
export interface Column {
  readonly name: string;
  readonly result: Result;
  /** The run step by step, if it was recorded. */
  readonly recording?: Recording | undefined;
}

export type Verdict = "better" | "worse" | "same" | "neutral";

export interface Cell {
  /** In the base unit; undefined when the run cannot know it. */
  readonly value: number | undefined;
  /** (value − base) / base; undefined in the base column and when its value is 0 or unknown. */
  readonly relative: number | undefined;
  readonly verdict: Verdict;
  /** Among all columns, where they differ by enough to matter. */
  readonly mark: "best" | "worst" | undefined;
}

export interface Row {
  readonly key: string;
  readonly label: string;
  readonly doc: string;
  readonly kind: FigureKind;
  readonly cells: readonly Cell[];
}

export interface RowGroup {
  readonly title: string;
  readonly rows: readonly Row[];
}

/** Differences below half a percent are not called better or worse: costs are not known more exactly. */
const SAME_RATIO = 0.005;

type Judgement = Pick<Figure, "better" | "least">;

function verdictOf({ better, least }: Judgement, value: number, first: number): Verdict {
  if (better === "neither") return "neutral";
  const difference = value - first;
  if (Math.abs(difference) <= Math.max(Math.abs(first) * SAME_RATIO, least ?? 0)) return "same";
  return difference < 0 === (better === "lower") ? "better" : "worse";
}

function cellOf(
  judgement: Judgement,
  value: number | undefined,
  base: number | undefined,
  o: { isBase: boolean; mark: Cell["mark"] },
): Cell {
  const { mark } = o;
  if (value === undefined || base === undefined || o.isBase)
    return { value, relative: undefined, verdict: "neutral", mark };
  const relative = base === 0 ? undefined : (value - base) / base;
  return { value, relative, verdict: verdictOf(judgement, value, base), mark };
}

/** The best and the worst values of a row; none where all are the same, or neither way is better. */
function marksOf(judgement: Judgement, values: readonly (number | undefined)[]): Cell["mark"][] {
  const known = values.filter((value) => value !== undefined);
  const [low, high] = [Math.min(...known), Math.max(...known)];
  const none = values.map(() => undefined);
  if (known.length < 2 || judgement.better === "neither") return none;
  if (verdictOf(judgement, low, high) === "same") return none;
  const best = judgement.better === "lower" ? low : high;
  const worst = judgement.better === "lower" ? high : low;
  const like = (value: number, other: number): boolean => verdictOf(judgement, value, other) === "same";
  return values.map((value) => {
    if (value === undefined) return undefined;
    return like(value, best) ? "best" : like(value, worst) ? "worst" : undefined;
  });
}

function rowOf(figure: Figure, columns: readonly Column[], base: number): Row {
  const values = columns.map(({ result }) => figure.read(result));
  const marks = marksOf(figure, values);
  const cells = values.map((value, i) =>
    cellOf(figure, value, values[base], { isBase: i === base, mark: marks[i] }),
  );
  const { key, label, doc, kind } = figure;
  return { key, label, doc, kind, cells };
}

function saysNothing(figure: Figure, row: Row): boolean {
  if (row.cells.every((cell) => cell.value === undefined)) return true;
  return figure.rare === true && row.cells.every((cell) => cell.value === undefined || cell.value === 0);
}

/** Figures of the workload's own. */
function toldRows(columns: readonly Column[], base: number): Row[] {
  const names = new Set(columns.flatMap(({ result }) => Object.keys(result.told ?? {})));
  return [...names].map((name) => {
    const label = name.replaceAll("_", " ");
    const read = (result: Result): number | undefined => result.told?.[name];
    const figure = { key: `told_${name}`, label, doc: `${label}, as the workload counts.`, read };
    return rowOf({ ...figure, kind: "count", better: "neither" }, columns, base);
  });
}

/**
 * The comparison's rows in groups, in relation to the column `base`; groups and rows that say nothing are
 * left out.
 */
export function tableOf(columns: readonly Column[], base = 0): RowGroup[] {
  const groups: RowGroup[] = [];
  const own = toldRows(columns, base);
  if (own.length > 0) groups.push({ title: "what the workload tells", rows: own });
  for (const { title, figures } of FIGURE_GROUPS) {
    const rows: Row[] = [];
    for (const figure of figures) {
      const row = rowOf(figure, columns, base);
      if (!saysNothing(figure, row)) rows.push(row);
    }
    if (rows.length > 0) groups.push({ title, rows });
  }
  return groups;
}

/**
 * Every counter that changed in some column, under its kernel name, in kernel order; unknown names come last.
 */
export function counterRows(columns: readonly Column[], base = 0): Row[] {
  const seen = new Set<string>();
  for (const { result } of columns) for (const name of Object.keys(result.vmstat)) seen.add(name);
  const known: readonly string[] = COUNTER_NAMES;
  const names = [
    ...known.filter((name) => seen.has(name)),
    ...[...seen].filter((name) => !known.includes(name)).sort(),
  ];
  return names.map((name) => {
    const doc = isGauge(name) ? "Gauge of /proc/vmstat." : "Counter of /proc/vmstat.";
    const read = (result: Result): number => result.vmstat[name] ?? 0;
    return rowOf({ key: name, label: name, doc, kind: "count", better: "neither", read }, columns, base);
  });
}
