/** A comparison as text: one line a script, and below it the rows that differ. */
import type { Row, Tolerance } from "./compare.ts";
import type { Verdict } from "./verdict.ts";

const HEADS = ["snapshot", "figure", "model", "kernel", "tolerance", "verdict"] as const;

function describeTolerance(tolerance: Tolerance): string {
  if (typeof tolerance !== "number") return `-${tolerance[0]} +${tolerance[1]}`;
  return tolerance === 0 ? "exact" : `± ${tolerance}`;
}

function cells(row: Row): string[] {
  const tolerance = describeTolerance(row.tolerance);
  return [row.snapshot, row.figure, row.model, row.kernel, tolerance, row.agrees ? "agrees" : "DIFFERS"];
}

/** A script that goes wrong early goes wrong in many figures: the first ones tell why. */
const ROWS_SHOWN_MAX = 20;

/** The rows in columns, each with the reason for its tolerance behind it. */
export function renderRows(rows: readonly Row[], indent: string): string {
  const lines = [[...HEADS], ...rows.map(cells)];
  const widths = HEADS.map((_, column) => Math.max(...lines.map((line) => line[column]!.length)));
  const reasons = ["why this tolerance", ...rows.map(({ why }) => why)];
  return lines
    .map((line, index) => {
      const padded = line.map((cell, column) => cell.padEnd(widths[column]!));
      return `${indent}${padded.join("  ")}  ${reasons[index]}\n`;
    })
    .join("");
}

function counted(count: number, one: string, many: string): string {
  return `${count} ${count === 1 ? one : many}`;
}

/** What one script came to. `all` shows the rows that agree too. */
export function renderVerdict(name: string, verdict: Verdict, all: boolean): string {
  if (verdict.kind === "not-run") return `NOT RUN  ${name}: ${verdict.why}\n`;
  if (verdict.kind === "model-failed") return `DIFFERS  ${name}: ${verdict.why}\n`;
  const { rows } = verdict.comparison;
  const figures = counted(rows.length, "figure", "figures");
  const differing = rows.filter(({ agrees }) => !agrees);
  const shown = all ? rows : differing.slice(0, ROWS_SHOWN_MAX);
  const left = all ? 0 : differing.length - shown.length;
  const head =
    verdict.kind === "agrees"
      ? `agrees   ${name}: ${figures}`
      : `DIFFERS  ${name}: ${differing.length} of ${figures}`;
  return (
    head +
    "\n" +
    (shown.length === 0 ? "" : renderRows(shown, "    ")) +
    (left > 0 ? `    … and ${left} more\n` : "")
  );
}

/** The last line: how many of each. */
export function renderTally(verdicts: readonly Verdict[]): string {
  const count = (...kinds: readonly Verdict["kind"][]): number =>
    verdicts.filter(({ kind }) => kinds.includes(kind)).length;
  const [agree, differ, not] = [count("agrees"), count("differs", "model-failed"), count("not-run")];
  const all = counted(verdicts.length, "script agrees", "scripts agree");
  return `${agree} of ${all}, ${differ} differ, ${not} not run\n`;
}
