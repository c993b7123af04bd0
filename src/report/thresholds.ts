/**
 * The threshold study: memory, waits and promotions against promotion_threshold, with huge pages off and at
 * the first touch beside, drawn in characters for text and page alike.
 */
import type { Result } from "../metrics/result.ts";
import { formatFigure } from "./format.ts";
import type { Column } from "./table.ts";

const KNOB = "transparent_hugepage/promotion_threshold";
const ENABLED = "transparent_hugepage/enabled";

export interface ThresholdPoint {
  readonly name: string;
  /** promotion_threshold, 1 where huge pages come at the first touch; undefined without huge pages. */
  readonly threshold: number | undefined;
  readonly peakBytes: number;
  readonly p50Ns: number;
  readonly p99Ns: number;
  readonly p999Ns: number;
  /** Reservations that became huge pages, by khugepaged or by the fault that reached the threshold. */
  readonly promotions: number;
  readonly reservations: number;
}

function promotionsOf({ vmstat }: Result): number {
  return (vmstat.res_pages_collapsed ?? 0) + (vmstat.thp_res_promoted_fault ?? 0);
}

/** A result's settings name a knob only where it is not at its default. */
function thresholdOf({ settings, vmstat }: Result): number | undefined {
  const set = settings[KNOB];
  if ((settings[ENABLED] ?? "always") !== "always") return undefined;
  if (set !== undefined) return Number(set);
  return (vmstat.thp_res_alloc ?? 0) > 0 ? undefined : 1;
}

/** A point for each column; none when fewer than two columns set a threshold. */
export function thresholdPoints(columns: readonly Column[]): ThresholdPoint[] {
  const set = columns.filter(({ result }) => result.settings[KNOB] !== undefined);
  if (set.length < 2) return [];
  return columns.map(({ name, result }) => ({
    name,
    threshold: thresholdOf(result),
    peakBytes: result.peakRssSumKb * 1024,
    p50Ns: result.faultsAll.p50Ns,
    p99Ns: result.faultsAll.p99Ns,
    p999Ns: result.faultsAll.p999Ns,
    promotions: promotionsOf(result),
    reservations: result.vmstat.thp_res_alloc ?? 0,
  }));
}

const BAR_CHARS = 24;

/** A bar of at most 24 characters, in eighths of one. */
export function bar(share: number): string {
  const eighths = Math.round(Math.min(1, Math.max(0, share)) * BAR_CHARS * 8);
  const rest = eighths % 8;
  const full = "█".repeat((eighths - rest) / 8);
  return (full + (rest === 0 ? "" : "▏▎▍▌▋▊▉"[rest - 1])).padEnd(BAR_CHARS);
}

/** Waits range over powers of ten: a bar shows the logarithm above 100 ns. */
function waitShare(ns: number, longestNs: number): number {
  const log = (value: number): number => Math.log10(Math.max(1, value / 100));
  return longestNs <= 100 ? 0 : log(ns) / log(longestNs);
}

/** The drawing: a line a column, with a bar for memory and one for the wait of one fault in a hundred. */
export function thresholdLines(columns: readonly Column[]): string[] {
  const points = thresholdPoints(columns);
  if (points.length === 0) return [];
  const width = Math.max(...points.map(({ name }) => name.length));
  const most = Math.max(...points.map(({ peakBytes }) => peakBytes));
  const longest = Math.max(...points.map(({ p99Ns }) => p99Ns));
  const head = `${" ".repeat(width)}  ${"resident memory, peak".padEnd(BAR_CHARS + 11)}one fault, p99 (log)`;
  const lines = [head.padEnd(width + 2 * BAR_CHARS + 24) + "  p50      p99.9   promoted of reserved"];
  for (const p of points) {
    const memory = `${bar(p.peakBytes / most)} ${formatFigure("bytes", p.peakBytes).padEnd(9)}`;
    const wait = `${bar(waitShare(p.p99Ns, longest))} ${formatFigure("ns", p.p99Ns).padEnd(8)}`;
    const others = [p.p50Ns, p.p999Ns].map((ns) => formatFigure("ns", ns).padStart(8)).join(" ");
    const made = `${formatFigure("count", p.promotions)} of ${formatFigure("count", p.reservations)}`;
    lines.push(`${p.name.padEnd(width)}  ${memory} ${wait} ${others}   ${made}`);
  }
  return lines;
}
