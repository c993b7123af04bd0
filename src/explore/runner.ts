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
import type { Kernel } from "../kernel/state.ts";
import { BrokenBelief } from "../lib/assert.ts";
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
  readonly held: Map<Lock, Held>;
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

/** Locks whose holder may sleep; the others are spinlocks. */
const SLEEPING = new Set(["mmap_lock", "page", "anon_vma"]);

/** The first step of a path. */
const START: Op = { kind: "preempt" };

export interface Runner {
  readonly actors: readonly Actor[];
  /** Begins a run: every actor is at its start. */
  readonly begin: () => void;
  /** Whether that actor has something to do, and may do it now. */
  readonly enabled: (actor: number) => boolean;
  readonly done: (actor: number) => boolean;
  /**
   * Runs one step. Throws a Violation or a BrokenBelief. A step that is known from an earlier run of the same
   * choices is not recorded again.
   */
  readonly step: (actor: number, known?: Step) => Step;
  /** What each actor that is not done waits for. */
  readonly stuck: () => string;
  /** Locks that each actor holds, for the picture. */
  readonly heldBy: (actor: number) => readonly LockUse[];
  readonly returned: (actor: number) => unknown;
  /** Pairs of lock classes in the order in which they were nested, over all runs. */
  readonly nested: Map<string, string>;
  /** Told by the kernel where a path may sleep. */
  readonly mightSleep: (where: string) => void;
}

export function makeRunner(k: Kernel, actors: readonly Actor[], rec: Recorder | undefined): Runner {
  let states: ActorState[] = [];
  let current = -1;
  const taken = new Set<Lock>();
  const nested = new Map<string, string>();

  function begin(): void {
    for (const lock of taken) {
      lock.holder = -1;
      lock.readers = 0;
    }
    taken.clear();
    states = actors.map((actor) => ({
      actor,
      path: actor.path(),
      pending: START,
      held: new Map(),
      steps: 0,
      clockNs: k.nowNs,
      returned: undefined,
    }));
  }

  function mayTake(lock: Lock, mode: Held): boolean {
    return lock.holder === -1 && (mode === "read" || lock.readers === 0);
  }

  function enabled(index: number): boolean {
    const op = states[index]!.pending;
    if (op === undefined) return false;
    if (op.kind === "acquire") return mayTake(op.lock!, "write");
    if (op.kind === "acquire-read") return mayTake(op.lock!, "read");
    return true;
  }

  function take(state: ActorState, index: number, op: Op): LockUse {
    const lock = op.lock!;
    const mode: Held = op.kind === "acquire" ? "write" : "read";
    noteOrder(state, lock);
    taken.add(lock);
    if (mode === "write") lock.holder = index;
    else lock.readers += 1;
    state.held.set(lock, mode);
    rec?.touch(rec.lockPlace(lock), TOUCH.UPDATE);
    return { lock, mode };
  }

  /** Who waits for a lock while holding another has put the two in an order. */
  function noteOrder(state: ActorState, lock: Lock): void {
    for (const other of state.held.keys()) {
      const key = `${other.name} → ${lock.name}`;
      if (!nested.has(key)) nested.set(key, state.actor.name);
    }
  }

  function checkWait(state: ActorState, op: Op): void {
    const { lock } = op;
    const name = state.actor.name;
    if (op.kind === "sleep") forbidSleep(state, "a sleep");
    if (lock === undefined || (op.kind !== "acquire" && op.kind !== "acquire-read")) return;
    if (state.held.has(lock))
      throw new Violation(`a lock is taken twice: ${name} holds ${lock.name} already`);
    if (SLEEPING.has(lock.lockClass)) forbidSleep(state, lock.name);
  }

  function forbidSleep(state: ActorState, where: string): void {
    for (const lock of state.held.keys())
      if (!SLEEPING.has(lock.lockClass))
        throw new Violation(
          `a path sleeps under a spinlock: ${state.actor.name} holds ${lock.name} at ${where}`,
        );
  }

  function release(state: ActorState, op: Op): LockUse {
    const lock = op.lock!;
    const mode: Held = op.kind === "release" ? "write" : "read";
    if (state.held.get(lock) !== mode)
      throw new Violation(`a lock is released by who does not hold it: ${state.actor.name}, ${lock.name}`);
    state.held.delete(lock);
    if (mode === "write") lock.holder = -1;
    else lock.readers -= 1;
    rec?.touch(rec.lockPlace(lock), TOUCH.UPDATE);
    return { lock, mode };
  }

  function step(index: number, known?: Step): Step {
    const state = states[index]!;
    const op = state.pending!;
    const released: LockUse[] = [];
    const acquired = op.kind === "acquire" || op.kind === "acquire-read" ? take(state, index, op) : undefined;
    k.cpu = asCpu(state.actor.cpu);
    k.nowNs = state.clockNs + (op.kind === "sleep" ? op.waitNs! : 0);
    current = index;
    state.steps += 1;
    const record = rec !== undefined && known === undefined;
    if (record) rec.on = true;
    try {
      resume(state, released);
    } finally {
      if (rec !== undefined) rec.on = false;
      state.clockNs = k.nowNs;
    }
    if (state.pending === undefined && state.held.size > 0) {
      const names = [...state.held.keys()].map((lock) => lock.name).join(", ");
      throw new Violation(`a path ends with a lock held: ${state.actor.name} holds ${names}`);
    }
    if (known !== undefined) {
      rec?.take();
      return known;
    }
    return { actor: index, op, footprint: rec?.take() ?? NOTHING_TOUCHED, acquired, released };
  }

  /** Runs the path to the next op that has to wait. */
  function resume(state: ActorState, released: LockUse[]): void {
    const next = state.path.next();
    if (next.done === true) {
      state.pending = undefined;
      state.returned = next.value;
      return;
    }
    const op = next.value;
    if (op.kind === "release" || op.kind === "release-read") {
      if (rec !== undefined) rec.on = false;
      released.push(release(state, op));
      state.pending = AFTER_RELEASE;
      return;
    }
    if (op.kind === "nothing") return resume(state, released);
    if (op.kind === "wait" || op.kind === "call")
      throw new BrokenBelief("kernel paths neither join nor call");
    checkWait(state, op);
    state.pending = op;
  }

  function stuck(): string {
    return states
      .filter((state) => state.pending !== undefined)
      .map((state) => {
        const lock = state.pending!.lock;
        if (lock === undefined) return `${state.actor.name} could go on`;
        const holders = states.filter((other) => other.held.has(lock)).map((other) => other.actor.name);
        return `${state.actor.name} waits for ${lock.name}, held by ${holders.join(" and ") || "nobody"}`;
      })
      .join("; ");
  }

  return {
    actors,
    begin,
    enabled,
    done: (index) => states[index]!.pending === undefined,
    step,
    stuck,
    heldBy: (index) => [...states[index]!.held].map(([lock, mode]) => ({ lock, mode })),
    returned: (index) => states[index]!.returned,
    nested,
    mightSleep(where) {
      const state = states[current];
      if (state !== undefined) forbidSleep(state, where);
    },
  };
}

const NOTHING_TOUCHED: Footprint = new Int32Array(0);
/** Another CPU may run after a release. */
const AFTER_RELEASE: Op = { kind: "preempt" };
