/**
 * How long page faults took: one row of bars a column on a common logarithmic time axis. Bar heights are
 * logarithmic too, or twenty faults of 176 µs would vanish beside twenty thousand of 1.5 µs.
 */
import { formatFigure, formatTime } from "../format.ts";
import { BINS_PER_DECADE, type ReportColumn } from "./data.ts";
import { atX, axisTitle, type Frame, frameOf, svgOf, type Width } from "./frame.ts";
import type { Tip } from "./lines.ts";
import { escapeText, xy } from "./markup.ts";
import { decadesOf } from "./scale.ts";

export const LATENCY_ID = "latency";

/** Whole decades that hold every bin. */
interface Decades {
  readonly low: number;
  readonly high: number;
}

function decades(columns: readonly ReportColumn[]): Decades {
  const bins = columns.flatMap((column) => column.latency.map(({ bin }) => bin));
  if (bins.length === 0) return { low: 2, high: 4 };
  const low = Math.floor(Math.min(...bins) / BINS_PER_DECADE);
  return { low, high: Math.max(low + 1, Math.ceil((Math.max(...bins) + 1) / BINS_PER_DECADE)) };
}

const shareOf = (d: Decades, log10: number): number => (log10 - d.low) / (d.high - d.low);

const bars = (count: number): number => Math.log10(1 + count);

interface RowPlace {
  readonly base: number;
  readonly height: number;
}

function drawRow(
  column: ReportColumn,
  style: string,
  frame: Frame,
  place: RowPlace,
  scale: Decades & { most: number },
): string {
  let text = "";
  for (const bin of column.latency) {
    const index = bin.bin / BINS_PER_DECADE;
    const x = atX(frame, shareOf(scale, index));
    const wide = atX(frame, shareOf(scale, index + 1 / BINS_PER_DECADE)) - x;
    const height = Math.max(2, (bars(bin.count) / bars(scale.most)) * place.height);
    text +=
      `<rect class="bar ${style}" x="${xy(x + 0.5)}" y="${xy(place.base - height)}" ` +
      `width="${xy(Math.max(1, wide - 1))}" height="${xy(height)}"/>`;
  }
  return text + `<path class="axis" d="M${frame.left} ${xy(place.base)}H${frame.right}"/>`;
}

/** Heights of 1, 100, 10,000 … faults. */
function drawCounts(frame: Frame, place: RowPlace, most: number): string {
  let text = "";
  let free = place.base + 20;
  for (let count = 1; count <= most; count *= 100) {
    const y = place.base - (bars(count) / bars(most)) * place.height;
    if (y > free - 14) continue;
    free = y;
    const label = count >= 1e6 ? count / 1e6 + "M" : count >= 1e3 ? count / 1e3 + "k" : String(count);
    text += `<path class="grid" d="M${frame.left} ${xy(y)}H${frame.right}"/>`;
    text +=
      `<text class="label" text-anchor="end" x="${frame.left - 7}" y="${xy(y)}" ` + `dy="4">${label}</text>`;
  }
  return text;
}

function rowTitle(column: ReportColumn, frame: Frame, top: number, width: Width): string {
  const parts = [
    ["p50", column.p50Ns] as const,
    ["p99", column.p99Ns] as const,
    ["longest", column.maxNs] as const,
  ];
  const figures = parts.map(([name, ns]) => `${name} ${formatTime(ns)}`).join("  ·  ");
  const name = `<text class="name" x="${frame.left}" y="${top + 14}">${escapeText(column.name)}</text>`;
  const wide = width === "wide";
  const place = wide
    ? `text-anchor="end" x="${frame.right}" y="${top + 14}"`
    : `x="${frame.left}" y="${top + 30}"`;
  return name + `<text class="label" ${place}>${figures}</text>`;
}

function marker(frame: Frame, place: RowPlace, d: Decades, ns: number, style: string): string {
  if (ns < 1) return "";
  const x = xy(atX(frame, Math.min(1, Math.max(0, shareOf(d, Math.log10(ns))))));
  return `<path class="${style}" d="M${x} ${xy(place.base - place.height)}V${xy(place.base)}"/>`;
}

/** The whole chart: a row for each column. */
export function drawLatency(columns: readonly ReportColumn[], width: Width): string {
  const rowHeight = width === "wide" ? 104 : 112;
  const titleHeight = width === "wide" ? 26 : 42;
  const frame = frameOf(width, rowHeight, columns.length);
  const d = decades(columns);
  const most = Math.max(1, ...columns.flatMap((column) => column.latency.map((bin) => bin.count)));
  let content = "";
  for (const { value, label } of decadesOf(10 ** d.low, 10 ** d.high)) {
    const x = xy(atX(frame, shareOf(d, Math.log10(value))));
    content += `<path class="grid" d="M${x} ${frame.top}V${frame.bottom}"/>`;
    content += `<text class="label" text-anchor="middle" x="${x}" y="${frame.bottom + 19}">${label}</text>`;
  }
  columns.forEach((column, i) => {
    const top = frame.top + rowHeight * i;
    const place = { base: top + rowHeight - 6, height: rowHeight - titleHeight - 6 };
    content += drawCounts(frame, place, most);
    content += drawRow(column, `c${i % 8}`, frame, place, { ...d, most });
    content += marker(frame, place, d, column.p99Ns, "p99");
    content += rowTitle(column, frame, top, width);
  });
  content += axisTitle(frame, "time of one fault (logarithmic)");
  const label =
    "How long page faults took, by setting: " +
    columns.map((c) => `${c.name} p99 ${formatTime(c.p99Ns)}`).join(", ");
  return svgOf(frame, { width, tips: LATENCY_ID, label, content });
}

/** One tooltip for each bin of the axis. */
export function tipsOfLatency(columns: readonly ReportColumn[]): Tip[] {
  const d = decades(columns);
  const count = (d.high - d.low) * BINS_PER_DECADE;
  return Array.from({ length: count }, (_, k) => {
    const bin = d.low * BINS_PER_DECADE + k;
    const bound = (b: number): string => formatTime(Math.round(10 ** (b / BINS_PER_DECADE)));
    const lines = columns.map((column, i) => {
      const found = column.latency.find((each) => each.bin === bin);
      return [`c${i % 8}`, `${column.name}: ${formatFigure("count", found?.count ?? 0)} faults`] as const;
    });
    return { head: `${bound(bin)} to ${bound(bin + 1)}`, lines };
  });
}
