/**
 * Results for programs: every figure of a column under its name in snake_case. docs/formats.md is the schema
 * for people; `readResults` reads what `renderJson` wrote.
 */
import { UserError } from "../lib/assert.ts";
import type { Result } from "../metrics/result.ts";
import type { Column } from "./table.ts";

/** Name and version of the format. A reader refuses a version that it does not know. */
export const RESULTS_FORMAT = "pagewise-results";
export const RESULTS_VERSION = 1;

/** `peakAnonHugeKb` → `peak_anon_huge_kb`, `p999Ns` → `p999_ns`, `anon-4k` → `anon_4k`. */
export function snakeCase(name: string): string {
  return name
    .replace(/([a-z0-9])([A-Z])/g, "$1_$2")
    .replaceAll("-", "_")
    .toLowerCase();
}

/** The way back, for names that are no kinds of faults. */
const camelCase = (name: string): string =>
  name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());

/** A plain value with every key renamed. */
function renamed(value: unknown, rename: (key: string) => string): unknown {
  if (Array.isArray(value)) return value.map((each) => renamed(each, rename));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inside]) => [rename(key), renamed(inside, rename)]),
  );
}

/** Times of waiting for locks, by class; classes that nobody took are left out. */
export function contentionOf({ locks }: Pick<Result, "locks">): Record<string, unknown> {
  const taken = locks.filter(({ acquisitions }) => acquisitions > 0);
  return Object.fromEntries(
    taken.map(({ lockClass, acquisitions, waits, waitTotalNs, waitMaxNs }) => [
      lockClass,
      { acquisitions, waits, wait_total_ns: waitTotalNs, wait_max_ns: waitMaxNs },
    ]),
  );
}

/** Counters that every column has, also where they are 0: what readers ask for first. */
const ALWAYS_THERE = [
  "pgfault",
  "thp_fault_alloc",
  "thp_fault_fallback",
  "thp_collapse_alloc",
  "thp_split_page",
  "thp_split_pmd",
] as const;

/**
 * One column of `compare --json`. Counters and knobs keep their kernel names; those of `counters` are there
 * even if nothing changed them.
 */
export function jsonColumn(
  { name, result }: Column,
  counters: Iterable<string> = [],
): Record<string, unknown> {
  const { vmstat, settings, faults, ...rest } = result;
  const names = new Set([...ALWAYS_THERE, ...counters, ...Object.keys(vmstat)]);
  return {
    name,
    generation: result.generation,
    settings,
    vmstat: Object.fromEntries([...names].map((counter) => [counter, vmstat[counter] ?? 0])),
    ...(renamed(rest, snakeCase) as Record<string, unknown>),
    contention: contentionOf(result),
    faults: renamed(faults, snakeCase),
  };
}

/** All of `compare --json`, on one line; its columns have the same counters. */
export function renderJson(columns: readonly Column[]): string {
  const head = { format: RESULTS_FORMAT, version: RESULTS_VERSION };
  const counters = new Set(columns.flatMap(({ result }) => Object.keys(result.vmstat)));
  return JSON.stringify({ ...head, columns: columns.map((column) => jsonColumn(column, counters)) }) + "\n";
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function readColumn(value: unknown, index: number, file: string): Column {
  const place = { file };
  if (!isObject(value)) throw new UserError(`column ${index + 1} is no object`, place);
  // `contention` says again what `locks` says.
  const { name, vmstat, settings, faults, contention: _, ...rest } = value;
  const result = renamed(rest, camelCase) as Record<string, unknown>;
  for (const key of ["faultsAll", "series", "tlb", "processes", "locks", "zones", "runNs"]) {
    if (result[key] === undefined) {
      throw new UserError(`column ${index + 1} has no '${snakeCase(key)}': it was cut or changed`, place);
    }
  }
  if (typeof name !== "string" || !isObject(vmstat) || !isObject(settings) || !isObject(faults)) {
    throw new UserError(`column ${index + 1} lacks its name, settings, counters or faults`, place);
  }
  const kinds = Object.entries(faults).map(
    ([kind, times]) => [kind.replaceAll("_", "-"), renamed(times, camelCase)] as const,
  );
  const changed = Object.fromEntries(Object.entries(vmstat).filter(([, count]) => count !== 0));
  const whole = { ...result, vmstat: changed, settings, faults: Object.fromEntries(kinds) };
  return { name, result: whole as unknown as Result };
}

/** Reads `compare --json`. Throws `UserError` for anything else, and for versions from the future. */
export function readResults(text: string, file: string): Column[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new UserError(`no JSON, or cut off: ${(error as Error).message}`, { file });
  }
  if (!isObject(value) || value.format !== RESULTS_FORMAT) {
    throw new UserError(`expected "format": "${RESULTS_FORMAT}", which 'compare --json' writes`, { file });
  }
  if (typeof value.version !== "number" || value.version > RESULTS_VERSION) {
    throw new UserError(
      `its version is ${String(value.version)}, this Pagewise reads up to ${RESULTS_VERSION}: ` +
        "take a newer one",
      { file },
    );
  }
  if (!Array.isArray(value.columns) || value.columns.length === 0) {
    throw new UserError("it holds no columns", { file });
  }
  return value.columns.map((column, index) => readColumn(column, index, file));
}
