/** Axes: from values to ticks that people like, with one unit for a whole axis. */
import { axisUnit, formatTime } from "./format.ts";

export interface Tick {
  readonly value: number;
  readonly label: string;
}

export interface Axis {
  /** Upper end of the axis; the lower end is 0. */
  readonly max: number;
  readonly ticks: readonly Tick[];
}

/** The smallest of 1, 2, 5 × 10^n that cuts `max` into at most `count` steps. */
function niceStep(max: number, count: number): number {
  const raw = max / count;
  const power = 10 ** Math.floor(Math.log10(raw));
  for (const factor of [1, 2, 5]) if (factor * power >= raw * (1 - 1e-9)) return factor * power;
  return 10 * power;
}

/** Decimal text of a multiple of the step, without the dirt of binary fractions. */
function decimal(value: number, step: number): string {
  const digits = Math.max(0, Math.ceil(-Math.log10(step) - 1e-9));
  return value.toFixed(digits);
}

function stepped(max: number, step: number, upTo: number, label: (value: number) => string): Tick[] {
  const ticks: Tick[] = [];
  for (let i = 0; i * step <= upTo * (1 + 1e-9); i++)
    ticks.push({ value: Math.min(i * step, max), label: label(i) });
  return ticks;
}

export type AxisKind = "bytes" | "ns" | "count" | "share";

/**
 * An axis from 0 that holds `max`. With `round` its end is a tick (for y), else it is `max` itself (for
 * time).
 */
export function axisOf(kind: AxisKind, max: number, count: number, round: boolean): Axis {
  if (kind === "share") {
    const label = (i: number): string => i * 25 + "%";
    return { max: 1, ticks: stepped(1, 0.25, 1, label) };
  }
  const top = max > 0 ? max : 1;
  const unit = kind === "count" ? { name: "", size: 1 } : axisUnit(kind, top);
  let step = niceStep(top / unit.size, count);
  if (kind === "count") step = Math.max(1, step);
  const steps = Math.ceil(top / unit.size / step - 1e-9);
  const end = round ? steps * step * unit.size : top;
  const name = unit.name === "" ? "" : " " + unit.name;
  const label = (i: number): string => (i === 0 ? "0" : decimal(i * step, step) + name);
  return { max: end, ticks: stepped(end, step * unit.size, end, label) };
}

/** Powers of ten between two times, inclusive. */
export function decadesOf(lowNs: number, highNs: number): Tick[] {
  const ticks: Tick[] = [];
  for (let value = lowNs; value <= highNs * (1 + 1e-9); value *= 10)
    ticks.push({ value, label: formatTime(value) });
  return ticks;
}
