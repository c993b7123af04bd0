/**
 * A result for programs: every figure of a column under its name in snake_case. Series stay in the HTML
 * report.
 */
import type { Distribution } from "../metrics/result.ts";
import type { Column } from "./table.ts";

/** `peakAnonHugeKb` → `peak_anon_huge_kb`, `p999Ns` → `p999_ns`, `anon-4k` → `anon_4k`. */
export function snakeCase(name: string): string {
  return name
    .replace(/([a-z0-9])([A-Z])/g, "$1_$2")
    .replaceAll("-", "_")
    .toLowerCase();
}

/** A plain value with every key in snake_case. */
function snakeKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(snakeKeys);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inside]) => [snakeCase(key), snakeKeys(inside)]),
  );
}

const withoutBuckets = ({ buckets: _buckets, ...figures }: Distribution): unknown => figures;

/** One column of `compare --json`. Counters and knobs keep their kernel names. */
export function jsonColumn({ name, result }: Column): Record<string, unknown> {
  const { vmstat, settings, series: _series, faults, faultsAll, ...rest } = result;
  const byKind = Object.entries(faults).map(([kind, times]) => [kind, withoutBuckets(times)] as const);
  return {
    name,
    generation: result.generation,
    settings,
    vmstat,
    ...(snakeKeys(rest) as Record<string, unknown>),
    faults_all: snakeKeys(withoutBuckets(faultsAll)),
    faults: snakeKeys(Object.fromEntries(byKind)),
  };
}

/** All of `compare --json`, on one line. */
export function renderJson(columns: readonly Column[]): string {
  return JSON.stringify({ columns: columns.map(jsonColumn) }) + "\n";
}
