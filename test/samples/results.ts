/**
 * Hand-made results for tests of reports: small, plausible, and different where a report must show a
 * difference.
 */
import { makeBalancing } from "../../src/metrics/balancing.ts";
import type { Distribution, MemorySeries, Result } from "../../src/metrics/result.ts";

export function distribution(buckets: readonly (readonly [number, number])[], sum = 0): Distribution {
  const count = buckets.reduce((total, [, n]) => total + n, 0);
  const at = (share: number): number => {
    let seen = 0;
    for (const [low, n] of buckets) if ((seen += n) >= share * count) return low;
    return 0;
  };
  const totalNs = sum || buckets.reduce((total, [low, n]) => total + low * n, 0);
  const maxNs = buckets.at(-1)?.[0] ?? 0;
  return { count, totalNs, p50Ns: at(0.5), p99Ns: at(0.99), p999Ns: at(0.999), maxNs, buckets };
}

const NO_SERIES: MemorySeries = {
  tNs: [0, 1e9],
  rssKb: [0, 4096],
  anonKb: [0, 4096],
  anonHugeKb: [0, 0],
  touchedKb: [0, 4096],
  bloatKb: [0, 0],
  hugeFaults: [0, 0],
  hugeCollapses: [0, 0],
  localLines: [0, 0],
  remoteLines: [0, 0],
};

/** A result that finished with nothing remarkable, with some fields changed. */
export function sampleResult(changes: Partial<Result> = {}): Result {
  const faultsAll = distribution([[1500, 1024]]);
  return {
    schema: 1,
    generation: "linux-6.18",
    machine: "nodes=1 cpus=2 mem=24G",
    hardware: "zen4",
    seed: 1,
    workload: "sample",
    settings: {},
    outcome: "finished",
    referencesComplete: true,
    vmstat: { pgfault: 1024 },
    touchedPeakKb: 4096,
    peakRssKb: 4096,
    peakRssSumKb: 4096,
    meanRssSumKb: 2048,
    peakAnonHugeKb: 0,
    peakBloatKb: 0,
    finalBloatKb: 0,
    cowCopiedKb: 0,
    hugeFromFault: 0,
    hugeCollapsed: 0,
    hugeSplit: 0,
    hugeFallback: 0,
    hugeShareMean: 0,
    faults: { "anon-4k": faultsAll },
    faultsAll,
    tlb: {
      references: 100_000,
      firstLevelHits: 99_000,
      secondLevelHits: 690,
      walks: 310,
      walkReferences: 620,
      walkNs: 9_300,
    },
    shootdowns: { rounds: 0, interrupts: 0, byCause: {}, senderNs: 0, interruptedNs: 0 },
    balancing: makeBalancing(),
    khugepagedNs: 0,
    compactionNs: 0,
    reclaimNs: 0,
    runNs: 1e9,
    series: NO_SERIES,
    processes: [{ pid: 100, name: "sample", peakRssKb: 4096, peakAnonHugeKb: 0 }],
    locks: [],
    zones: [],
    ...changes,
  };
}

/** The same program under huge pages: 7 % more memory, fewer and longer faults. */
export function sampleHuge(changes: Partial<Result> = {}): Result {
  const huge = distribution([[176_000, 20]]);
  const faultsAll = distribution([
    [1500, 600],
    [176_000, 20],
  ]);
  return sampleResult({
    settings: { "transparent_hugepage/enabled": "always" },
    vmstat: { pgfault: 620, thp_fault_alloc: 20 },
    peakRssKb: 4388,
    peakRssSumKb: 4388,
    meanRssSumKb: 2200,
    peakAnonHugeKb: 4096,
    peakBloatKb: 292,
    finalBloatKb: 292,
    hugeFromFault: 20,
    hugeCollapsed: 1,
    hugeShareMean: 0.93,
    faults: { "anon-4k": distribution([[1500, 600]]), "anon-huge": huge },
    faultsAll,
    tlb: {
      references: 100_000,
      firstLevelHits: 99_900,
      secondLevelHits: 10,
      walks: 90,
      walkReferences: 90,
      walkNs: 1_500,
    },
    khugepagedNs: 2_000_000,
    runNs: 972e6,
    series: {
      ...NO_SERIES,
      rssKb: [0, 4388],
      anonHugeKb: [0, 4096],
      bloatKb: [0, 292],
      hugeFaults: [0, 20],
      hugeCollapses: [0, 1],
    },
    ...changes,
  });
}
