/**
 * Every schedule, one after the other, with nothing left out; or only those with few preemptions.
 *
 *     bound 0: an actor runs until it is done or has to wait     bound 1: one may be interrupted, once     …
 *
 * Without a bound this is what the reduction is judged by. With one it finds the shortest story of a
 * violation: fewest preemptions first, then fewest steps.
 */
import { broken } from "../kernel/invariants-paths.ts";
import { BrokenBelief } from "../lib/assert.ts";
import { Violation } from "./runner.ts";
import { enabledBits, type Found, type Limits, type Outcome, type Subject } from "./search.ts";

interface Choice {
  readonly enabled: number;
  readonly last: number;
  readonly preemptions: number;
  tried: number;
  chosen: number;
}

export interface PlainOptions extends Limits {
  /** Most switches away from an actor that could have gone on. */
  readonly preemptionsMax: number;
  /** Go on after a violation, for one with fewer steps. */
  readonly shortest: boolean;
}

/** Runs every schedule within the bound. */
export function searchPlain(subject: Subject, options: PlainOptions): Outcome {
  const stack: Choice[] = [];
  const tally = { schedules: 0, complete: 0, stepsLongest: 0 };
  let found: Found | undefined;
  for (;;) {
    tally.schedules++;
    const what = runPlain(subject, stack, options, found?.schedule.length ?? Number.POSITIVE_INFINITY);
    tally.stepsLongest = Math.max(tally.stepsLongest, stack.length);
    if (what === undefined) tally.complete++;
    else if (what !== TOO_LONG && (found === undefined || stack.length < found.schedule.length)) {
      found = { what, schedule: stack.map((node) => node.chosen) };
      if (!options.shortest) return { ...tally, exhausted: false, seenRatio: 0, found };
    }
    if (!next(stack, options.preemptionsMax))
      return { ...tally, exhausted: found === undefined, seenRatio: 1, found };
    if (tally.schedules >= options.schedulesMax) return { ...tally, exhausted: false, seenRatio: 0, found };
  }
}

const TOO_LONG = "";

function runPlain(subject: Subject, stack: Choice[], limits: Limits, stepsBest: number): string | undefined {
  const { runner } = subject;
  subject.restart();
  runner.begin();
  try {
    for (let depth = 0; ; depth++) {
      const enabled = enabledBits(runner);
      if (enabled === 0) {
        if (runner.actors.some((_, i) => !runner.done(i)))
          throw new Violation(broken("deadlock", runner.stuck()));
        return subject.atEnd();
      }
      if (depth >= limits.stepsMax)
        throw new Violation(broken("livelock", `after ${depth} steps ${runner.stuck()}`));
      if (depth >= stepsBest - 1) return TOO_LONG;
      if (depth === stack.length) stack.push(fresh(stack[depth - 1], enabled));
      runner.step(stack[depth]!.chosen);
      const wrong = subject.afterStep?.();
      if (wrong !== undefined) throw new Violation(wrong);
    }
  } catch (error) {
    if (error instanceof Violation || error instanceof BrokenBelief) return error.message;
    throw error;
  }
}

/** The actor that ran last goes on where it can. */
function fresh(before: Choice | undefined, enabled: number): Choice {
  const last = before?.chosen ?? -1;
  const goesOn = last >= 0 && (enabled & (1 << last)) !== 0;
  const chosen = goesOn ? last : 31 - Math.clz32(enabled & -enabled);
  const preemptions = before === undefined ? 0 : before.preemptions + costOf(before, before.chosen);
  return { enabled, last, preemptions, tried: 0, chosen };
}

/** 1 when choosing that actor takes the CPU from one that could have gone on. */
function costOf({ enabled, last }: Choice, chosen: number): number {
  return last >= 0 && chosen !== last && (enabled & (1 << last)) !== 0 ? 1 : 0;
}

function next(stack: Choice[], preemptionsMax: number): boolean {
  while (stack.length > 0) {
    const node = stack[stack.length - 1]!;
    node.tried |= 1 << node.chosen;
    for (let actor = 0; node.enabled >> actor !== 0; actor++) {
      const bit = 1 << actor;
      if ((node.enabled & bit) === 0 || (node.tried & bit) !== 0) continue;
      if (node.preemptions + costOf(node, actor) > preemptionsMax) continue;
      node.chosen = actor;
      return true;
    }
    stack.pop();
  }
  return false;
}
