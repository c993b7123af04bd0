/**
 * What one column's memory was made of over time: stacked areas, with the touched memory as a line above
 * them.
 */
import { formatBytes, formatTime } from "../format.ts";
import type { ReportColumn } from "./data.ts";
import { atX, atY, drawAxes, type Frame, frameOf, svgOf, type Width } from "./frame.ts";
import type { Tip } from "./lines.ts";
import { xy } from "./markup.ts";
import { axisOf } from "./scale.ts";
import { sampleAt, thinned } from "./thin.ts";

export interface Layer {
  readonly style: string;
  readonly name: string;
  /** Bytes at a sample. */
  at(column: ReportColumn, i: number): number;
}

/** From the bottom up. */
export const LAYERS: readonly Layer[] = [
  { style: "l0", name: "under huge pages", at: (c, i) => c.series.anonHugeKb[i]! * 1024 },
  {
    style: "l1",
    name: "in small pages",
    at: (c, i) => Math.max(0, c.series.anonKb[i]! - c.series.anonHugeKb[i]!) * 1024,
  },
  { style: "l2", name: "files", at: (c, i) => Math.max(0, c.series.rssKb[i]! - c.series.anonKb[i]!) * 1024 },
];

const TIPS = 120;

export const hasFiles = (columns: readonly ReportColumn[]): boolean =>
  columns.some((column) => column.series.rssKb.some((rss, i) => rss > column.series.anonKb[i]!));

/** Upper edges of all layers at a sample, from the bottom up. */
function edges(column: ReportColumn, i: number): number[] {
  let sum = 0;
  return LAYERS.map((layer) => (sum += layer.at(column, i)));
}

interface Scales {
  readonly tMax: number;
  readonly yMax: number;
}

/** The outline of a layer: along its upper edge and back along its lower one. */
function areaOf(column: ReportColumn, layer: number, frame: Frame, { tMax, yMax }: Scales): string {
  const { tNs, rssKb } = column.series;
  const kept = thinned(tNs, rssKb, tMax, Math.ceil((frame.right - frame.left) / 2));
  const x = (i: number): string => xy(atX(frame, tNs[i]! / tMax));
  const upper = (i: number): string => xy(atY(frame, edges(column, i)[layer]! / yMax));
  const lower = (i: number): string =>
    xy(atY(frame, (layer === 0 ? 0 : edges(column, i)[layer - 1]!) / yMax));
  let there = "";
  let back = "";
  for (let k = 0; k < kept.length; k++) {
    const i = kept[k]!;
    there += k === 0 ? `M${x(i)} ${upper(i)}` : `H${x(i)}V${upper(i)}`;
    if (k > 0) back = `V${lower(kept[k - 1]!)}H${x(kept[k - 1]!)}` + back;
  }
  const last = kept.at(-1);
  return last === undefined ? "" : `${there}V${lower(last)}${back}Z`;
}

function touchedPath(column: ReportColumn, frame: Frame, { tMax, yMax }: Scales): string {
  const { tNs, touchedKb } = column.series;
  let path = "";
  for (const i of thinned(tNs, touchedKb, tMax, Math.ceil((frame.right - frame.left) / 2))) {
    const x = xy(atX(frame, tNs[i]! / tMax));
    const y = xy(atY(frame, (touchedKb[i]! * 1024) / yMax));
    path += path === "" ? `M${x} ${y}` : `H${x}V${y}`;
  }
  return path;
}

export const stackId = (index: number): string => `stack-${index}`;

/** All panels share their scales, so that they can be compared. */
export function drawStack(columns: readonly ReportColumn[], index: number, width: Width): string {
  const column = columns[index]!;
  const frame = frameOf(width, width === "wide" ? 130 : 120);
  const tMax = Math.max(1, ...columns.map((each) => each.series.tNs.at(-1) ?? 0));
  const most = Math.max(
    ...columns.map((c) => c.series.rssKb.reduce((m, kb, i) => Math.max(m, kb, c.series.touchedKb[i]!), 0)),
  );
  const yAxis = axisOf("bytes", most * 1024, 3, true);
  const scales = { tMax, yMax: yAxis.max };
  let content = drawAxes(
    frame,
    axisOf("ns", tMax, width === "wide" ? 10 : 4, false),
    yAxis,
    "simulated time",
  );
  for (let layer = 0; layer < LAYERS.length; layer++) {
    content += `<path class="area ${LAYERS[layer]!.style}" d="${areaOf(column, layer, frame, scales)}"/>`;
  }
  content += `<path class="line touched" d="${touchedPath(column, frame, scales)}"/>`;
  const label = `What the memory under ${column.name} was made of, over time`;
  return svgOf(frame, { width, tips: stackId(index), label, content });
}

export function tipsOfStack(columns: readonly ReportColumn[], index: number): Tip[] {
  const column = columns[index]!;
  const tMax = Math.max(1, ...columns.map((each) => each.series.tNs.at(-1) ?? 0));
  return Array.from({ length: TIPS }, (_, k) => {
    const time = (tMax * k) / (TIPS - 1);
    if (column.series.tNs.length === 0 || time > column.series.tNs.at(-1)!) {
      return { head: `after ${formatTime(time)}`, lines: [["", "ended"] as const] };
    }
    const i = sampleAt(column.series.tNs, time);
    const lines = LAYERS.map(
      (layer) => [layer.style, `${layer.name}: ${formatBytes(layer.at(column, i))}`] as const,
    );
    const touched = [
      "touched",
      `touched by the program: ${formatBytes(column.series.touchedKb[i]! * 1024)}`,
    ] as const;
    const bloat = ["", `never touched: ${formatBytes(column.series.bloatKb[i]! * 1024)}`] as const;
    return { head: `after ${formatTime(time)}`, lines: [...lines.reverse(), touched, bloat] };
  });
}
