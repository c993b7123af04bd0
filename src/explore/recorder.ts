/**
 * What a step read and wrote, place by place: the footprint by which the search knows which steps may change
 * places without anybody noticing. `dressing.ts` puts it in front of the kernel's state.
 */
import type { Lock } from "../core/ops.ts";

/** How a step touched a place. Two updates (additions to a sum) do not disturb each other. */
export const TOUCH = { READ: 1, WRITE: 2, UPDATE: 4 } as const;

/** A step's footprint: place × 8 + kinds of touch. */
export type Footprint = Int32Array;

interface Range {
  readonly name: string;
  readonly first: number;
  readonly indexed: boolean;
}

class Places {
  kinds = new Uint8Array(1 << 14);
  readonly touched: number[] = [];
  readonly ranges: Range[] = [];
  readonly byName = new Map<string, number>();
  next = 0;

  /** A range of places; the same name has the same places in every run. */
  take(name: string, count: number, indexed: boolean): number {
    const key = `${name}×${count}`;
    const known = this.byName.get(key);
    if (known !== undefined) return known;
    const first = this.next;
    this.next += count;
    this.byName.set(key, first);
    this.ranges.push({ name, first, indexed });
    if (this.next > this.kinds.length) {
      const grown = new Uint8Array(this.next * 2);
      grown.set(this.kinds);
      this.kinds = grown;
    }
    return first;
  }

  nameOf(place: number): string {
    let found: Range | undefined;
    for (const range of this.ranges)
      if (range.first <= place && (found?.first ?? -1) <= range.first) found = range;
    if (found === undefined) return `place ${place}`;
    return found.indexed ? `${found.name}[${place - found.first}]` : found.name;
  }
}

/** Collects touches while it is on. */
export class Recorder {
  /** While false, nothing is recorded: set-up, checks, the runner's own work. */
  on = false;
  /** Told of each write to a place, when somebody narrates. */
  onWrite: ((place: number, before: unknown, after: unknown) => void) | undefined;
  /** Told of every first touch of a place in a step, when somebody narrates. */
  onTouch: (() => void) | undefined;
  private readonly ranges = new Places();
  private readonly lockPlaces = new Map<Lock, number>();
  /** A sum that has just been read: an addition if its write follows at once. */
  private waiting = -1;

  /** Places for that many things of a name; the same in every run. */
  range(name: string, count: number, indexed: boolean): number {
    return this.ranges.take(name, count, indexed);
  }

  /** How many places there are so far. */
  places(): number {
    return this.ranges.next;
  }

  /** "frames.refCount[5]". */
  nameOf(place: number): string {
    return this.ranges.nameOf(place);
  }

  /** The place of a lock's state. */
  lockPlace(lock: Lock): number {
    let place = this.lockPlaces.get(lock);
    if (place === undefined) {
      place = this.range(lock.name, 1, false);
      this.lockPlaces.set(lock, place);
    }
    return place;
  }

  /** A place was touched, as a path does. */
  touch(place: number, kind: number): void {
    if (this.waiting >= 0) {
      this.mark(this.waiting, TOUCH.READ);
      this.waiting = -1;
    }
    this.mark(place, kind);
  }

  /** The same for a sum. */
  touchSum(place: number, kind: number): void {
    const added = kind === TOUCH.WRITE && this.waiting === place;
    if (this.waiting >= 0 && !added) this.mark(this.waiting, TOUCH.READ);
    this.waiting = -1;
    if (added) this.mark(place, TOUCH.UPDATE);
    else if (kind === TOUCH.READ) this.waiting = place;
    else this.mark(place, kind);
  }

  /** Ends a step: its footprint. */
  take(): Footprint {
    const { touched, kinds } = this.ranges;
    if (this.waiting >= 0) this.mark(this.waiting, TOUCH.READ);
    this.waiting = -1;
    const footprint = new Int32Array(touched.length);
    touched.forEach((place, i) => {
      footprint[i] = place * 8 + kinds[place]!;
      kinds[place] = 0;
    });
    touched.length = 0;
    return footprint;
  }

  private mark(place: number, kind: number): void {
    const { kinds, touched } = this.ranges;
    const before = kinds[place]!;
    if ((before & kind) !== 0) return;
    this.onTouch?.();
    if (before === 0) touched.push(place);
    kinds[place] = before | kind;
  }
}
