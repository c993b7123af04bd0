/** What a replay keeps: its threads and processes, and which PMD row each trace slot lies in. */
import { asVpn, NO_ROW, PAGE_BYTES, type PmdRow, type Vpn } from "../core/units.ts";
import type { Mm } from "../kernel/mm/mm.ts";
import { findRow } from "../kernel/mm/page-table.ts";
import { assert } from "../lib/assert.ts";
import type { TraceReader } from "../workloads/records.ts";
import type { Runner } from "./driver-state.ts";
import { makeRefCursor, type RefCursor } from "./references.ts";
import type { Session } from "./session.ts";

export interface ReplayProcess {
  readonly index: number;
  mm: Mm;
}

export interface ReplayThread {
  readonly index: number;
  process: ReplayProcess;
  readonly runner: Runner;
  cpu: number;
  /** Its clock. */
  readyNs: number;
  ended: boolean;
  readonly cursor: RefCursor;
}

export interface Replay {
  readonly session: Session;
  readonly trace: TraceReader;
  readonly threads: (ReplayThread | undefined)[];
  readonly processes: (ReplayProcess | undefined)[];
  /** PMD row of each slot, -1 while unknown. Grows with the trace's slots. */
  slotRows: Int32Array;
  /** PMD tables that the kernel had retired when `slotRows` was last right. */
  retiredTables: number;
  /** No item starts before the one in front of it. */
  orderNs: number;
  /** What a recorded fault cost in the recording: taken off the gap behind it. */
  readonly recordedFaultNs: number;
  /** Records that the model could not carry out: no area known, or none that allows it. */
  skipped: number;
  readonly makeCursor: () => RefCursor;
}

/** Picoseconds of an instruction for sources without time: about 0.3 ns for cache-friendly code (assumed). */
const INSTRUCTION_PS = 300;

export function makeReplay(session: Session, trace: TraceReader): Replay {
  const { k } = session;
  // A slot is 2 MiB: as many rows as that has huge pages, one behind the other.
  assert(k.geometry.hugeOrder <= 9, "a slot of a trace is at least a huge page");
  const faultsOnly = trace.header.coverage === "faults";
  const gapPs = trace.header.timeUnit === "ns" ? 1000 : INSTRUCTION_PS;
  return {
    session,
    trace,
    threads: [],
    processes: [],
    slotRows: new Int32Array(1024).fill(-1),
    retiredTables: 0,
    orderNs: 0,
    recordedFaultNs: faultsOnly ? k.costs.faultNs + k.costs.zeroPageNs : 0,
    skipped: 0,
    makeCursor: () => makeRefCursor(gapPs),
  };
}

/** First page of a slot's region. */
export function slotStart(replay: Replay, slot: number): Vpn {
  return asVpn((replay.trace.regions.region[slot]! * 2 ** 21) / PAGE_BYTES);
}

/**
 * Makes room for the slots that the trace has by now, and forgets rows whose tables the kernel has given
 * back.
 */
export function refreshSlots(replay: Replay): void {
  const { count } = replay.trace.regions;
  const retired = replay.session.k.pt.retired;
  if (retired !== replay.retiredTables) {
    replay.retiredTables = retired;
    replay.slotRows.fill(-1);
  }
  if (count <= replay.slotRows.length) return;
  const grown = new Int32Array(Math.max(count, replay.slotRows.length * 2)).fill(-1);
  grown.set(replay.slotRows);
  replay.slotRows = grown;
}

/** The row of a slot, looked up if the hot loop does not know it yet. */
export function rowOfSlot(replay: Replay, mm: Mm, slot: number): PmdRow {
  const row = findRow(replay.session.k.pt, mm.directory, slotStart(replay, slot));
  if (row !== NO_ROW) replay.slotRows[slot] = row;
  return row;
}
