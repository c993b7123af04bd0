/**
 * Reads what a real kernel did with a workload (`--measured FILE`), so that a report can say how far the
 * model is off.
 */
import { readFileSync } from "node:fs";
import { UserError } from "../lib/assert.ts";
import type { Measurement } from "../report/trust.ts";
import { demandFile } from "./host.ts";

const SHAPE =
  '{"source": TEXT, "columns": [{"column": NAME, "page_faults": N, "huge_pages": N, "peak_rss_kb": N, ' +
  '"peak_anon_huge_kb": N}]}, each figure optional';

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Figures of the file, and the names they have inside. */
const FIGURES = [
  ["page_faults", "pageFaults"],
  ["huge_pages", "hugePages"],
  ["peak_rss_kb", "peakRssKb"],
  ["peak_anon_huge_kb", "peakAnonHugeKb"],
] as const;

function measurementOf(value: unknown, source: string): Measurement | undefined {
  if (!isRecord(value) || typeof value.column !== "string") return undefined;
  const figures: Record<string, number> = {};
  for (const [key, name] of FIGURES) {
    const figure = value[key];
    if (figure === undefined) continue;
    if (typeof figure !== "number") return undefined;
    figures[name] = figure;
  }
  return { column: value.column, source, ...figures };
}

export interface Measured {
  readonly measurements: readonly Measurement[];
  /** Release of the kernel that was measured, such as 6.18.44; not there when the file does not say it. */
  readonly release?: string;
}

/** The measurements of a file. */
export function readMeasurements(path: string): Measured {
  demandFile(path);
  const mistake = (found: string): UserError =>
    new UserError(`expected ${SHAPE}; found ${found}`, { file: path });
  let parsed: unknown;
  try {
    parsed = JSON.parse(readFileSync(path, "utf8"));
  } catch (error) {
    throw mistake((error as Error).message);
  }
  if (!isRecord(parsed) || typeof parsed.source !== "string") throw mistake("no source");
  if (!Array.isArray(parsed.columns)) throw mistake("no columns");
  const { source } = parsed;
  const measurements = parsed.columns.map((column: unknown) => {
    const measurement = measurementOf(column, source);
    if (measurement === undefined) throw mistake(JSON.stringify(column));
    return measurement;
  });
  const release = /Linux (\d+\.\d+\S*)/.exec(typeof parsed.kernel === "string" ? parsed.kernel : source)?.[1];
  return { measurements, ...(release === undefined ? {} : { release }) };
}
