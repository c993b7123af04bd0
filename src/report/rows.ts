/** Events and samples of all columns as two flat tables: what goes into Parquet files. */
import { EVENT, FAULT_KINDS } from "../core/events.ts";
import { PAGE_BYTES } from "../core/units.ts";
import type { Recording } from "../metrics/recording.ts";
import { eventName, pageOfEvent } from "./events.ts";
import type { Column } from "./table.ts";

/** A column of a flat table; null where a row has no such figure. */
export interface FlatColumn {
  readonly name: string;
  readonly type: "STRING" | "INT32" | "DOUBLE";
  readonly data: readonly (string | number | null)[];
}

type Recorded = Column & { readonly recording: Recording };

const recorded = (columns: readonly Column[]): Recorded[] =>
  columns.filter((column): column is Recorded => column.recording !== undefined);

/** One value for each event of each run. */
function ofEvents<T>(columns: readonly Recorded[], read: (r: Recording, i: number, name: string) => T): T[] {
  return columns.flatMap(({ name, recording }) =>
    Array.from({ length: recording.events.count }, (_, i) => read(recording, i, name)),
  );
}

const orNull = (value: number): number | null => (value < 0 ? null : value);

/**
 * Events: when, what, where, whose. `address` in bytes; `a` to `d` are the event's own numbers, as
 * docs/formats.md names them.
 */
export function eventRows(all: readonly Column[]): FlatColumn[] {
  const columns = recorded(all);
  const text = (
    name: string,
    read: (r: Recording, i: number, column: string) => string | null,
  ): FlatColumn => ({
    name,
    type: "STRING",
    data: ofEvents(columns, read),
  });
  const number = (
    name: string,
    type: "INT32" | "DOUBLE",
    read: (r: Recording, i: number) => number | null,
  ) => ({
    name,
    type,
    data: ofEvents(columns, read),
  });
  const isFault = (r: Recording, i: number): boolean => r.events.code[i] === EVENT.fault;
  const mmOf = (r: Recording, i: number) => r.mms[r.tasks[r.events.task[i]!]!.mm];
  return [
    text("column", (_r, _i, name) => name),
    number("t_ns", "DOUBLE", (r, i) => r.events.tNs[i]!),
    text("event", (r, i) => eventName(r.events.code[i]!)),
    number("cpu", "INT32", (r, i) => r.events.cpu[i]!),
    text("task", (r, i) => r.tasks[r.events.task[i]!]!.name),
    text("process", (r, i) => mmOf(r, i)?.name ?? null),
    number("pid", "INT32", (r, i) => mmOf(r, i)?.pid ?? null),
    number("address", "DOUBLE", (r, i) => {
      const page = pageOfEvent(r.events, i);
      return page === undefined ? null : page * PAGE_BYTES;
    }),
    text("fault_kind", (r, i) => (isFault(r, i) ? (FAULT_KINDS[r.events.c[i]!] ?? null) : null)),
    number("latency_ns", "DOUBLE", (r, i) => (isFault(r, i) ? r.events.d[i]! : null)),
    number("frame_before", "INT32", (r, i) => orNull(r.events.before[i]!)),
    number("frame_after", "INT32", (r, i) => orNull(r.events.after[i]!)),
    number("a", "DOUBLE", (r, i) => r.events.a[i]!),
    number("b", "DOUBLE", (r, i) => r.events.b[i]!),
    number("c", "DOUBLE", (r, i) => r.events.c[i]!),
    number("d", "DOUBLE", (r, i) => r.events.d[i]!),
  ];
}

/** Samples: memory by kind, memory of each node, and every counter that changed in some run. */
export function sampleRows(all: readonly Column[]): FlatColumn[] {
  const columns = recorded(all);
  const figures = new Map<string, (r: Recording, i: number) => number | null>();
  for (const { recording } of columns) {
    const { memoryKb, nodeKb, counters } = recording.samples;
    for (const kind of Object.keys(memoryKb)) {
      const read = (r: Recording, i: number) => r.samples.memoryKb[kind as keyof typeof memoryKb][i]!;
      figures.set(`${kind.replaceAll("-", "_")}_kb`, read);
    }
    nodeKb.forEach((_, node) => {
      figures.set(`node${node}_kb`, (r, i) => r.samples.nodeKb[node]?.[i] ?? null);
    });
    for (const name of Object.keys(counters)) {
      figures.set(name, (r, i) => r.samples.counters[name]?.[i] ?? null);
    }
  }
  const data = <T>(read: (r: Recording, i: number, name: string) => T): T[] =>
    columns.flatMap(({ name, recording }) =>
      Array.from({ length: recording.samples.tNs.length }, (_, i) => read(recording, i, name)),
    );
  return [
    { name: "column", type: "STRING", data: data((_r, _i, name) => name) },
    { name: "t_ns", type: "DOUBLE", data: data((r, i) => r.samples.tNs[i]!) },
    ...[...figures].map(([name, read]): FlatColumn => ({ name, type: "DOUBLE", data: data(read) })),
  ];
}
