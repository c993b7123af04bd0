/**
 * The second driver: runs the same paths as the engine, one step at a time, in the order that it is told.
 *
 *     actor: start ─▶ step ─▶ op ─▶ step ─▶ op … ─▶ done          a step runs from one op to the next
 *
 * Releases happen at once (what another CPU could do before one, it can do before the step or after it);
 * everything else waits to be chosen. A path that does what no kernel may do ends the run with a violation.
 */
import type { Lock, Op, Path } from "../core/ops.ts";
import { asCpu } from "../core/units.ts";
import { type HeldLocks, wrongEnd, wrongRelease, wrongSleep, wrongWait } from "../kernel/invariants-paths.ts";
import type { Kernel } from "../kernel/state.ts";
import { assert } from "../lib/assert.ts";
import { type Footprint, type Recorder, TOUCH } from "./recorder.ts";

/** Who acts, on which CPU, along which path. Paths are made anew for every run. */
export interface Actor {
  readonly name: string;
  readonly cpu: number;
  readonly path: () => Path<unknown>;
}

/** What went wrong, in a sentence. */
export class Violation extends Error {
  override name = "Violation";
}

type Held = "write" | "read";

interface ActorState {
  readonly actor: Actor;
  path: Path<unknown>;
  /** What it waits to go on with; undefined when done. */
  pending: Op | undefined;
  readonly held: HeldLocks;
  steps: number;
  clockNs: number;
  returned: unknown;
}

/** What a step did to locks: for the order of events. */
export interface LockUse {
  readonly lock: Lock;
  readonly mode: Held;
}

export interface Step {
  readonly actor: number;
  /** The op that the actor waited with. */
  readonly op: Op;
  readonly footprint: Footprint;
  readonly acquired: LockUse | undefined;
  readonly released: readonly LockUse[];
}

export interface Run {
  readonly states: readonly ActorState[];
  readonly steps: number;
}

/** The first step of a path. */
const START: Op = { kind: "preempt" };

/** Drives the actors of one stage, run after run. */
export class Runner {
  readonly actors: readonly Actor[];
  /** Pairs of locks in the order in which they were nested, over all runs: "outer → inner". */
  readonly nested = new Map<string, string>();
  private readonly k: Kernel;
  private readonly rec: Recorder | undefined;
  private readonly taken = new Set<Lock>();
  private states: ActorState[] = [];
  private current = -1;

  constructor(k: Kernel, actors: readonly Actor[], rec: Recorder | undefined) {
    this.k = k;
    this.actors = actors;
    this.rec = rec;
  }

  /** Begins a run: every actor is at its start. */
  begin(): void {
    for (const lock of this.taken) {
      lock.holder = -1;
      lock.readers = 0;
    }
    this.taken.clear();
    this.states = this.actors.map((actor) => ({
      actor,
      path: actor.path(),
      pending: START,
      held: new Map(),
      steps: 0,
      clockNs: this.k.nowNs,
      returned: undefined,
    }));
  }

  /** Whether that actor has something to do, and may do it now. */
  enabled(index: number): boolean {
    const op = this.states[index]!.pending;
    if (op === undefined) return false;
    if (op.kind === "acquire") return mayTake(op.lock!, "write");
    if (op.kind === "acquire-read") return mayTake(op.lock!, "read");
    return true;
  }

  done(index: number): boolean {
    return this.states[index]!.pending === undefined;
  }

  returned(index: number): unknown {
    return this.states[index]!.returned;
  }

  /** Locks that an actor holds. */
  heldBy(index: number): LockUse[] {
    return [...this.states[index]!.held].map(([lock, mode]) => ({ lock, mode }));
  }

  /** What each actor that is not done waits for. */
  stuck(): string {
    return this.states
      .filter((state) => state.pending !== undefined)
      .map((state) => {
        const lock = state.pending!.lock;
        if (lock === undefined) return `${state.actor.name} could go on`;
        const holders = this.states.filter((other) => other.held.has(lock)).map((other) => other.actor.name);
        return `${state.actor.name} waits for ${lock.name}, held by ${holders.join(" and ") || "nobody"}`;
      })
      .join("; ");
  }

  /** Told by the kernel where a path may sleep. */
  mightSleep(where: string): void {
    const state = this.states[this.current];
    if (state !== undefined) refuse(wrongSleep(state.held, state.actor.name, where));
  }

  /**
   * Runs one step. Throws a Violation or a BrokenBelief. A step that is known from an earlier run of the same
   * choices is not recorded again.
   */
  step(index: number, known?: Step): Step {
    const { k, rec } = this;
    const state = this.states[index]!;
    const op = state.pending!;
    const released: LockUse[] = [];
    const takes = op.kind === "acquire" || op.kind === "acquire-read";
    const acquired = takes ? this.take(state, index, op) : undefined;
    k.cpu = asCpu(state.actor.cpu);
    k.nowNs = state.clockNs + (op.kind === "sleep" ? op.waitNs! : 0);
    this.current = index;
    state.steps += 1;
    if (rec !== undefined && known === undefined) rec.on = true;
    try {
      this.resume(state, released);
    } finally {
      if (rec !== undefined) rec.on = false;
      state.clockNs = k.nowNs;
    }
    if (state.pending === undefined) refuse(wrongEnd(state.held, state.actor.name));
    const footprint = rec?.take() ?? NOTHING_TOUCHED;
    return known ?? { actor: index, op, footprint, acquired, released };
  }

  private take(state: ActorState, index: number, op: Op): LockUse {
    const lock = op.lock!;
    const mode: Held = op.kind === "acquire" ? "write" : "read";
    // Who does not wait puts no locks in an order.
    if (op.tried !== true) this.noteOrder(state, lock);
    this.taken.add(lock);
    if (mode === "write") lock.holder = index;
    else lock.readers += 1;
    state.held.set(lock, mode);
    this.rec?.touch(this.rec.lockPlace(lock), TOUCH.UPDATE);
    return { lock, mode };
  }

  /** Who waits for a lock while holding another has put the two in an order. */
  private noteOrder(state: ActorState, lock: Lock): void {
    for (const other of state.held.keys()) {
      const key = `${other.name} → ${lock.name}`;
      if (!this.nested.has(key)) this.nested.set(key, state.actor.name);
    }
  }

  private release(state: ActorState, op: Op): LockUse {
    const lock = op.lock!;
    const mode: Held = op.kind === "release" ? "write" : "read";
    refuse(wrongRelease(state.held, state.actor.name, op));
    state.held.delete(lock);
    if (mode === "write") lock.holder = -1;
    else lock.readers -= 1;
    this.rec?.touch(this.rec.lockPlace(lock), TOUCH.UPDATE);
    return { lock, mode };
  }

  /** Runs the path to the next op that has to wait. */
  private resume(state: ActorState, released: LockUse[]): void {
    let next = state.path.next();
    while (next.done !== true && next.value.kind === "nothing") next = state.path.next();
    if (next.done === true) {
      state.pending = undefined;
      state.returned = next.value;
      return;
    }
    const op = next.value;
    if (op.kind === "release" || op.kind === "release-read") {
      if (this.rec !== undefined) this.rec.on = false;
      released.push(this.release(state, op));
      state.pending = AFTER_RELEASE;
      return;
    }
    assert(op.kind !== "wait" && op.kind !== "call", "kernel paths neither join others nor call them");
    refuse(wrongWait(state.held, state.actor.name, op));
    state.pending = op;
  }
}

function mayTake(lock: Lock, mode: Held): boolean {
  return lock.holder === -1 && (mode === "read" || lock.readers === 0);
}

function refuse(wrong: string | undefined): void {
  if (wrong !== undefined) throw new Violation(wrong);
}

const NOTHING_TOUCHED: Footprint = new Int32Array(0);
/** Another CPU may run after a release. */
const AFTER_RELEASE: Op = { kind: "preempt" };
