/** How long page faults took: bars on a logarithmic time axis, with the quantiles that people ask for. */
import { formatFigure, formatTime } from "../../report/format.ts";
import { BINS_PER_DECADE, type LatencyBin } from "../../report/latency.ts";
import type { Column } from "../../report/table.ts";
import type { Theme } from "../theme.ts";
import type { Size } from "./chart.tsx";
import type { Surface } from "./surface.ts";

/** What all small charts of a comparison share, so that they can be compared. */
export interface LatencyScale {
  readonly lowDecade: number;
  readonly highDecade: number;
  readonly mostFaults: number;
}

export function latencyScale(all: readonly (readonly LatencyBin[])[]): LatencyScale {
  const bins = all.flat();
  if (bins.length === 0) return { lowDecade: 2, highDecade: 4, mostFaults: 1 };
  const low = Math.floor(Math.min(...bins.map(({ bin }) => bin)) / BINS_PER_DECADE);
  const high = Math.ceil((Math.max(...bins.map(({ bin }) => bin)) + 1) / BINS_PER_DECADE);
  const mostFaults = Math.max(...bins.map(({ count }) => count));
  return { lowDecade: low, highDecade: Math.max(low + 1, high), mostFaults };
}

const MARGIN = { left: 46, right: 10, top: 24, bottom: 24 };

/** Heights are logarithmic: twenty faults of 176 µs would vanish beside twenty thousand of 1.5 µs. */
const heightOf = (count: number, most: number): number => Math.log10(1 + count) / Math.log10(1 + most);

export function paintLatency(
  s: Surface,
  size: Size,
  theme: Theme,
  {
    column,
    bins,
    scale,
    colour,
  }: { column: Column; bins: readonly LatencyBin[]; scale: LatencyScale; colour: string },
): void {
  const { lowDecade, highDecade, mostFaults } = scale;
  const bottom = size.height - MARGIN.bottom;
  const span = size.width - MARGIN.left - MARGIN.right;
  const x = (log: number): number => MARGIN.left + ((log - lowDecade) / (highDecade - lowDecade)) * span;
  const y = (count: number): number => bottom - heightOf(count, mostFaults) * (bottom - MARGIN.top);
  for (let decade = lowDecade; decade <= highDecade; decade++) {
    s.line([x(decade), MARGIN.top, x(decade), bottom], { stroke: theme.grid });
    const align = decade === highDecade ? "end" : "middle";
    const label = formatTime(10 ** decade);
    s.text(x(decade), bottom + 12, label, { fill: theme.soft, size: 10, align });
  }
  for (let count = 1; count <= mostFaults; count *= 100) {
    s.line([MARGIN.left, y(count), size.width - MARGIN.right, y(count)], { stroke: theme.grid });
    s.text(MARGIN.left - 5, y(count), formatFigure("count", count), {
      fill: theme.soft,
      size: 10,
      align: "end",
    });
  }
  for (const { bin, count } of bins) {
    const left = x(bin / BINS_PER_DECADE);
    const wide = x((bin + 1) / BINS_PER_DECADE) - left;
    s.rect(left + 0.5, y(count), Math.max(1, wide - 1), bottom - y(count), colour);
  }
  const { p50Ns, p99Ns, p999Ns } = column.result.faultsAll;
  const marks = [
    ["p50", p50Ns, []],
    ["p99", p99Ns, [5, 3]],
    ["p99.9", p999Ns, [2, 2]],
  ] as const;
  let free = Number.NEGATIVE_INFINITY;
  for (const [name, ns, dash] of marks) {
    if (ns < 1) continue;
    const at = x(Math.log10(ns));
    s.line([at, MARGIN.top - 4, at, bottom], { stroke: theme.ink, width: 1.2, dash });
    const label = `${name} ${formatTime(ns)}`;
    const half = label.length * 2.9;
    const centre = Math.min(size.width - half - 2, Math.max(free + half + 6, at));
    s.text(centre, MARGIN.top - 13, label, { fill: theme.ink, size: 10, align: "middle" });
    free = centre + half;
  }
}
