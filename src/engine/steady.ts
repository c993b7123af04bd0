/**
 * Rounds of a block that do the same again and again: once two in a row took the same time and met the same
 * translations, without a fault or anybody's interference, so will the next ones. They are counted, not run.
 *
 *     round, round (the same) ─▶ as many as fit before the next tick, at once ─▶ tick ─▶ …
 *                                and before anybody else may do something
 *
 * A program that reads its memory for twenty seconds does so a million times over; what the kernel does to it
 * meanwhile comes at ticks, or in flushes, after which rounds are run again. Who is in such rounds promises
 * to leave the others alone until its next pass of NUMA balancing; others may skip rounds up to there, and no
 * further than to the time of whoever has promised nothing.
 */
import { C } from "../core/counters.ts";
import type { Mm } from "../kernel/mm/mm.ts";
import { currentTask, JIFFY_NS, jiffies } from "../kernel/numa/state.ts";
import { type Kernel, spend } from "../kernel/state.ts";
import type { Statement } from "../workloads/script/ast.ts";
import type { Driver } from "./driver-state.ts";

/** Everything that a round without faults may change, and what tells that it was undisturbed. */
interface Mark {
  /** Picoseconds on the CPU's clock. */
  readonly ps: number;
  readonly stats: readonly number[];
  readonly cpu: number;
  readonly faults: number;
  readonly flushes: number;
  /** How often the CPU has gone to another runner so far. */
  readonly switches: number;
}

export interface Steady {
  /** Whether the block only touches memory. */
  readonly possible: boolean;
  readonly mm: Mm;
  /** At the beginning of the last round. */
  before: Mark | undefined;
  /** What the last undisturbed round took, and its statistics; 0: it was disturbed. */
  roundPs: number;
  round: readonly number[];
  /** The same of the last rounds that were skipped: after a disturbance, one round like them is enough. */
  steadyPs: number;
  steadyRound: readonly number[];
  /** The last round was like the one before, or like those that were skipped. */
  known: boolean;
  /** It met no fault and no flush; what it took may differ, where others use the same memory. */
  quiet: boolean;
}

export function makeSteady(body: readonly Statement[], mm: Mm): Steady {
  const possible = body.length > 0 && body.every(({ op }) => op === "read" || op === "write");
  return {
    possible,
    mm,
    before: undefined,
    roundPs: 0,
    round: [],
    steadyPs: 0,
    steadyRound: [],
    known: false,
    quiet: false,
  };
}

/** What a round counts on its CPU: columns, and its place in each. */
function counts(k: Kernel): (readonly [column: Float64Array, at: number])[] {
  const { references, l1Hits, l2Hits, walks, walkReferences } = k.tlb.stats;
  const { lines, remotePs, nodes } = k.traffic;
  const byCpu = [references, l1Hits, l2Hits, walks, walkReferences, remotePs];
  const byNode = Array.from({ length: nodes }, (_, node) => [lines, k.cpu * nodes + node] as const);
  return [...byCpu.map((column) => [column, k.cpu] as const), ...byNode];
}

function mark(k: Kernel, mm: Mm, switches: number): Mark {
  return {
    ps: k.nowNs * 1000 + k.tlb.remainderPs[k.cpu]!,
    stats: counts(k).map(([column, at]) => column[at]!),
    cpu: k.cpu,
    faults: k.vmstat[C.pgfault]!,
    flushes: mm.flushes,
    switches,
  };
}

const isUndisturbed = (a: Mark, b: Mark): boolean =>
  a.cpu === b.cpu && a.faults === b.faults && a.flushes === b.flushes && a.switches === b.switches;

const isSame = (a: readonly number[], b: readonly number[]): boolean => a.every((value, i) => value === b[i]);

/** A round begins; `switches` is how often its CPU has gone to another runner. */
export function beginRound(k: Kernel, steady: Steady, switches: number): void {
  if (steady.possible) steady.before = mark(k, steady.mm, switches);
}

/** It has ended: was it like the one before? */
export function endRound(k: Kernel, steady: Steady, switches: number): void {
  const { before } = steady;
  if (before === undefined) return;
  const now = mark(k, steady.mm, switches);
  steady.quiet = isUndisturbed(before, now);
  const roundPs = steady.quiet ? now.ps - before.ps : 0;
  const round = now.stats.map((value, i) => value - before.stats[i]!);
  const likeLast = roundPs === steady.roundPs && isSame(round, steady.round);
  const likeSteady = roundPs === steady.steadyPs && isSame(round, steady.steadyRound);
  steady.known = roundPs > 0 && (likeLast || likeSteady);
  if (steady.known) {
    steady.steadyPs = roundPs;
    steady.steadyRound = round;
  }
  steady.roundPs = roundPs;
  steady.round = round;
  steady.before = now;
}

/** Whether the next round will have no fault either, unless somebody sees to it. */
export function isQuiet(k: Kernel, steady: Steady, switches: number): boolean {
  if (steady.quiet) steady.quiet = isUndisturbed(steady.before!, mark(k, steady.mm, switches));
  if (!steady.quiet) steady.known = false;
  return steady.quiet;
}

/** What ends the skipping of rounds. */
export interface SkipLimits {
  /** The end of the block. */
  readonly endNs: number;
  /** A tick from then on may do something: it must come where it comes, in the middle of a round. */
  readonly quietUntilNs: number;
  /** Somebody else may interfere then. */
  readonly othersNs: number;
}

/**
 * Skips the rounds of a steady block up to the one in which the next tick, or the end, comes: a tick that
 * does nothing is handled at the round's end. False if the next round has to be run.
 */
export function skipRounds(k: Kernel, { known, roundPs, round }: Steady, limits: SkipLimits): boolean {
  if (!known) return false;
  const fromPs = k.nowNs * 1000 + k.tlb.remainderPs[k.cpu]!;
  const tickNs = nextTickNs(k);
  const ownNs = Math.min(limits.endNs, tickNs);
  const own = Math.max(1, Math.ceil((ownNs * 1000 - fromPs) / roundPs));
  const disturbedNs = tickNs < limits.quietUntilNs ? limits.othersNs : Math.min(limits.othersNs, tickNs);
  const rounds = Math.min(own, Math.floor((disturbedNs * 1000 - fromPs) / roundPs));
  if (rounds < 1) return false;
  const endPs = fromPs + rounds * roundPs;
  const endNs = Math.floor(endPs / 1000);
  spend(k, endNs - k.nowNs);
  k.tlb.remainderPs[k.cpu] = endPs - endNs * 1000;
  for (const [i, [column, at]] of counts(k).entries()) column[at]! += rounds * round[i]!;
  return true;
}

/** A runner in its program may be that far ahead of one that has promised nothing, as `QUANTUM_NS` has it. */
const AHEAD_NS = 20_000;

/** Until when nobody but the current runner does anything that others would notice. */
export function othersNs(d: Driver): number {
  let earliestNs = Number.POSITIVE_INFINITY;
  for (let i = 0; i < d.heap.size; i++) {
    const { quietUntilNs } = d.runners[d.heap.ids[i]!]!;
    const timeNs = d.heap.times[i]!;
    // A promise that is over is none: who made it may be in the middle of a long round.
    const untilNs = quietUntilNs > timeNs ? quietUntilNs : timeNs + AHEAD_NS;
    if (untilNs < earliestNs) earliestNs = untilNs;
  }
  return earliestNs;
}

function nextTickNs(k: Kernel): number {
  const task = currentTask(k);
  if (task !== undefined && k.tunables.numaBalancing) return task.tickAtNs;
  return (jiffies(k) + 1) * JIFFY_NS;
}
