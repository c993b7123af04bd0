/** Model against kernel, figure by figure: the table of `compare --truth`. */
import { formatFigure, formatRelative } from "./format.ts";
import type { Column } from "./table.ts";
import { comparisons, type Measurement } from "./trust.ts";

/** Text of the table, one group of rows for each measured column that was simulated. */
export function againstTruth(columns: readonly Column[], measurements: readonly Measurement[]): string {
  const rows: string[][] = [["", "", "model", "kernel", "difference"]];
  for (const measurement of measurements) {
    const column = columns.find((each) => each.name === measurement.column);
    if (column === undefined) continue;
    let name = column.name;
    for (const { what, kind, model, real } of comparisons(column, measurement)) {
      if (real === undefined) continue;
      const relative = real === 0 ? undefined : (model - real) / real;
      const sign = model > real ? "+" : model < real ? "−" : "±";
      const absolute = sign + formatFigure(kind, Math.abs(model - real));
      const difference =
        relative === undefined || relative === 0 ? absolute : `${absolute} (${formatRelative(relative)})`;
      rows.push([name, what, formatFigure(kind, model), formatFigure(kind, real), difference]);
      name = "";
    }
  }
  const widths = rows[0]!.map((_, i) => Math.max(...rows.map((row) => [...row[i]!].length)));
  const line = (row: readonly string[]): string =>
    row.map((cell, i) => (i < 2 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join("  ");
  const source = measurements[0]?.source ?? "";
  return `\nAgainst ${source}:\n` + rows.map((row) => `  ${line(row)}`.trimEnd() + "\n").join("");
}
