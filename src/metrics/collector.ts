/**
 * Collects a run's figures: listens to the kernel's events, is told of each fault, and looks at memory at
 * intervals.
 *
 * The interval doubles whenever the series is full, so that a run of any length has between 200 and 400
 * points.
 */
import {
  EVENT,
  type EventCode,
  FAULT_KINDS,
  type FaultKind,
  FLUSH_CAUSES,
  type KernelListener,
} from "../core/events.ts";
import { S_NS } from "../core/units.ts";
import {
  bucketsOf,
  type Histogram,
  makeHistogram,
  mergeInto,
  quantile,
  recordValue,
} from "../lib/histogram.ts";
import { type BalancingTally, hearBalancing, makeBalancing } from "./balancing.ts";
import { hearNuma, makeNumaCounts, type NumaCounts } from "./numa.ts";
import type { BalancingResult, Distribution, MemorySeries, ProcessResult } from "./result.ts";

/** Most points of a series; at this many, every second one goes. */
const POINTS_MAX = 400;
/** First interval: short, for short scripts. */
const FIRST_INTERVAL_NS = 100_000;

/** Between two looks at how much is under huge pages. */
export const HUGE_TICK_NS = 1_000_000;
/**
 * A level of huge memory counts as a peak when it has lasted that many ticks in all: pollers of smaps see no
 * less.
 */
const PEAK_TICKS = 15;
/** In runs of fewer ticks than 300, this share of them is enough. */
const PEAK_SHARE = 0.05;

/** One look at memory, in kB; sums over the processes that live. */
export interface MemoryLook {
  readonly rssKb: number;
  readonly anonKb: number;
  readonly anonHugeKb: number;
  readonly touchedKb: number;
  readonly bloatKb: number;
  readonly hugeFaults: number;
  readonly hugeCollapses: number;
  readonly localLines: number;
  readonly remoteLines: number;
}

export interface Collector {
  readonly listener: KernelListener;
  /** Latencies by fault kind; index as in FAULT_KINDS. */
  readonly latencies: (Histogram | undefined)[];
  readonly points: { tNs: number; look: MemoryLook }[];
  intervalNs: number;
  /** How many ticks saw each number of huge pages mapped, over all processes. */
  readonly hugeTicks: Map<number, number>;
  cowCopies: number;
  collapses: number;
  shootdownRounds: number;
  shootdownInterrupts: number;
  readonly balancing: BalancingTally & BalancingResult;
  /** The same by cause; index as in FLUSH_CAUSES. */
  readonly interruptsByCause: number[];
  readonly numa: NumaCounts;
  compactionNs: number;
  reclaimNs: number;
  readonly processes: ProcessResult[];
}

export function makeCollector(): Collector {
  const c: Collector = {
    listener: (code, _tNs, _cpu, a, b, third, fourth) => {
      hear(c, code, third, fourth);
      if (code >= EVENT.migrateFailed) hearNuma(c.numa, code, [a, b, third, fourth]);
      if (code >= EVENT.migrateFailed) hearBalancing(c.balancing, code, a, b, third);
    },
    latencies: FAULT_KINDS.map(() => undefined),
    points: [],
    intervalNs: FIRST_INTERVAL_NS,
    hugeTicks: new Map(),
    cowCopies: 0,
    collapses: 0,
    shootdownRounds: 0,
    shootdownInterrupts: 0,
    balancing: makeBalancing(),
    interruptsByCause: FLUSH_CAUSES.map(() => 0),
    numa: makeNumaCounts(),
    compactionNs: 0,
    reclaimNs: 0,
    processes: [],
  };
  return c;
}

function hear(c: Collector, code: EventCode, third: number, fourth: number): void {
  switch (code) {
    case EVENT.collapse:
      c.collapses++;
      return;
    case EVENT.cowCopy:
      c.cowCopies++;
      return;
    case EVENT.shootdown:
      if (third > 0) c.shootdownRounds++;
      c.shootdownInterrupts += third;
      c.interruptsByCause[fourth]! += third;
      return;
    case EVENT.compaction:
      c.compactionNs += fourth;
      return;
    case EVENT.reclaim:
      c.reclaimNs += fourth;
      return;
  }
}

/** A fault took that long. */
export function recordFault(c: Collector, kind: FaultKind, latencyNs: number): void {
  const index = FAULT_KINDS.indexOf(kind);
  let histogram = c.latencies[index];
  if (histogram === undefined) {
    histogram = makeHistogram();
    c.latencies[index] = histogram;
  }
  recordValue(histogram, latencyNs);
}

/** Adds a point; returns when the next one is due. */
export function recordMemory(c: Collector, tNs: number, look: MemoryLook): number {
  c.points.push({ tNs, look });
  if (c.points.length >= POINTS_MAX) {
    const kept = c.points.filter((_, i) => i % 2 === 0);
    c.points.length = 0;
    c.points.push(...kept);
    c.intervalNs *= 2;
  }
  return tNs + c.intervalNs;
}

/** A tick saw that many huge pages mapped. */
export function recordHuge(c: Collector, hugePages: number): void {
  c.hugeTicks.set(hugePages, (c.hugeTicks.get(hugePages) ?? 0) + 1);
}

/**
 * The most huge pages that were mapped for a while. What lasts shorter (both sides of a fork hold the same
 * pages until one of them writes) is left out, as it would be by whoever reads smaps every 15 ms. Without
 * ticks: `atMost`.
 */
export function lastingHugePeak(c: Collector, atMost: number): number {
  let ticks = 0;
  for (const count of c.hugeTicks.values()) ticks += count;
  if (ticks === 0) return atMost;
  const enough = Math.min(PEAK_TICKS, Math.max(1, ticks * PEAK_SHARE));
  let above = 0;
  for (const [level, count] of [...c.hugeTicks].sort(([a], [b]) => b - a)) {
    above += count;
    if (above >= enough) return level;
  }
  return 0;
}

export function distributionOf(histogram: Histogram): Distribution {
  return {
    count: histogram.count,
    totalNs: histogram.total,
    p50Ns: quantile(histogram, 0.5),
    p99Ns: quantile(histogram, 0.99),
    p999Ns: quantile(histogram, 0.999),
    maxNs: histogram.max,
    buckets: bucketsOf(histogram),
  };
}

/** Latencies of every kind that occurred, and of all together. */
export function faultDistributions(c: Collector): {
  readonly byKind: Partial<Record<FaultKind, Distribution>>;
  readonly all: Distribution;
} {
  const byKind: Partial<Record<FaultKind, Distribution>> = {};
  const all = makeHistogram();
  FAULT_KINDS.forEach((kind, index) => {
    const histogram = c.latencies[index];
    if (histogram === undefined) return;
    byKind[kind] = distributionOf(histogram);
    mergeInto(all, histogram);
  });
  return { byKind, all: distributionOf(all) };
}

export function seriesOf(c: Collector): MemorySeries {
  const column = (pick: (look: MemoryLook) => number) => c.points.map((point) => pick(point.look));
  return {
    tNs: c.points.map((point) => point.tNs),
    rssKb: column((look) => look.rssKb),
    anonKb: column((look) => look.anonKb),
    anonHugeKb: column((look) => look.anonHugeKb),
    touchedKb: column((look) => look.touchedKb),
    bloatKb: column((look) => look.bloatKb),
    hugeFaults: column((look) => look.hugeFaults),
    hugeCollapses: column((look) => look.hugeCollapses),
    localLines: column((look) => look.localLines),
    remoteLines: column((look) => look.remoteLines),
  };
}

/** Time-weighted means over the series. */
export function meansOf(c: Collector): { readonly rssKb: number; readonly hugeShare: number } {
  let weighedRss = 0;
  let weighedHuge = 0;
  let weighedAnon = 0;
  let seconds = 0;
  for (let i = 1; i < c.points.length; i++) {
    const before = c.points[i - 1]!;
    const dt = (c.points[i]!.tNs - before.tNs) / S_NS;
    seconds += dt;
    weighedRss += before.look.rssKb * dt;
    weighedHuge += before.look.anonHugeKb * dt;
    weighedAnon += before.look.anonKb * dt;
  }
  return {
    rssKb: seconds === 0 ? (c.points[0]?.look.rssKb ?? 0) : Math.round(weighedRss / seconds),
    hugeShare: weighedAnon === 0 ? 0 : weighedHuge / weighedAnon,
  };
}
