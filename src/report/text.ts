/**
 * The comparison for a terminal: header, answer, table, trust. Plain text; the painter adds colours, if any.
 */
import { answerOf } from "./answer.ts";
import {
  type FormatMode,
  formatBytes,
  formatCount,
  formatFigure,
  formatRelative,
  formatTime,
} from "./format.ts";
import { memoryLines } from "./sparkline.ts";
import { type Column, counterRows, type Row, type RowGroup, tableOf } from "./table.ts";
import { thresholdLines } from "./thresholds.ts";
import { type Measurement, trustNotes } from "./trust.ts";

/** Colours of the terminal, or none. */
export interface Painter {
  better(text: string): string;
  worse(text: string): string;
  dim(text: string): string;
  bold(text: string): string;
}

const same = (text: string): string => text;
export const PLAIN: Painter = { better: same, worse: same, dim: same, bold: same };

export interface TextOptions {
  readonly version: string;
  readonly mode: FormatMode;
  /** Also print every counter under its own name. */
  readonly counters: boolean;
  /** Columns of the terminal; tables that are wider continue below. */
  readonly widthChars: number;
  readonly painter: Painter;
  readonly measurements?: readonly Measurement[];
}

interface Drawn {
  readonly text: string;
  readonly relative: string;
  readonly paint: (text: string) => string;
}

const GAP = "  ";

function drawn(row: Row, index: number, { mode, painter }: TextOptions): Drawn {
  const cell = row.cells[index]!;
  const paint =
    cell.verdict === "better" ? painter.better : cell.verdict === "worse" ? painter.worse : painter.dim;
  return { text: formatFigure(row.kind, cell.value, mode), relative: formatRelative(cell.relative), paint };
}

const longest = (texts: readonly string[]): number =>
  texts.reduce((max, text) => Math.max(max, text.length), 0);

/** Lays the columns `shown` out beside the labels. */
function block(
  groups: readonly RowGroup[],
  names: readonly string[],
  shown: readonly number[],
  o: TextOptions,
): string[] {
  const rows = groups.flatMap((group) => group.rows);
  const labelWidth = longest(rows.map((row) => row.label)) + 2;
  const widths = shown.map((index) => {
    const cells = rows.map((row) => drawn(row, index, o));
    const text = longest(cells.map((cell) => cell.text));
    const relative = longest(cells.map((cell) => cell.relative));
    return {
      text,
      relative,
      all: Math.max(names[index]!.length, text + (relative === 0 ? 0 : relative + 1)),
    };
  });
  const head = shown.map((index, i) => names[index]!.padStart(widths[i]!.all)).join(GAP);
  const lines = [" ".repeat(labelWidth) + GAP + o.painter.bold(head)];
  for (const group of groups) {
    if (group.title !== "") lines.push(o.painter.dim(group.title));
    for (const row of group.rows) {
      const cells = shown.map((index, i) => {
        const cell = drawn(row, index, o);
        const width = widths[i]!;
        const relative = width.relative === 0 ? "" : " " + cell.relative.padStart(width.relative);
        const painted = cell.relative === "" ? relative : cell.paint(relative);
        return cell.text.padStart(width.all - relative.length) + painted;
      });
      lines.push(`  ${row.label}`.padEnd(labelWidth) + GAP + cells.join(GAP).trimEnd());
    }
  }
  return lines;
}

/** As many columns side by side as fit; the first is repeated in each block. */
function layOut(groups: readonly RowGroup[], names: readonly string[], o: TextOptions): string[] {
  const rows = groups.flatMap((group) => group.rows);
  const labelWidth = longest(rows.map((row) => row.label)) + 2;
  const widthOf = (index: number): number => {
    const cells = rows.map((row) => drawn(row, index, o));
    const relative = longest(cells.map((cell) => cell.relative));
    const figures = longest(cells.map((cell) => cell.text)) + (relative === 0 ? 0 : relative + 1);
    return GAP.length + Math.max(names[index]!.length, figures);
  };
  const lines: string[] = [];
  let shown = [0];
  let width = labelWidth + widthOf(0);
  for (let index = 1; index < names.length; index++) {
    if (shown.length > 1 && width + widthOf(index) > o.widthChars) {
      lines.push(...block(groups, names, shown, o), "");
      shown = [0];
      width = labelWidth + widthOf(0);
    }
    shown.push(index);
    width += widthOf(index);
  }
  return [...lines, ...block(groups, names, shown, o)];
}

/** Puts pieces on lines of at most that many characters; later lines are indented. */
export function filled(pieces: readonly string[], gap: string, widthChars: number, indent: string): string[] {
  const lines: string[] = [];
  let line = "";
  for (const piece of pieces) {
    if (line !== "" && line.length + gap.length + piece.length > widthChars) {
      lines.push(line);
      line = indent + piece;
    } else line += (line === "" ? "" : gap) + piece;
  }
  return [...lines, line];
}

/** Breaks a sentence into lines; a figure and its unit stay together, and so does leading space. */
export function wrapped(text: string, widthChars: number, indent: string): string[] {
  return filled(text.split(/(?<=\S) (?!(?:[KMGT]iB|B|ns|µs|ms|s)\b)/), " ", widthChars, indent);
}

const unique = (values: readonly string[]): string => [...new Set(values)].join(", ");

/** Between the parts of a header, which are not broken themselves. */
const BETWEEN = "  ·  ";

/** What was run, in one or two lines. */
export function headerOf(columns: readonly Column[], version: string): string[] {
  const results = columns.map(({ result }) => result);
  const first = results[0]!;
  const processes = first.processes.length;
  const size = `${formatCount(first.vmstat.pgfault ?? 0, "fault")}, ${formatTime(first.runNs)}`;
  const who = `${processes} ${processes === 1 ? "process" : "processes"}`;
  const touched = `${formatBytes(first.touchedPeakKb * 1024)} touched`;
  return [
    [`Pagewise ${version}`, first.workload, `${size}, ${who}, ${touched}`],
    [
      `machine ${unique(results.map((r) => r.machine))}`,
      `hardware ${unique(results.map((r) => r.hardware))}`,
      `kernel ${unique(results.map((r) => r.generation))}`,
      `seed ${first.seed}`,
    ],
  ].map((parts) => parts.join(BETWEEN));
}

/** What the workload assumes, each once. */
export function assumptionsOf(columns: readonly Column[]): string[] {
  const all = new Set(columns.flatMap(({ result }) => result.assumes ?? []));
  return [...all].map((sentence) => `assumed: ${sentence}`);
}

/** The whole text, lines joined. */
export function renderText(columns: readonly Column[], options: TextOptions): string {
  const names = columns.map((column) => column.name);
  const wrap = (text: string): string[] => wrapped(text, Math.max(60, options.widthChars), "  ");
  const parts = (line: string): string[] =>
    filled(line.split(BETWEEN), BETWEEN, Math.max(60, options.widthChars), "  ");
  const lines = [
    ...headerOf(columns, options.version).flatMap(parts),
    ...assumptionsOf(columns).flatMap(wrap),
  ];
  lines.push("");
  lines.push(...answerOf(columns).flatMap(wrap).map(options.painter.bold), "");
  lines.push(...layOut(tableOf(columns), names, options));
  if (options.counters) {
    const rows = counterRows(columns);
    const none = rows.length === 0;
    lines.push(
      "",
      ...(none ? ["no counter changed"] : layOut([{ title: "counters", rows }], names, options)),
    );
  }
  const study = thresholdLines(columns);
  if (study.length > 0) lines.push("", "against the threshold", ...study.map((line) => "  " + line));
  if (options.mode === "human") {
    const drawn = memoryLines(columns);
    if (drawn.length > 0) lines.push("", ...drawn);
  }
  const notes = trustNotes(columns, options.measurements);
  lines.push("", ...notes.flatMap((note, i) => wrap((i === 0 ? "How far to trust this: " : "  ") + note)));
  return lines.join("\n") + "\n";
}
