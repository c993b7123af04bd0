/** Fault latencies in ten bins to each power of ten. */
import type { Distribution } from "../metrics/result.ts";

export interface LatencyBin {
  /** Number of the bin: it holds from 10^(bin/10) up to 10^((bin+1)/10) ns. */
  readonly bin: number;
  readonly lowNs: number;
  readonly highNs: number;
  readonly count: number;
}

export const BINS_PER_DECADE = 10;

/** The bin of a latency. */
export function latencyBinOf(ns: number): number {
  return Math.max(0, Math.floor(Math.log10(Math.max(1, ns)) * BINS_PER_DECADE + 1e-9));
}

const boundOf = (bin: number): number => Math.round(10 ** (bin / BINS_PER_DECADE));

/** The bins that hold faults, the shortest first. */
export function latencyBins(faults: Distribution): LatencyBin[] {
  const counts = new Map<number, number>();
  for (const [lowNs, count] of faults.buckets) {
    const bin = latencyBinOf(lowNs);
    counts.set(bin, (counts.get(bin) ?? 0) + count);
  }
  return [...counts]
    .sort(([a], [b]) => a - b)
    .map(([bin, count]) => ({ bin, lowNs: boundOf(bin), highNs: boundOf(bin + 1), count }));
}
