/** The time axis that all charts over time share: the same pixels are the same moment in each of them. */
import { axisUnit } from "../../report/format.ts";
import type { Theme } from "../theme.ts";
import type { Size } from "./chart.tsx";
import type { Surface } from "./surface.ts";

/** Room left and right of what is drawn over time. */
export const LEFT = 96;
export const RIGHT = 14;

export type TimeSpan = readonly [fromNs: number, toNs: number];

export function xOfTime([from, to]: TimeSpan, width: number, ns: number): number {
  return LEFT + ((ns - from) / (to - from)) * (width - LEFT - RIGHT);
}

export function timeOfX([from, to]: TimeSpan, width: number, x: number): number {
  return from + ((x - LEFT) / (width - LEFT - RIGHT)) * (to - from);
}

function niceStep(span: number, count: number): number {
  const raw = span / count;
  const power = 10 ** Math.floor(Math.log10(raw));
  for (const factor of [1, 2, 5]) if (factor * power >= raw) return factor * power;
  return 10 * power;
}

/** Moments to label, in ns, and what to say there. */
export function timeTicks([from, to]: TimeSpan, count: number): { ns: number; label: string }[] {
  const unit = axisUnit("ns", to);
  const step = niceStep(Math.max(to - from, 1), count);
  const digits = Math.max(0, Math.ceil(Math.log10(unit.size / step) - 1e-9));
  const ticks: { ns: number; label: string }[] = [];
  for (let ns = Math.ceil(from / step) * step; ns <= to + step * 1e-9; ns += step) {
    ticks.push({ ns, label: `${(ns / unit.size).toFixed(digits)} ${unit.name}` });
  }
  return ticks;
}

/** Vertical lines, and with `labelled` the times below. */
export function drawTimeGrid(s: Surface, size: Size, span: TimeSpan, theme: Theme, bottom: number): void {
  const ticks = timeTicks(span, Math.max(2, Math.floor(size.width / 120)));
  for (const { ns } of ticks) {
    const x = xOfTime(span, size.width, ns);
    s.line([x, 0, x, bottom], { stroke: theme.grid });
  }
}

export function drawTimeLabels(s: Surface, size: Size, span: TimeSpan, theme: Theme, y: number): void {
  const ticks = timeTicks(span, Math.max(2, Math.floor(size.width / 120)));
  for (const { ns, label } of ticks) {
    const x = Math.min(size.width - 24, xOfTime(span, size.width, ns));
    s.text(x, y, label, { fill: theme.soft, align: "middle", size: 11 });
  }
}
