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

/**
 * A step in its place in a run. `clock[a]` is how many of actor a's steps it comes after (its own included).
 */
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
export class Order {
  readonly events: Event[] = [];
  private readonly actors: number;
  private readonly rec: Recorder;
  /**
   * By place: the last step that wrote it, plus one; by place and actor: the last that only looked or added.
   */
  private lastWrite = new Int32Array(0);
  private lastOther = new Int32Array(0);
  private readonly dirty: number[] = [];
  private readonly locks = new Map<Lock, LockOrder>();
  private clocks: Int32Array[] = [];
  private owns: number[] = [];

  constructor(actors: number, rec: Recorder) {
    this.actors = actors;
    this.rec = rec;
  }

  /** A run begins. */
  reset(): void {
    const { actors, lastWrite, lastOther } = this;
    for (const place of this.dirty) {
      lastWrite[place] = 0;
      lastOther.fill(0, place * actors, (place + 1) * actors);
    }
    this.dirty.length = 0;
    this.locks.clear();
    this.events.length = 0;
    this.clocks = Array.from({ length: actors }, () => new Int32Array(actors));
    this.owns = new Array<number>(actors).fill(0);
  }

  /** Adds a step; answers with the indices of the earlier steps with which it races. */
  add(step: Step): number[] {
    if (this.lastWrite.length < this.rec.places()) this.grow();
    const { events, clocks, owns } = this;
    const index = events.length;
    const mine = clocks[step.actor]!;
    const own = ++owns[step.actor]!;
    const touchers = [...this.touchersBefore(step)];
    const rivals = this.lockRivals(step).filter((rival) => !this.before(rival, mine));
    const clock = mine.slice();
    clock[step.actor] = own;
    if (step.acquired !== undefined) {
      const order = this.orderOf(step.acquired.lock);
      join(clock, step.acquired.mode === "write" ? order.afterAll : order.afterWrites);
    }
    // A step that comes before another one which this step comes after as well is no race of its own.
    const open = touchers.filter((toucher) => !this.before(toucher, clock));
    const races = open.filter(
      (toucher) => !open.some((other) => other !== toucher && this.before(toucher, events[other]!.clock)),
    );
    for (const toucher of touchers) join(clock, events[toucher]!.clock);
    for (const rival of rivals) join(clock, events[rival]!.clock);
    events.push({ ...step, clock, own });
    clocks[step.actor] = clock;
    this.leaveMarks(step, index);
    this.passLocks(step, clock, index);
    return [...new Set([...races, ...rivals])];
  }

  private grow(): void {
    const size = this.rec.places() * 2;
    const writes = new Int32Array(size);
    writes.set(this.lastWrite);
    const others = new Int32Array(size * this.actors);
    others.set(this.lastOther);
    this.lastWrite = writes;
    this.lastOther = others;
  }

  private orderOf(lock: Lock): LockOrder {
    let order = this.locks.get(lock);
    if (order === undefined) {
      const lastRead = new Array<number>(this.actors).fill(-1);
      order = { lastWrite: -1, lastRead, afterWrites: undefined, afterAll: undefined };
      this.locks.set(lock, order);
    }
    return order;
  }

  private before(index: number, clock: Int32Array): boolean {
    const event = this.events[index]!;
    return clock[event.actor]! >= event.own;
  }

  /** Earlier steps of others that touched the same places so that the order matters. */
  private touchersBefore(step: Step): Set<number> {
    const { actors, events, lastWrite, lastOther } = this;
    const found = new Set<number>();
    for (const each of step.footprint) {
      const place = each >> 3;
      const writer = lastWrite[place]! - 1;
      if (writer >= 0 && events[writer]!.actor !== step.actor) found.add(writer);
      for (let actor = 0; actor < actors; actor++) {
        if (actor === step.actor) continue;
        const packed = lastOther[place * actors + actor]!;
        if (packed !== 0 && clash(each & 7, packed & 7)) found.add((packed >> 3) - 1);
      }
    }
    return found;
  }

  /** Records what the step touched, for those that come after it. */
  private leaveMarks(step: Step, index: number): void {
    const { actors, lastWrite, lastOther } = this;
    for (const each of step.footprint) {
      const place = each >> 3;
      const kind = each & 7;
      this.dirty.push(place);
      if ((kind & WRITE) !== 0) {
        lastWrite[place] = index + 1;
        lastOther.fill(0, place * actors, (place + 1) * actors);
      } else {
        const at = place * actors + step.actor;
        lastOther[at] = ((index + 1) << 3) | kind | (lastOther[at]! & 7);
      }
    }
  }

  /** Earlier acquisitions that this one excludes. */
  private lockRivals({ acquired, actor }: Step): number[] {
    if (acquired === undefined) return [];
    const order = this.orderOf(acquired.lock);
    const byWriter = order.lastWrite >= 0 && this.events[order.lastWrite]!.actor !== actor;
    const rivals = byWriter ? [order.lastWrite] : [];
    if (acquired.mode === "read") return rivals;
    order.lastRead.forEach((index, other) => {
      if (index >= 0 && other !== actor) rivals.push(index);
    });
    return rivals;
  }

  private passLocks(step: Step, clock: Int32Array, index: number): void {
    if (step.acquired !== undefined) {
      const order = this.orderOf(step.acquired.lock);
      if (step.acquired.mode === "write") order.lastWrite = index;
      else order.lastRead[step.actor] = index;
    }
    for (const { lock, mode } of step.released) {
      const order = this.orderOf(lock);
      order.afterAll ??= new Int32Array(this.actors);
      join(order.afterAll, clock);
      if (mode !== "write") continue;
      order.afterWrites ??= new Int32Array(this.actors);
      join(order.afterWrites, clock);
    }
  }
}

function join(clock: Int32Array, other: Int32Array | undefined): void {
  if (other === undefined) return;
  for (let i = 0; i < clock.length; i++) if (other[i]! > clock[i]!) clock[i] = other[i]!;
}
