/**
 * A figure against promotion_threshold: a curve over the thresholds; what other settings come to (huge pages
 * off, say) at the left of it, and as dotted lines across.
 */
import { axisOf, decadesOf, type Tick } from "../../report/scale.ts";
import type { ThresholdPoint } from "../../report/thresholds.ts";
import type { Theme } from "../theme.ts";
import type { Size } from "./chart.tsx";
import type { Surface } from "./surface.ts";

/** One line of a chart. */
export interface Curve {
  readonly name: string;
  readonly of: (point: ThresholdPoint) => number;
}

export interface ThresholdChart {
  readonly points: readonly ThresholdPoint[];
  readonly curves: readonly Curve[];
  /** Bytes from 0 up, or times on a logarithmic axis. */
  readonly kind: "bytes" | "ns";
  readonly format: (value: number) => string;
}

const MARGIN = { left: 62, right: 96, top: 26, bottom: 46 };
/** Thresholds are 1 to 512: nine doublings. */
const DOUBLINGS = 9;
/** Between the names of points without a threshold and the curve. */
const SLOT = 110;
const MARK = 3.5;

/** Where values stand, from the bottom up, and what is written there. */
function scaleOf({ points, curves, kind }: ThresholdChart): {
  readonly share: (value: number) => number;
  readonly ticks: readonly Tick[];
} {
  const values = points.flatMap((point) => curves.map(({ of }) => of(point)));
  const most = Math.max(1, ...values);
  if (kind === "bytes") {
    const { max, ticks } = axisOf("bytes", most, 5, true);
    return { share: (value) => value / max, ticks };
  }
  const low = Math.floor(Math.log10(Math.max(1, Math.min(...values))));
  const high = Math.max(low + 1, Math.ceil(Math.log10(most)));
  const share = (value: number): number => (Math.log10(Math.max(1, value)) - low) / (high - low);
  return { share, ticks: decadesOf(10 ** low, 10 ** high) };
}

function mark(s: Surface, x: number, y: number, colour: string): void {
  s.area([x - MARK, y, x, y - MARK, x + MARK, y, x, y + MARK], colour);
}

/** Where everything stands in a chart of that size. */
interface Layout {
  readonly apart: readonly ThresholdPoint[];
  /** Points with a threshold, in its order. */
  readonly curve: readonly ThresholdPoint[];
  readonly bottom: number;
  readonly right: number;
  readonly ticks: readonly Tick[];
  readonly x: (point: ThresholdPoint) => number;
  readonly y: (value: number) => number;
}

function layoutOf(size: Size, chart: ThresholdChart): Layout {
  const apart = chart.points.filter(({ threshold }) => threshold === undefined);
  const curve = chart.points
    .filter(({ threshold }) => threshold !== undefined)
    .sort((a, b) => a.threshold! - b.threshold!);
  const bottom = size.height - MARGIN.bottom;
  const right = size.width - MARGIN.right;
  const first = MARGIN.left + 20 + apart.length * SLOT;
  const { share, ticks } = scaleOf(chart);
  const x = (point: ThresholdPoint): number =>
    point.threshold === undefined
      ? MARGIN.left + (apart.indexOf(point) + 0.5) * SLOT
      : first + (Math.log2(point.threshold) / DOUBLINGS) * (right - first);
  const y = (value: number): number => bottom - share(value) * (bottom - MARGIN.top);
  return { apart, curve, bottom, right, ticks, x, y };
}

/** The lines across, and below them what each point is and how many of its reservations were promoted. */
function paintAxes(s: Surface, theme: Theme, at: Layout, points: readonly ThresholdPoint[]): void {
  const { bottom, right, ticks, x, y } = at;
  const soft = { fill: theme.soft, size: 11 } as const;
  for (const { value, label } of ticks) {
    s.line([MARGIN.left, y(value), right, y(value)], { stroke: theme.grid });
    s.text(MARGIN.left - 6, y(value), label, { ...soft, align: "end" });
  }
  for (const point of points) {
    s.line([x(point), bottom, x(point), bottom + 4], { stroke: theme.soft });
    const name = point.threshold === undefined ? point.name : String(point.threshold);
    s.text(x(point), bottom + 12, name, { ...soft, align: "middle" });
    if (point.reservations === 0) continue;
    const made = `${point.promotions} of ${point.reservations}`;
    s.text(x(point), bottom + 26, made, { ...soft, size: 10, align: "middle" });
  }
  s.text(right + 34, bottom + 12, "threshold", soft);
  if (points.some(({ reservations }) => reservations > 0))
    s.text(right + 34, bottom + 26, "promoted", { ...soft, size: 10 });
}

function paintCurve(s: Surface, at: Layout, { of }: Curve, colour: string): void {
  const { apart, curve, right, x, y } = at;
  for (const point of apart)
    s.line([x(point), y(of(point)), right, y(of(point))], { stroke: colour, dash: [1, 4] });
  const corners = curve.flatMap((point) => [x(point), y(of(point))]);
  s.line(corners, { stroke: colour, width: 2 });
  for (const point of [...apart, ...curve]) mark(s, x(point), y(of(point)), colour);
}

/** The curves' names at their right ends, none over another. */
function paintNames(s: Surface, theme: Theme, at: Layout, curves: readonly Curve[]): void {
  const last = at.curve[at.curve.length - 1];
  if (last === undefined) return;
  let above = Number.POSITIVE_INFINITY;
  const names = curves.map(({ name, of }, i) => ({ name, end: at.y(of(last)), colour: theme.columns[i]! }));
  for (const { name, end, colour } of names.sort((a, b) => b.end - a.end)) {
    above = Math.min(end, above - 13);
    s.text(at.right + 10, above, name, { fill: colour, size: 12, bold: true });
  }
}

/** Draws the chart; a single curve has its figures written at its points. */
export function paintThresholds(s: Surface, size: Size, theme: Theme, chart: ThresholdChart): void {
  const { points, curves, format } = chart;
  const at = layoutOf(size, chart);
  paintAxes(s, theme, at, points);
  curves.forEach((curve, i) => {
    paintCurve(s, at, curve, theme.columns[i]!);
  });
  paintNames(s, theme, at, curves);
  const only = curves[0];
  if (only === undefined || curves.length > 1) return;
  for (const point of points) {
    const text = format(only.of(point));
    s.text(at.x(point), at.y(only.of(point)) - 11, text, { fill: theme.ink, size: 11, align: "middle" });
  }
}
