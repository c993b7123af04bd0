/**
 * Rounds of a block that do the same again and again: once two in a row took the same time and met the same
 * translations, without a fault or anybody's interference, so will the next ones. They are counted, not run.
 *
 *     round, round (the same) ─▶ as many as fit before the next tick, at once ─▶ tick ─▶ …
 *
 * A program that reads its memory for twenty seconds does so a million times over; what the kernel does to it
 * meanwhile comes at ticks, or in flushes, after which rounds are run again. What others do to the task's
 * memory between two ticks is noticed at the second.
 */
import { C } from "../core/counters.ts";
import type { Mm } from "../kernel/mm/mm.ts";
import { currentTask, JIFFY_NS, jiffies } from "../kernel/numa/state.ts";
import { type Kernel, spend } from "../kernel/state.ts";
import type { Statement } from "../workloads/script/ast.ts";

/** Everything that a round without faults may change, and what tells that it was undisturbed. */
interface Mark {
  readonly cpu: number;
  /** Picoseconds on the CPU's clock. */
  readonly ps: number;
  readonly stats: readonly number[];
  readonly faults: number;
  readonly flushes: number;
  /** Address spaces that the CPU has taken up so far. */
  readonly switches: number;
}

export interface Steady {
  /** Whether the block only touches memory. */
  readonly possible: boolean;
  before: Mark | undefined;
  /** What the last undisturbed round took, and its statistics. */
  roundPs: number;
  round: readonly number[];
}

export function makeSteady(body: readonly Statement[]): Steady {
  const possible = body.length > 0 && body.every(({ op }) => op === "read" || op === "write");
  return { possible, before: undefined, roundPs: 0, round: [] };
}

function columns(k: Kernel): Float64Array[] {
  const { references, l1Hits, l2Hits, walks, walkReferences } = k.tlb.stats;
  return [references, l1Hits, l2Hits, walks, walkReferences];
}

function mark(k: Kernel, mm: Mm, switches: number): Mark {
  return {
    cpu: k.cpu,
    ps: k.nowNs * 1000 + k.tlb.remainderPs[k.cpu]!,
    stats: columns(k).map((column) => column[k.cpu]!),
    faults: k.vmstat[C.pgfault]!,
    flushes: mm.flushes,
    switches,
  };
}

const isSame = (a: readonly number[], b: readonly number[]): boolean => a.every((value, i) => value === b[i]);

/**
 * After a round: if it was like the one before, skips those that fit until the next tick and before `endNs`.
 */
export function skipRounds(k: Kernel, steady: Steady, mm: Mm, switches: number, endNs: number): void {
  if (!steady.possible) return;
  const now = mark(k, mm, switches);
  const { before } = steady;
  steady.before = now;
  const disturbed =
    before === undefined ||
    before.cpu !== now.cpu ||
    before.faults !== now.faults ||
    before.flushes !== now.flushes ||
    before.switches !== now.switches;
  if (disturbed) {
    steady.roundPs = 0;
    return;
  }
  const roundPs = now.ps - before.ps;
  const round = now.stats.map((value, i) => value - before.stats[i]!);
  const steadyNow = roundPs > 0 && roundPs === steady.roundPs && isSame(round, steady.round);
  steady.roundPs = roundPs;
  steady.round = round;
  if (!steadyNow) return;
  skip(k, steady, now.ps, Math.min(endNs, nextTickNs(k)) * 1000);
  steady.before = mark(k, mm, switches);
}

/** Rounds are skipped up to the one in which the tick comes: it is handled at that round's end. */
function skip(k: Kernel, { roundPs, round }: Steady, fromPs: number, untilPs: number): void {
  const rounds = Math.ceil((untilPs - fromPs) / roundPs);
  if (rounds <= 0) return;
  const endPs = fromPs + rounds * roundPs;
  const endNs = Math.floor(endPs / 1000);
  spend(k, endNs - k.nowNs);
  k.tlb.remainderPs[k.cpu] = endPs - endNs * 1000;
  for (const [i, column] of columns(k).entries()) column[k.cpu]! += rounds * round[i]!;
}

function nextTickNs(k: Kernel): number {
  const task = currentTask(k);
  if (task !== undefined && k.tunables.numaBalancing) return task.tickAtNs;
  return (jiffies(k) + 1) * JIFFY_NS;
}
