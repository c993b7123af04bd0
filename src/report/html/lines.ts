/** A chart of lines over simulated time, one line a column (and perhaps one for reference). */
import { type FigureKind, formatFigure, formatTime } from "../format.ts";
import { atX, atY, drawAxes, type Frame, frameOf, svgOf, type Width } from "./frame.ts";
import { xy } from "./markup.ts";
import { type AxisKind, axisOf } from "./scale.ts";
import { sampleAt, thinned } from "./thin.ts";

export interface Line {
  readonly name: string;
  /** Style class: "c0" … "c7" for columns, "reference" for the rest. */
  readonly style: string;
  readonly tNs: readonly number[];
  readonly y: readonly number[];
}

export interface LineChart {
  readonly id: string;
  readonly title: string;
  /** What to see in it, for people. */
  readonly caption: string;
  readonly kind: AxisKind & FigureKind;
  readonly lines: readonly Line[];
}

/** One tooltip: a heading, and a line for each column with its style. */
export interface Tip {
  readonly head: string;
  readonly lines: readonly (readonly [style: string, text: string])[];
}

const TIPS = 120;

const maxOf = (values: readonly number[]): number => values.reduce((max, value) => Math.max(max, value), 0);
const endOf = (chart: LineChart): number => maxOf(chart.lines.map((line) => line.tNs.at(-1) ?? 0)) || 1;

/** A line holds its value until the next sample, so it is drawn in steps. */
function pathOf(line: Line, frame: Frame, tMax: number, yMax: number): string {
  const strips = Math.ceil((frame.right - frame.left) / 1.5);
  let path = "";
  let lastY = "";
  for (const i of thinned(line.tNs, line.y, tMax, strips)) {
    const x = xy(atX(frame, line.tNs[i]! / tMax));
    const y = xy(atY(frame, line.y[i]! / yMax));
    if (path === "") path = `M${x} ${y}`;
    else if (y !== lastY) path += `H${x}V${y}`;
    lastY = y;
  }
  return path + `H${xy(atX(frame, (line.tNs.at(-1) ?? 0) / tMax))}`;
}

export function drawLines(chart: LineChart, width: Width): string {
  const frame = frameOf(width, width === "wide" ? 250 : 200);
  const tMax = endOf(chart);
  const yAxis = axisOf(chart.kind, maxOf(chart.lines.map((line) => maxOf(line.y))), 5, true);
  const xAxis = axisOf("ns", tMax, width === "wide" ? 10 : 4, false);
  let content = drawAxes(frame, xAxis, yAxis, "simulated time");
  for (const line of chart.lines) {
    if (line.tNs.length === 0) continue;
    content += `<path class="line ${line.style}" d="${pathOf(line, frame, tMax, yAxis.max)}"/>`;
    const x = xy(atX(frame, line.tNs.at(-1)! / tMax));
    content +=
      `<circle class="dot ${line.style}" r="3.5" cx="${x}" ` +
      `cy="${xy(atY(frame, line.y.at(-1)! / yAxis.max))}"/>`;
  }
  return svgOf(frame, { width, tips: chart.id, label: `${chart.title}. ${chart.caption}`, content });
}

/** The values of every line at evenly spaced moments. */
export function tipsOfLines(chart: LineChart): Tip[] {
  const tMax = endOf(chart);
  return Array.from({ length: TIPS }, (_, i) => {
    const time = (tMax * i) / (TIPS - 1);
    const lines = chart.lines.map((line) => {
      const over = time > (line.tNs.at(-1) ?? 0);
      const value = over ? "ended" : formatFigure(chart.kind, line.y[sampleAt(line.tNs, time)]);
      return [line.style, `${line.name}: ${value}`] as const;
    });
    return { head: `after ${formatTime(time)}`, lines };
  });
}
