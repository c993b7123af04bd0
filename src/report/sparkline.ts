/** Memory over time in one line of text for each run, all on one scale. */
import { formatBytes, formatTime } from "./format.ts";
import type { Column } from "./table.ts";

const BLOCKS = "▁▂▃▄▅▆▇█";
const WIDTH_CHARS = 48;

/** The highest value in each of `widthChars` equal parts of the time; nothing where the run is over. */
export function sparkline(
  tNs: readonly number[],
  values: readonly number[],
  o: { readonly endNs: number; readonly most: number; readonly widthChars: number },
): string {
  const high = new Float64Array(o.widthChars).fill(-1);
  const partOf = (ns: number): number =>
    Math.min(o.widthChars - 1, Math.floor((ns / Math.max(1, o.endNs)) * o.widthChars));
  tNs.forEach((ns, i) => {
    // A value holds until the next sample.
    const last = i + 1 < tNs.length ? partOf(tNs[i + 1]!) : partOf(ns);
    for (let part = partOf(ns); part <= last; part++) high[part] = Math.max(high[part]!, values[i]!);
  });
  const block = (value: number): string => {
    if (value < 0) return " ";
    const level = o.most === 0 ? 0 : Math.ceil((value / o.most) * (BLOCKS.length - 1) - 1e-9);
    return BLOCKS[Math.max(0, Math.min(BLOCKS.length - 1, level))]!;
  };
  return Array.from(high, block).join("").trimEnd();
}

/** A heading and a line for each run; nothing when no run has a course worth drawing. */
export function memoryLines(columns: readonly Column[]): string[] {
  const series = columns.map(({ result }) => result.series);
  const most = Math.max(0, ...series.flatMap(({ rssKb }) => rssKb));
  const endNs = Math.max(0, ...columns.map(({ result }) => result.runNs));
  const points = Math.max(0, ...series.map(({ tNs }) => tNs.length));
  if (most === 0 || points < 4) return [];
  const wide = Math.max(...columns.map(({ name }) => name.length));
  const scale = { endNs, most, widthChars: WIDTH_CHARS };
  return [
    `resident memory over ${formatTime(endNs)}, up to ${formatBytes(most * 1024)}`,
    ...columns.map(({ name, result }) => {
      const { tNs, rssKb } = result.series;
      return `  ${name.padEnd(wide)}  ${sparkline(tNs, rssKb, scale)}`;
    }),
  ];
}
