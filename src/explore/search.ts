/**
 * Every schedule of a few actors, as far as it can matter: dynamic partial-order reduction with sleep sets.
 *
 *     run to the end ─▶ races of the run ─▶ at the earlier step of each, somebody else must go first as well
 *          ▲                                                                │
 *          └────── deepest step where something is left to try ◀────────────┘
 *
 * Nothing is forked: each run starts from the same picture and replays its choices. Without reduction every
 * enabled actor is tried at every step; both must reach the same final states. (Abdulla, Aronis, Jonsson,
 * Sagonas: Optimal dynamic partial order reduction, 2014; this is its source-set form.)
 */
import { broken } from "../kernel/invariants-paths.ts";
import { BrokenBelief } from "../lib/assert.ts";
import { dependent, type Event, Order } from "./order.ts";
import type { Recorder } from "./recorder.ts";
import { type Runner, type Step, Violation } from "./runner.ts";

export interface Limits {
  /** Schedules after which the search gives up: it then says that it is not exhausted. */
  readonly schedulesMax: number;
  /** Steps of one run after which somebody does not finish: a livelock. */
  readonly stepsMax: number;
}

export const LIMITS: Limits = { schedulesMax: 200_000, stepsMax: 600 };

export interface Found {
  /** What went wrong, in a sentence. */
  readonly what: string;
  /** The actor of each step. */
  readonly schedule: readonly number[];
}

export interface Outcome {
  /** Schedules run, those cut short because they repeat others included. */
  readonly schedules: number;
  /** Of these, runs that came to an end of their own. */
  readonly complete: number;
  readonly exhausted: boolean;
  /** How much of the tree was seen, 0..1: 1 when exhausted, else an estimate. */
  readonly seenRatio: number;
  readonly found: Found | undefined;
  readonly stepsLongest: number;
}

/** What the search needs to know of the thing that it searches. */
export interface Subject {
  readonly runner: Runner;
  /** Puts everything back to the start. */
  readonly restart: () => void;
  /** Looks after every step; a sentence when something is wrong. */
  readonly afterStep: (() => string | undefined) | undefined;
  /** Looks at the end of a run; a sentence when something is wrong. */
  readonly atEnd: () => string | undefined;
}

interface Node {
  enabled: number;
  /** Actors to try here, as bits; those tried already; those asleep. */
  todo: number;
  done: number;
  sleep: Map<number, Step>;
  chosen: number;
  step: Step | undefined;
}

/** Explores with reduction. Ends at the first thing that is wrong. */
export function search(subject: Subject, rec: Recorder, limits: Limits = LIMITS): Outcome {
  const order = new Order(subject.runner.actors.length, rec);
  const stack: Node[] = [];
  const tally = { schedules: 0, complete: 0, stepsLongest: 0 };
  for (;;) {
    tally.schedules++;
    const end = runOnce(subject, stack, order, limits);
    tally.stepsLongest = Math.max(tally.stepsLongest, stack.length);
    if (end.what !== undefined) {
      const schedule = stack.map((node) => node.chosen);
      return { ...tally, exhausted: false, seenRatio: seen(stack), found: { what: end.what, schedule } };
    }
    if (end.complete) tally.complete++;
    if (!backtrack(stack)) return { ...tally, exhausted: true, seenRatio: 1, found: undefined };
    if (tally.schedules >= limits.schedulesMax)
      return { ...tally, exhausted: false, seenRatio: seen(stack), found: undefined };
  }
}

interface End {
  readonly what: string | undefined;
  readonly complete: boolean;
}

function runOnce(subject: Subject, stack: Node[], order: Order, limits: Limits): End {
  const { runner } = subject;
  subject.restart();
  runner.begin();
  order.reset();
  try {
    for (let depth = 0; depth < stack.length; depth++) {
      const node = stack[depth]!;
      const isNew = node.step === undefined;
      const step = runner.step(node.chosen, node.step);
      node.step = step;
      follow(order, stack, step, isNew);
      if (isNew) check(subject);
    }
    return extend(subject, stack, order, limits);
  } catch (error) {
    if (error instanceof Violation || error instanceof BrokenBelief)
      return { what: error.message, complete: false };
    throw error;
  }
}

function check({ afterStep }: Subject): void {
  const wrong = afterStep?.();
  if (wrong !== undefined) throw new Violation(wrong);
}

/** Goes on from the end of the stack until nobody can. */
function extend(subject: Subject, stack: Node[], order: Order, limits: Limits): End {
  const { runner } = subject;
  for (;;) {
    const enabled = enabledBits(runner);
    if (enabled === 0) {
      if (runner.actors.some((_, i) => !runner.done(i)))
        throw new Violation(broken("deadlock", runner.stuck()));
      return { what: subject.atEnd(), complete: true };
    }
    if (stack.length >= limits.stepsMax)
      throw new Violation(broken("livelock", `after ${stack.length} steps ${runner.stuck()}`));
    const before = stack[stack.length - 1];
    const sleep = awake(before);
    const choice = choose(enabled, sleep, before?.chosen);
    // Everything that could go on here has been tried from an earlier step.
    if (choice < 0) return { what: undefined, complete: false };
    const node: Node = { enabled, todo: 1 << choice, done: 0, sleep, chosen: choice, step: undefined };
    stack.push(node);
    node.step = runner.step(choice);
    follow(order, stack, node.step, true);
    check(subject);
  }
}

export function enabledBits(runner: Runner): number {
  let bits = 0;
  for (let i = 0; i < runner.actors.length; i++) if (runner.enabled(i)) bits |= 1 << i;
  return bits;
}

/** Who still sleeps after a step: those whose next step it did not disturb. */
function awake(before: Node | undefined): Map<number, Step> {
  const sleep = new Map<number, Step>();
  if (before?.step === undefined) return sleep;
  for (const [actor, step] of before.sleep)
    if (actor !== before.chosen && !dependent(step, before.step)) sleep.set(actor, step);
  return sleep;
}

/** The actor that ran last goes on if it can: schedules begin with as few switches as possible. */
function choose(enabled: number, sleep: ReadonlyMap<number, Step>, last: number | undefined): number {
  if (last !== undefined && (enabled & (1 << last)) !== 0 && !sleep.has(last)) return last;
  for (let i = 0; enabled >> i !== 0; i++) if ((enabled & (1 << i)) !== 0 && !sleep.has(i)) return i;
  return -1;
}

/** Puts a step into the order of the run; where it is new, its races become work for later. */
function follow(order: Order, stack: Node[], step: Step, isNew: boolean): void {
  const races = order.add(step);
  if (!isNew) return;
  for (const index of races) reverse(order.events, stack[index]!, index);
}

/** At the earlier step of a race: somebody who begins the run without it must be tried. */
function reverse(events: readonly Event[], node: Node, index: number): void {
  const first = events[index]!;
  const without: Event[] = [];
  let initials = 0;
  let firstChoice = -1;
  let seenActors = 0;
  for (let i = index + 1; i < events.length; i++) {
    const event = events[i]!;
    const isLast = i === events.length - 1;
    if (!isLast && event.clock[first.actor]! >= first.own) continue;
    const bit = 1 << event.actor;
    if ((seenActors & bit) === 0) {
      seenActors |= bit;
      if (without.every((earlier) => event.clock[earlier.actor]! < earlier.own)) {
        initials |= bit;
        if (firstChoice < 0) firstChoice = event.actor;
      }
    }
    without.push(event);
  }
  if ((node.todo & initials) !== 0) return;
  for (const actor of node.sleep.keys()) if ((initials & (1 << actor)) !== 0) return;
  if (firstChoice >= 0 && (node.enabled & (1 << firstChoice)) !== 0) node.todo |= 1 << firstChoice;
  else node.todo |= node.enabled;
}

/** Goes back to the deepest step where something is left to try, and tries it. False: nothing is. */
function backtrack(stack: Node[]): boolean {
  while (stack.length > 0) {
    const node = stack[stack.length - 1]!;
    node.done |= 1 << node.chosen;
    if (node.step !== undefined) node.sleep.set(node.chosen, node.step);
    let left = node.todo & ~node.done;
    for (const actor of node.sleep.keys()) left &= ~(1 << actor);
    if (left !== 0) {
      node.chosen = 31 - Math.clz32(left & -left);
      node.step = undefined;
      return true;
    }
    stack.pop();
  }
  return false;
}

/** How much of the tree lies behind us: the tried share of each step's choices, weighed by the way to it. */
function seen(stack: readonly Node[]): number {
  let ratio = 0;
  let weight = 1;
  for (const node of stack) {
    const todo = bitCount(node.todo);
    if (todo === 0) continue;
    weight /= todo;
    ratio += bitCount(node.done) * weight;
  }
  return ratio;
}

function bitCount(bits: number): number {
  let count = 0;
  for (let rest = bits; rest !== 0; rest &= rest - 1) count++;
  return count;
}
