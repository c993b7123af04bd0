/** The comparison as CSV (RFC 4180): a line for each figure and counter, a column for each run. */
import { type Column, counterRows, type Row, tableOf } from "./table.ts";

/** Quoted when a reader would otherwise cut it. */
const field = (text: string): string => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

const UNITS: Readonly<Record<Row["kind"], string>> = {
  count: "count",
  bytes: "bytes",
  ns: "ns",
  share: "share",
  "per-thousand": "share",
};

/** Plain numbers in base units; a figure that a run cannot know is empty. */
export function renderCsv(columns: readonly Column[]): string {
  const lines = [["figure", "label", "unit", ...columns.map(({ name }) => name)]];
  const groups = [...tableOf(columns), { title: "counters", rows: counterRows(columns) }];
  for (const row of groups.flatMap((group) => group.rows)) {
    const values = row.cells.map(({ value }) => (value === undefined ? "" : String(value)));
    lines.push([row.key, row.label, UNITS[row.kind], ...values]);
  }
  return lines.map((line) => line.map(field).join(",") + "\r\n").join("");
}
