/** Memory and rates over time, for runs with and without a recording. */
import { MEMORY_KINDS } from "../../metrics/recording.ts";
import type { Column } from "../../report/table.ts";

export interface Memory {
  readonly tNs: ArrayLike<number>;
  /** In kB, bottom of the stack first. */
  readonly layers: readonly { readonly kind: string; readonly kb: ArrayLike<number> }[];
  /** What the program itself touched, in kB. */
  readonly touchedKb: ArrayLike<number>;
  readonly freeKb: ArrayLike<number> | undefined;
}

/** Memory by kind. Results that were not recorded know three kinds. */
export function memoryOf({ result, recording }: Column): Memory {
  const { series } = result;
  if (recording !== undefined) {
    const { tNs, memoryKb } = recording.samples;
    const layers = MEMORY_KINDS.map((kind) => ({ kind, kb: memoryKb[kind] }));
    return {
      tNs,
      layers: layers.filter(({ kb }) => kb.some((value) => value > 0)),
      touchedKb: series.touchedKb,
      freeKb: memoryKb.free,
    };
  }
  const less = (a: readonly number[], b: readonly number[]) => a.map((value, i) => value - b[i]!);
  return {
    tNs: series.tNs,
    layers: [
      { kind: "huge", kb: series.anonHugeKb },
      { kind: "base", kb: less(series.anonKb, series.anonHugeKb) },
      { kind: "file", kb: less(series.rssKb, series.anonKb) },
    ],
    touchedKb: series.touchedKb,
    freeKb: undefined,
  };
}

/** Something that is counted over time: how fast it grows. */
export interface Rate {
  readonly key: string;
  readonly label: string;
  readonly counters: readonly string[];
}

export const RATES: readonly Rate[] = [
  { key: "faults", label: "page faults", counters: ["pgfault"] },
  {
    key: "promotions",
    label: "promotions to huge pages",
    counters: ["thp_fault_alloc", "thp_collapse_alloc"],
  },
  { key: "reservations", label: "reservations", counters: ["thp_res_alloc"] },
  { key: "splits", label: "splits", counters: ["thp_split_pmd", "thp_split_page"] },
  { key: "migrations", label: "migrations", counters: ["pgmigrate_success"] },
  { key: "shootdowns", label: "shootdowns", counters: ["nr_tlb_remote_flush"] },
  { key: "swap", label: "pages to and from swap", counters: ["pswpin", "pswpout"] },
];

export interface Counted {
  readonly tNs: ArrayLike<number>;
  /** So far. */
  readonly total: ArrayLike<number>;
}

/** The sum of some counters over time; undefined when the run never counted any of them. */
export function countedOf({ recording }: Column, counters: readonly string[]): Counted | undefined {
  if (recording === undefined) return undefined;
  const { samples } = recording;
  const columns = counters.flatMap((name) => samples.counters[name] ?? []);
  if (columns.length === 0) return undefined;
  const total = samples.tNs.map((_, i) => columns.reduce((sum, column) => sum + column[i]!, 0));
  return { tNs: samples.tNs, total };
}

/** Local share of NUMA hint faults between samples, 0..1; undefined without hint faults. */
export function localShareOf(column: Column): Counted | undefined {
  const all = countedOf(column, ["numa_hint_faults"]);
  if (all === undefined) return undefined;
  const local = countedOf(column, ["numa_hint_faults_local"])?.total;
  let share = 0;
  const total = Array.from(all.tNs, (_, i) => {
    const faults = all.total[i]! - (all.total[i - 1] ?? 0);
    if (faults > 0) share = ((local?.[i] ?? 0) - (local?.[i - 1] ?? 0)) / faults;
    return share;
  });
  return { tNs: all.tNs, total };
}

/** Index of the last sample at or before a moment, at least 0. */
export function sampleAt(tNs: ArrayLike<number>, ns: number): number {
  let low = 0;
  let high = tNs.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (tNs[middle]! <= ns) low = middle;
    else high = middle - 1;
  }
  return low;
}
