/**
 * "How far to trust this": what the figures rest on, said beside them. Agreement with a real kernel's
 * measurement is computed from that measurement, never asserted.
 */
import { generationByName } from "../generations/index.ts";
import { nameOfErrno } from "./errnos.ts";
import { formatFigure, formatRelative } from "./format.ts";
import type { Column } from "./table.ts";

/** What a real kernel did with the same program; figures that were not measured are left out. */
export interface Measurement {
  /** The column that ran under the same settings. */
  readonly column: string;
  /** Who measured: kernel and machine, for people. */
  readonly source: string;
  readonly pageFaults?: number;
  readonly hugePages?: number;
  readonly peakRssKb?: number;
  readonly peakAnonHugeKb?: number;
}

/** One figure, as the model has it and as the kernel counted it. */
export interface Comparison {
  readonly what: string;
  readonly kind: "count" | "bytes";
  readonly model: number;
  readonly real: number | undefined;
}

/** The figures that a measurement can be held against. */
export function comparisons({ result }: Column, m: Measurement): Comparison[] {
  const kb = (value: number | undefined): number | undefined =>
    value === undefined ? undefined : value * 1024;
  const hugePages = result.hugeFromFault;
  return [
    { what: "huge pages at first touch", kind: "count", model: hugePages, real: m.hugePages },
    { what: "page faults", kind: "count", model: result.vmstat.pgfault ?? 0, real: m.pageFaults },
    {
      what: "peak of the largest process",
      kind: "bytes",
      model: result.peakRssKb * 1024,
      real: kb(m.peakRssKb),
    },
    {
      what: "peak under huge pages",
      kind: "bytes",
      model: result.peakAnonHugeKb * 1024,
      real: kb(m.peakAnonHugeKb),
    },
  ];
}

function told({ what, kind, model, real }: Comparison): string {
  const off = real === undefined || real === 0 ? "" : formatRelative((model - real) / real);
  return (
    `${what} ${formatFigure(kind, model)}, measured ` +
    `${formatFigure(kind, real)}${off === "" ? "" : ` (${off})`}`
  );
}

function agreement(columns: readonly Column[], measurements: readonly Measurement[]): string[] {
  const notes: string[] = [];
  for (const measurement of measurements) {
    const column = columns.find((each) => each.name === measurement.column);
    if (column === undefined) continue;
    const parts = comparisons(column, measurement).filter((each) => each.real !== undefined);
    notes.push(`${column.name} against ${measurement.source}: ${parts.map(told).join("; ")}.`);
  }
  return notes;
}

const unique = (values: readonly string[]): string[] => [...new Set(values)];

/** Who judges each kernel's model; kernels that have the same judge in one sentence. */
function judges(columns: readonly Column[]): string[] {
  const judged = new Map<string, string[]>();
  for (const name of unique(columns.map(({ result }) => result.generation))) {
    const judge = generationByName(name)?.judgedBy;
    if (judge !== undefined) judged.set(judge, [...(judged.get(judge) ?? []), name]);
  }
  return [...judged].map(([judge, names]) => {
    if (names.length === 1) return `The model of ${names[0]} is judged by ${judge}.`;
    return `The models of ${names.slice(0, -1).join(", ")} and ${names.at(-1)} are judged by ${judge}.`;
  });
}

/** Sentences about the columns, the most important first. */
export function trustNotes(columns: readonly Column[], measurements: readonly Measurement[] = []): string[] {
  const notes = agreement(columns, measurements);
  if (notes.length === 0) notes.push("No real kernel was measured on this workload.");
  notes.push(...judges(columns));
  const hardware = unique(columns.map(({ result }) => result.hardware)).join(", ");
  notes.push(
    "Counts (faults, huge pages, memory) follow the kernel's rules. " +
      `Times follow the cost figures of ${hardware}, each with its source or marked as assumed: ` +
      `read them as relations.`,
  );
  const scales = unique(
    columns.flatMap(({ result: { scale } }) => (scale === undefined ? [] : [`${scale}`])),
  );
  if (scales.length > 0) {
    notes.push(
      `Each page of the model stands for ${scales.join(" or ")} of the machine: memory, and counts of base ` +
        "pages, are so many times as much there; time and huge pages are as they are.",
    );
  }
  if (columns.some(({ result }) => !result.referencesComplete)) {
    notes.push("The trace holds faults, not every reference, so TLB misses and walk time are left out.");
  }
  const failed = columns.filter(({ result }) => result.outcome === "oom").map(({ name }) => name);
  if (failed.length > 0)
    notes.push(`Out of memory under ${failed.join(", ")}: those figures end at that moment.`);
  return [...notes, ...failedCallNotes(columns)];
}

/** What the kernel refused, setting by setting; one line where it is the same under all. */
function failedCallNotes(columns: readonly Column[]): string[] {
  const lists = columns.map(({ name, result: { failedCalls = [] } }) => {
    const calls = failedCalls.map(({ call, errno, count }) => `${call} ${nameOfErrno(errno)} (${count})`);
    return { name, calls: calls.join(", ") };
  });
  if (unique(lists.map(({ calls }) => calls)).length > 1)
    return lists
      .filter(({ calls }) => calls !== "")
      .map(({ name, calls }) => `Calls that failed under ${name}: ${calls}.`);
  const same = lists[0]?.calls ?? "";
  return same === "" ? [] : [`Calls that failed: ${same}.`];
}
