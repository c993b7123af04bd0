/**
 * What the HTML report shows, as plain data: it is embedded in the page as JSON, and every chart is drawn
 * from it. Nothing here knows how it is drawn.
 */
import type { Distribution, MemorySeries, Result } from "../../metrics/result.ts";
import { answerOf } from "../answer.ts";
import { type Column, counterRows, type Row, type RowGroup, tableOf } from "../table.ts";
import { headerOf } from "../text.ts";
import { type Measurement, trustNotes } from "../trust.ts";

export interface LatencyBin {
  /** Number of the bin: it holds from 10^(bin/10) up to 10^((bin+1)/10) ns. */
  readonly bin: number;
  readonly lowNs: number;
  readonly highNs: number;
  readonly count: number;
}

export interface ReportColumn {
  readonly name: string;
  readonly generation: string;
  readonly settings: Readonly<Record<string, string>>;
  readonly outcome: Result["outcome"];
  readonly runNs: number;
  readonly series: MemorySeries;
  /** Ten bins to each power of ten; empty ones are left out. */
  readonly latency: readonly LatencyBin[];
  readonly p50Ns: number;
  readonly p99Ns: number;
  readonly maxNs: number;
}

export interface ReportData {
  readonly schema: 1;
  readonly version: string;
  readonly workload: string;
  readonly about: readonly string[];
  /** The command that makes this report again; empty when unknown. */
  readonly command: string;
  readonly answer: readonly string[];
  readonly columns: readonly ReportColumn[];
  readonly table: readonly RowGroup[];
  readonly counters: readonly Row[];
  readonly trust: readonly string[];
}

export interface ReportOptions {
  readonly version: string;
  readonly command?: string;
  readonly measurements?: readonly Measurement[];
}

export const BINS_PER_DECADE = 10;

/** The bin of a latency. */
export function latencyBinOf(ns: number): number {
  return Math.max(0, Math.floor(Math.log10(Math.max(1, ns)) * BINS_PER_DECADE + 1e-9));
}

/**
 * Bounds are whole ns, so that the page's bytes do not depend on the last digit of a host's power function.
 */
const boundOf = (bin: number): number => Math.round(10 ** (bin / BINS_PER_DECADE));

function latencyOf(faults: Distribution): LatencyBin[] {
  const counts = new Map<number, number>();
  for (const [lowNs, count] of faults.buckets) {
    const bin = latencyBinOf(lowNs);
    counts.set(bin, (counts.get(bin) ?? 0) + count);
  }
  return [...counts]
    .sort(([a], [b]) => a - b)
    .map(([bin, count]) => ({ bin, lowNs: boundOf(bin), highNs: boundOf(bin + 1), count }));
}

function columnOf({ name, result }: Column): ReportColumn {
  const { generation, settings, outcome, runNs, series, faultsAll } = result;
  const { p50Ns, p99Ns, maxNs } = faultsAll;
  return {
    name,
    generation,
    settings,
    outcome,
    runNs,
    series,
    latency: latencyOf(faultsAll),
    p50Ns,
    p99Ns,
    maxNs,
  };
}

/** Gathers all that the page shows. */
export function reportData(columns: readonly Column[], options: ReportOptions): ReportData {
  return {
    schema: 1,
    version: options.version,
    workload: columns[0]!.result.workload,
    about: headerOf(columns, options.version),
    command: options.command ?? "",
    answer: answerOf(columns),
    columns: columns.map(columnOf),
    table: tableOf(columns),
    counters: counterRows(columns),
    trust: trustNotes(columns, options.measurements),
  };
}
