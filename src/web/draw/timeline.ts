/** What the timeline draws: stacked memory, rates as lines, events and daemons as lanes. */
import type { Recording } from "../../metrics/recording.ts";
import { formatFigure } from "../../report/format.ts";
import { axisOf } from "../../report/scale.ts";
import { byCode, countSteps, type Lane } from "../model/events.ts";
import { type Counted, type Memory, sampleAt } from "../model/samples.ts";
import { mix, type Theme } from "../theme.ts";
import type { Size } from "./chart.tsx";
import type { Surface } from "./surface.ts";
import { drawTimeGrid, drawTimeLabels, LEFT, RIGHT, type TimeSpan, timeOfX, xOfTime } from "./time.ts";

const LABELS_BELOW = 18;
/** How far beyond the chart lines go, in pixels. */
const OUTSIDE = 100;

/** Indices of samples that are drawn: those within the span, one before it and one behind. */
function visible(tNs: ArrayLike<number>, [from, to]: TimeSpan): [number, number] {
  return [sampleAt(tNs, from), Math.min(tNs.length - 1, sampleAt(tNs, to) + 1)];
}

/** A value holds until the next sample: the corners of its steps, from left to right. */
function stepsOf(tNs: ArrayLike<number>, span: TimeSpan, width: number, y: (i: number) => number): number[] {
  const [first, last] = visible(tNs, span);
  const points: number[] = [];
  for (let i = first; i <= last; i++) {
    // Far outside of what is seen, a dashed line would have billions of dashes.
    const x = Math.max(-OUTSIDE, Math.min(width + OUTSIDE, xOfTime(span, width, tNs[i]!)));
    if (i > first) points.push(x, points.at(-1)!);
    points.push(x, y(i));
  }
  return points;
}

export function paintMemory(
  s: Surface,
  size: Size,
  theme: Theme,
  { memory, span, mostKb }: { memory: Memory; span: TimeSpan; mostKb: number },
): void {
  const bottom = size.height - LABELS_BELOW;
  const axis = axisOf("bytes", mostKb * 1024, 4, true);
  const y = (bytes: number): number => bottom - (bytes / axis.max) * (bottom - 6);
  drawTimeGrid(s, size, span, theme, bottom);
  drawTimeLabels(s, size, span, theme, size.height - 8);
  for (const { value, label } of axis.ticks) {
    s.line([LEFT, y(value), size.width - RIGHT, y(value)], { stroke: theme.grid });
    s.text(LEFT - 6, y(value), label, { fill: theme.soft, size: 11, align: "end" });
  }
  const sums = new Float64Array(memory.tNs.length);
  s.clip(LEFT, 0, size.width - LEFT - RIGHT, bottom, () => {
    for (const { kind, kb } of memory.layers) {
      const under = stepsOf(memory.tNs, span, size.width, (i) => y(sums[i]! * 1024));
      for (let i = 0; i < sums.length; i++) sums[i]! += kb[i]!;
      const over = stepsOf(memory.tNs, span, size.width, (i) => y(sums[i]! * 1024));
      const back: number[] = [];
      for (let i = under.length - 2; i >= 0; i -= 2) back.push(under[i]!, under[i + 1]!);
      s.area([...over, ...back], theme.memory[kind] ?? theme.soft);
    }
    const touched = stepsOf(memory.tNs, span, size.width, (i) => y(memory.touchedKb[i]! * 1024));
    s.line(touched, { stroke: theme.ink, width: 1.3, dash: [4, 3] });
  });
}

export interface RateLines {
  readonly key: string;
  readonly label: string;
  readonly kind: "rate" | "share";
  /** One a column; undefined where the run has no such figure. */
  readonly lines: readonly (Counted | undefined)[];
}

/** Growth a second in each of some equal parts of the span. */
function ratesIn({ tNs, total }: Counted, [from, to]: TimeSpan, parts: number): Float64Array {
  const at = (ns: number): number => {
    const i = sampleAt(tNs, ns);
    const [t0, t1] = [tNs[i]!, tNs[i + 1]];
    if (t1 === undefined || t1 === t0 || ns <= t0) return total[i]!;
    return total[i]! + ((total[i + 1]! - total[i]!) * (ns - t0)) / (t1 - t0);
  };
  const rates = new Float64Array(parts);
  const part = (to - from) / parts;
  let before = at(from);
  for (let i = 0; i < parts; i++) {
    const now = at(from + part * (i + 1));
    rates[i] = Math.max(0, ((now - before) / part) * 1e9);
    before = now;
  }
  return rates;
}

/** How the lines of columns differ besides their colours. */
export const DASHES: readonly (readonly number[])[] = [
  [],
  [7, 4],
  [2, 3],
  [9, 3, 2, 3],
  [4, 2],
  [1, 2],
  [12, 5],
  [5, 2, 1, 2],
];

export function paintRates(
  s: Surface,
  size: Size,
  theme: Theme,
  { rate, span }: { rate: RateLines; span: TimeSpan },
): void {
  const top = 18;
  const bottom = size.height - 6;
  const parts = Math.max(16, Math.floor((size.width - LEFT - RIGHT) / 3));
  const share = rate.kind === "share";
  const values = rate.lines.map((line) => {
    if (line === undefined) return undefined;
    if (!share) return ratesIn(line, span, parts);
    const step = (span[1] - span[0]) / parts;
    return Float64Array.from(
      { length: parts },
      (_, i) => line.total[sampleAt(line.tNs, span[0] + step * i)]!,
    );
  });
  const most = values.reduce((max, list) => Math.max(max, ...(list ?? [])), 0);
  const axis = share ? axisOf("share", 1, 2, true) : axisOf("count", most, 2, true);
  const y = (value: number): number => bottom - (value / axis.max) * (bottom - top);
  drawTimeGrid(s, size, span, theme, bottom);
  for (const { value, label } of axis.ticks) {
    s.line([LEFT, y(value), size.width - RIGHT, y(value)], { stroke: theme.grid });
    const text = share ? label : formatFigure("count", value);
    s.text(LEFT - 6, y(value), text, { fill: theme.soft, size: 10, align: "end" });
  }
  s.text(LEFT + 2, 8, rate.label, { fill: theme.ink, size: 12, bold: true });
  s.clip(LEFT, 0, size.width - LEFT - RIGHT, size.height, () => {
    values.forEach((list, column) => {
      if (list === undefined) return;
      const points: number[] = [];
      list.forEach((value, i) => {
        const x = LEFT + ((i + 0.5) / parts) * (size.width - LEFT - RIGHT);
        points.push(x, y(value));
      });
      s.line(points, { stroke: theme.columns[column % 8]!, width: 1.6, dash: DASHES[column % 8]! });
    });
  });
}

/** One strip for each kind of event, the darker the more there are, and one for each daemon. */
export function paintLanes(
  s: Surface,
  size: Size,
  theme: Theme,
  o: { recording: Recording; lanes: readonly Lane[]; span: TimeSpan; laneHeight: number },
): void {
  const { recording, lanes, span, laneHeight } = o;
  const { events } = recording;
  const lists = byCode(events);
  lanes.forEach(({ label, code }, row) => {
    const y = row * laneHeight;
    s.text(LEFT - 6, y + laneHeight / 2, label, { fill: theme.soft, size: 10, align: "end" });
    s.rect(LEFT, y + 2, size.width - LEFT - RIGHT, laneHeight - 4, theme.grid);
    paintDensity(s, size, theme, { events, list: lists[code]!, span, y: y + 2, height: laneHeight - 4 });
  });
  recording.tracks.forEach((track, i) => {
    const y = (lanes.length + i) * laneHeight;
    s.text(LEFT - 6, y + laneHeight / 2, track.name, { fill: theme.soft, size: 10, align: "end" });
    s.rect(LEFT, y + 2, size.width - LEFT - RIGHT, laneHeight - 4, theme.grid);
    s.clip(LEFT, y, size.width - LEFT - RIGHT, laneHeight, () => {
      for (let at = 0; at < track.fromNs.length; at++) {
        if (track.toNs[at]! < span[0] || track.fromNs[at]! > span[1]) continue;
        const from = xOfTime(span, size.width, Math.max(span[0], track.fromNs[at]!));
        const to = xOfTime(span, size.width, Math.min(span[1], track.toNs[at]!));
        s.rect(from, y + 2, Math.max(1.5, to - from), laneHeight - 4, theme.memory["page-tables"]!);
      }
    });
  });
}

/** Pixels of a strip that share a colour. */
const DENSITY_STEP = 2;
/** Steps from the fewest events to the most that are told apart. */
const SHADES = 64;

const shadesOfTheme = new WeakMap<Theme, readonly string[]>();

function shadesOf(theme: Theme): readonly string[] {
  let shades = shadesOfTheme.get(theme);
  if (shades === undefined) {
    shades = Array.from({ length: SHADES }, (_, i) => mix(theme.grid, theme.accent, i / (SHADES - 1)));
    shadesOfTheme.set(theme, shades);
  }
  return shades;
}

/** The more events, the stronger: from a third of the colour for one to all of it for 4,500. */
const shadeOf = (count: number): number =>
  count === 0 ? -1 : Math.round(Math.min(1, 0.35 + Math.log10(count) / 4) * (SHADES - 1));

function paintDensity(
  s: Surface,
  size: Size,
  theme: Theme,
  o: { events: Recording["events"]; list: Uint32Array; span: TimeSpan; y: number; height: number },
): void {
  const shades = shadesOf(theme);
  const steps = Math.ceil((size.width - LEFT - RIGHT) / DENSITY_STEP);
  const fromNs = o.span[0];
  const stepNs = timeOfX(o.span, size.width, LEFT + DENSITY_STEP) - fromNs;
  const counts = countSteps(o.events, o.list, { fromNs, stepNs, steps });
  // Neighbours of one shade are one rectangle: most of a busy strip is.
  for (let from = 0; from < steps; ) {
    const shade = shadeOf(counts[from]!);
    let to = from + 1;
    while (to < steps && shadeOf(counts[to]!) === shade) to++;
    const x = LEFT + from * DENSITY_STEP;
    if (shade >= 0) s.rect(x, o.y, (to - from) * DENSITY_STEP, o.height, shades[shade]!);
    from = to;
  }
}
