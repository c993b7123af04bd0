/**
 * Which steps of a run could change places: footprints, locks, and the order that both force on steps.
 *
 *     write x (A) ─▶ read x (B)         B's step comes after A's because of x
 *     release L (A) ─▶ acquire L (B)    and because of L
 *
 * Two steps of different actors that disturb each other and are ordered by nothing else are a race: the
 * search must also try them the other way round.
 */
import type { Lock } from "../core/ops.ts";
import { type Recorder, TOUCH } from "./recorder.ts";
import type { Step } from "./runner.ts";

/** A step in its place in a run. `clock[a]` is how many of actor a's steps it comes after (its own included). */
export interface Event extends Step {
  readonly clock: Int32Array;
  /** The actor's own steps so far, this one included. */
  readonly own: number;
}

const { READ, WRITE, UPDATE } = TOUCH;

function clash(a: number, b: number): boolean {
  if (((a | b) & WRITE) !== 0) return true;
  return (a & UPDATE) !== 0 ? (b & READ) !== 0 : (b & UPDATE) !== 0 && (a & READ) !== 0;
}

/** Whether two steps must not be exchanged. */
export function dependent(a: Step, b: Step): boolean {
  if (a.actor === b.actor) return true;
  if (a.acquired !== undefined && b.acquired !== undefined && a.acquired.lock === b.acquired.lock) {
    if (a.acquired.mode === "write" || b.acquired.mode === "write") return true;
  }
  // A release lets the other acquire: exchanging them is not possible, so they depend on each other.
  for (const { lock } of a.released) if (b.acquired?.lock === lock) return true;
  for (const { lock } of b.released) if (a.acquired?.lock === lock) return true;
  const kinds = new Map<number, number>();
  for (const each of a.footprint) kinds.set(each >> 3, each & 7);
  for (const each of b.footprint) {
    const other = kinds.get(each >> 3);
    if (other !== undefined && clash(other, each & 7)) return true;
  }
  return false;
}

interface LockOrder {
  lastWrite: number;
  readonly lastRead: number[];
  /** Clocks of the releases that a reader, and that a writer, comes after. */
  afterWrites: Int32Array | undefined;
  afterAll: Int32Array | undefined;
}

/** Follows a run step by step. */
export interface Order {
  readonly events: Event[];
  readonly reset: () => void;
  /** Adds a step; answers with the indices of the earlier steps with which it races. */
  readonly add: (step: Step) => number[];
}

export function makeOrder(actors: number, rec: Recorder): Order {
  const events: Event[] = [];
  let lastWrite = new Int32Array(0);
  let lastOther = new Int32Array(0);
  const dirty: number[] = [];
  const locks = new Map<Lock, LockOrder>();
  let clocks: Int32Array[] = [];
  let owns: number[] = [];

  function reset(): void {
    for (const place of dirty) {
      lastWrite[place] = 0;
      lastOther.fill(0, place * actors, (place + 1) * actors);
    }
    dirty.length = 0;
    locks.clear();
    events.length = 0;
    clocks = Array.from({ length: actors }, () => new Int32Array(actors));
    owns = new Array<number>(actors).fill(0);
    if (lastWrite.length < rec.places()) grow();
  }

  function grow(): void {
    const size = rec.places() * 2;
    const writes = new Int32Array(size);
    writes.set(lastWrite);
    const others = new Int32Array(size * actors);
    others.set(lastOther);
    lastWrite = writes;
    lastOther = others;
  }

  function orderOf(lock: Lock): LockOrder {
    let order = locks.get(lock);
    if (order === undefined) {
      order = {
        lastWrite: -1,
        lastRead: new Array<number>(actors).fill(-1),
        afterWrites: undefined,
        afterAll: undefined,
      };
      locks.set(lock, order);
    }
    return order;
  }

  function before(index: number, clock: Int32Array): boolean {
    const event = events[index]!;
    return clock[event.actor]! >= event.own;
  }

  function join(clock: Int32Array, other: Int32Array | undefined): void {
    if (other === undefined) return;
    for (let i = 0; i < actors; i++) if (other[i]! > clock[i]!) clock[i] = other[i]!;
  }

  /** Earlier steps of others that touched the same places so that the order matters. */
  function touchersBefore(step: Step): Set<number> {
    const found = new Set<number>();
    for (const each of step.footprint) {
      const place = each >> 3;
      const kind = each & 7;
      if (place >= lastWrite.length) grow();
      const writer = lastWrite[place]! - 1;
      if (writer >= 0 && events[writer]!.actor !== step.actor) found.add(writer);
      for (let actor = 0; actor < actors; actor++) {
        if (actor === step.actor) continue;
        const packed = lastOther[place * actors + actor]!;
        if (packed !== 0 && clash(kind, packed & 7)) found.add((packed >> 3) - 1);
      }
    }
    return found;
  }

  /** Records what the step touched, for those that come after it. */
  function leaveMarks(step: Step, index: number): void {
    for (const each of step.footprint) {
      const place = each >> 3;
      const kind = each & 7;
      dirty.push(place);
      if ((kind & WRITE) !== 0) {
        lastWrite[place] = index + 1;
        lastOther.fill(0, place * actors, (place + 1) * actors);
      } else {
        const at = place * actors + step.actor;
        lastOther[at] = ((index + 1) << 3) | kind | (lastOther[at]! & 7);
      }
    }
  }

  function lockRivals({ acquired, actor }: Step): number[] {
    if (acquired === undefined) return [];
    const order = orderOf(acquired.lock);
    const rivals = order.lastWrite >= 0 && events[order.lastWrite]!.actor !== actor ? [order.lastWrite] : [];
    if (acquired.mode === "write")
      order.lastRead.forEach((index, other) => {
        if (index >= 0 && other !== actor) rivals.push(index);
      });
    return rivals;
  }

  function passLocks(step: Step, clock: Int32Array, index: number): void {
    if (step.acquired !== undefined) {
      const order = orderOf(step.acquired.lock);
      if (step.acquired.mode === "write") order.lastWrite = index;
      else order.lastRead[step.actor] = index;
    }
    for (const { lock, mode } of step.released) {
      const order = orderOf(lock);
      order.afterAll ??= new Int32Array(actors);
      join(order.afterAll, clock);
      if (mode !== "write") continue;
      order.afterWrites ??= new Int32Array(actors);
      join(order.afterWrites, clock);
    }
  }

  function add(step: Step): number[] {
    const index = events.length;
    const mine = clocks[step.actor]!;
    const own = ++owns[step.actor]!;
    const touchers = [...touchersBefore(step)];
    const rivals = lockRivals(step).filter((rival) => !before(rival, mine));
    const clock = mine.slice();
    clock[step.actor] = own;
    if (step.acquired !== undefined) {
      const order = orderOf(step.acquired.lock);
      join(clock, step.acquired.mode === "write" ? order.afterAll : order.afterWrites);
    }
    // A step that comes before another one which this step comes after as well is no race of its own.
    const open = touchers.filter((toucher) => !before(toucher, clock));
    const races = open.filter(
      (toucher) => !open.some((other) => other !== toucher && before(toucher, events[other]!.clock)),
    );
    for (const toucher of touchers) join(clock, events[toucher]!.clock);
    for (const rival of rivals) join(clock, events[rival]!.clock);
    events.push({ ...step, clock, own });
    clocks[step.actor] = clock;
    leaveMarks(step, index);
    passLocks(step, clock, index);
    return [...new Set([...races, ...rivals])];
  }

  return { events, reset, add };
}
