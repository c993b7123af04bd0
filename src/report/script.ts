/** What the run of a script printed, for people: snapshots, failed calls, time, expectations. */
import type { BrokenExpectation, SnapshotFigures } from "../workloads/script/expectations.ts";
import { nameOfErrno } from "./errnos.ts";
import { type FormatMode, formatFigure } from "./format.ts";
import { filled, type Painter } from "./text.ts";

/** A line of `run --json`. */
export type ScriptLine =
  | ({ readonly snapshot: string } & SnapshotFigures)
  | { readonly errno: number; readonly op: string; readonly line: number }
  | { readonly elapsed_s: number };

function counterLines(counters: readonly string[], widthChars: number): string[] {
  if (counters.length === 0) return ["  no counter changed"];
  return filled(counters, "   ", widthChars - 2, "").map((line) => "  " + line);
}

function snapshotText(
  line: Extract<ScriptLine, { readonly snapshot: string }>,
  mode: FormatMode,
  p: Painter,
  widthChars: number,
): string {
  const counters = Object.entries(line.vmstat).map(
    ([name, value]) => `${name} ${formatFigure("count", value, mode)}`,
  );
  const lines = [p.bold(`snapshot ${line.snapshot}`), ...counterLines(counters, widthChars)];
  for (const [name, region] of Object.entries(line.maps)) {
    const kb = (value: number): string => formatFigure("bytes", value * 1024, mode);
    const nodes = region.node_pages.map((pages) => formatFigure("count", pages, mode)).join(" + ");
    const swap = region.swap_kb === 0 ? "" : `, ${kb(region.swap_kb)} swapped out`;
    const parts = `${kb(region.rss_kb)} resident, ${kb(region.anon_huge_kb)} of it under huge pages${swap}`;
    lines.push(`  ${name}: ${parts}${region.node_pages.length > 1 ? `; pages by node ${nodes}` : ""}`);
  }
  return lines.join("\n");
}

/** The lines of a script's run as text. */
export function renderScript(
  lines: readonly ScriptLine[],
  mode: FormatMode,
  painter: Painter,
  widthChars: number,
): string {
  const texts = lines.map((line) => {
    if ("snapshot" in line) return snapshotText(line, mode, painter, widthChars);
    if ("errno" in line) {
      return painter.worse(`line ${line.line}: ${line.op} failed with ${nameOfErrno(line.errno)}`);
    }
    return `simulated time ${formatFigure("ns", line.elapsed_s * 1e9, mode)}`;
  });
  return texts.map((text) => text + "\n").join("");
}

/** "expectations that hold: 3 of 4"; empty when the script has none. */
export function renderExpectations(count: number, broken: readonly BrokenExpectation[]): string {
  return count === 0 ? "" : `expectations that hold: ${count - broken.length} of ${count}\n`;
}
