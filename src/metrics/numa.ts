/** What a machine of several nodes adds to a run's figures: heard from the kernel's events. */
import { EVENT, type EventCode, MOVE_FAILURES, type MoveFailure } from "../core/events.ts";

import type { FailedMoves } from "./result.ts";

export interface NumaCounts {
  /** Pages that did not move, by reason; index as in MOVE_FAILURES. A huge page counts once. */
  readonly failedMoves: number[];
  /** Time in which pages could not be used because they moved. */
  moveNs: number;
  /** Faults that waited for a page on its way, and how long. */
  moveWaits: number;
  moveWaitNs: number;
  scans: number;
  scanNs: number;
}

export function makeNumaCounts(): NumaCounts {
  return {
    failedMoves: MOVE_FAILURES.map(() => 0),
    moveNs: 0,
    moveWaits: 0,
    moveWaitNs: 0,
    scans: 0,
    scanNs: 0,
  };
}

/** Counts one event; numbers as the comment of its code names them. */
export function hearNuma(
  n: NumaCounts,
  code: EventCode,
  [, b, c, d]: readonly [a: number, b: number, c: number, d: number],
): void {
  switch (code) {
    case EVENT.migrateFailed:
      n.failedMoves[d]! += 1;
      return;
    case EVENT.moveWindow:
      n.moveNs += c;
      return;
    case EVENT.moveWait:
      n.moveWaits += 1;
      n.moveWaitNs += b;
      return;
    case EVENT.numaScan:
      n.scans += 1;
      n.scanNs += d;
      return;
  }
}

/** The same for the result. */
export function failedMovesOf({ failedMoves }: NumaCounts): FailedMoves {
  const of = (why: MoveFailure): number => failedMoves[MOVE_FAILURES.indexOf(why)]!;
  return {
    refused: of("refused"),
    noRoom: of("no-room"),
    notIsolated: of("not-isolated"),
    noMemory: of("no-memory"),
    busy: of("busy"),
  };
}
