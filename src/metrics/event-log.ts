/** The events of a run in columns that grow, up to a limit. */
import type { EventCode } from "../core/events.ts";
import { makeGrown } from "../lib/grow.ts";
import type { EventColumns } from "./recording.ts";

export interface EventRow {
  readonly tNs: number;
  readonly code: EventCode;
  readonly cpu: number;
  readonly task: number;
  readonly a: number;
  readonly b: number;
  readonly c: number;
  readonly d: number;
  readonly before: number;
  readonly after: number;
  readonly course: number;
}

export interface EventLog {
  push(row: EventRow): void;
  /** The columns, in order of time. */
  columns(): EventColumns;
}

export function makeEventLog(eventsMax: number): EventLog {
  const tNs = makeGrown(Float64Array);
  const code = makeGrown(Uint8Array);
  const cpu = makeGrown(Uint8Array);
  const task = makeGrown(Uint16Array);
  const a = makeGrown(Float64Array);
  const b = makeGrown(Float64Array);
  const c = makeGrown(Int32Array);
  const d = makeGrown(Float64Array);
  const before = makeGrown(Int32Array);
  const after = makeGrown(Int32Array);
  const course = makeGrown(Int32Array);
  let dropped = 0;
  return {
    push(row) {
      if (tNs.length >= eventsMax) {
        dropped++;
        return;
      }
      tNs.push(row.tNs);
      code.push(row.code);
      cpu.push(row.cpu);
      task.push(row.task);
      a.push(row.a);
      b.push(row.b);
      c.push(row.c);
      d.push(row.d);
      before.push(row.before);
      after.push(row.after);
      course.push(row.course);
    },
    columns() {
      const order = orderOf(tNs.array, tNs.length);
      const pick = <T extends Uint8Array | Uint16Array | Int32Array | Float64Array>(column: T): T =>
        order === undefined ? column : (column.map((_, i) => column[order[i]!]!) as T);
      return {
        count: tNs.length,
        tNs: pick(tNs.taken()),
        code: pick(code.taken()),
        cpu: pick(cpu.taken()),
        task: pick(task.taken()),
        a: pick(a.taken()),
        b: pick(b.taken()),
        c: pick(c.taken()),
        d: pick(d.taken()),
        before: pick(before.taken()),
        after: pick(after.taken()),
        course: pick(course.taken()),
        dropped,
      };
    },
  };
}

/** Indices in order of time, ties in order of arrival; undefined when they stand in it already. */
function orderOf(tNs: Float64Array, length: number): Uint32Array | undefined {
  let sorted = true;
  for (let i = 1; i < length && sorted; i++) sorted = tNs[i]! >= tNs[i - 1]!;
  if (sorted) return undefined;
  return Uint32Array.from({ length }, (_, i) => i).sort((x, y) => tNs[x]! - tNs[y]! || x - y);
}
