/** NUMA balancing in more detail: how long pages were out of reach, who waited, what the scanner saw. */
import { EVENT, type EventCode } from "../core/events.ts";
import type { BalancingResult, Spans } from "./result.ts";

type Writable<T> = { -readonly [K in keyof T]: T[K] };

/** The result while it is added up. */
export interface BalancingTally {
  scanPages: number;
  markedPages: number;
  readonly outOfReachBase: Writable<Spans>;
  readonly outOfReachHuge: Writable<Spans>;
  readonly waits: Writable<Spans>;
}

const noSpans = (): Writable<Spans> => ({ count: 0, totalNs: 0, longestNs: 0 });

export function makeBalancing(): BalancingTally & BalancingResult {
  return {
    scanPages: 0,
    markedPages: 0,
    outOfReachBase: noSpans(),
    outOfReachHuge: noSpans(),
    waits: noSpans(),
  };
}

function add(spans: Writable<Spans>, ns: number): void {
  spans.count += 1;
  spans.totalNs += ns;
  spans.longestNs = Math.max(spans.longestNs, ns);
}

/** Takes an event in, if it is one of these; numbers as the comment of its code names them. */
export function hearBalancing(t: BalancingTally, code: EventCode, a: number, b: number, c: number): void {
  switch (code) {
    case EVENT.moveWindow:
      add(a === 0 ? t.outOfReachBase : t.outOfReachHuge, c);
      return;
    case EVENT.moveWait:
      add(t.waits, b);
      return;
    case EVENT.numaScan:
      t.scanPages += b;
      t.markedPages += c;
      return;
  }
}
