/**
 * What a step read and wrote, place by place: the footprint by which the search knows which steps may change
 * places without anybody noticing.
 *
 *     columns and lists ─▶ proxies        fields of objects ─▶ accessors        locks ─▶ a place each
 *                              └───────────────┴─▶ place numbers, while recording is on
 *
 * Nothing is declared and nothing can be forgotten: a path that reads a column without its lock is seen to
 * read it. Counters of /proc/vmstat and caches of look-ups are left out: no path decides by them.
 */

import type { Lock } from "../core/ops.ts";
import { type Column, ITSELF, isColumn, isLock, type StateGraph } from "./state-graph.ts";

/** How a step touched a place. Two updates (a lock's state changed by its takers) do not disturb each other. */
export const TOUCH = { READ: 1, WRITE: 2, UPDATE: 4 } as const;

/** A step's footprint: place × 8 + kinds of touch. */
export type Footprint = Int32Array;

/** Fields that no path decides by, or that only remember the last look-up. */
const UNSEEN = new Set([
  "cpu",
  "nowNs",
  "listener",
  "witness",
  "vmstat",
  "stolenNs",
  "totals",
  "cachedTable",
  "cachedFirstVpn",
  "lastVma",
  "flushes",
  "anonPages",
  "filePages",
  "peakPages",
  "peakHugePmds",
  "tablePages",
  "touchedPages",
  "hugeTouched",
  "hugePmds",
  "costs",
  "knobs",
  "machine",
  "behaviours",
  "geometry",
]);

/**
 * Counts that are added to in one breath: two additions may change places. A path that also looks at the sum
 * reads it as well.
 */
const SUMS = new Set([
  "refCount",
  "mapCount",
  "hugeMapCount",
  "ptePages",
  "counts",
  "sizePages",
  "freePages",
]);

/** Sums that only /proc/vmstat shows. */
const SHOWN_ONLY = "buddy.freePages";

export interface Recorder {
  /** While false, nothing is recorded: set-up, checks, the runner's own work. */
  on: boolean;
  /** Touches one place, as if a path had. */
  readonly touch: (place: number, kind: number) => void;
  /** The same for a sum. */
  readonly touchSum: (place: number, kind: number) => void;
  /** Ends a step: its footprint. */
  readonly take: () => Footprint;
  /** The place of a lock's state. */
  readonly lockPlace: (lock: Lock) => number;
  /** How many places there are so far. */
  readonly places: () => number;
  /** "frames.refCount[5]". */
  readonly nameOf: (place: number) => string;
  /** Told of each write to a place whose value can be shown, when somebody narrates. */
  onWrite: ((place: number, before: unknown, after: unknown) => void) | undefined;
  /** Told of every first touch of a place in a step, when somebody narrates. */
  onTouch: (() => void) | undefined;
}

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

/** Puts recorders in front of everything in the graph. The graph's columns and lists themselves stay. */
export function recordState(graph: StateGraph): Recorder {
  const places = new Places();
  const lockPlaces = new Map<Lock, number>();
  /** A sum that has just been read: an addition if its write follows at once. */
  let waiting = -1;
  const mark = (place: number, kind: number) => {
    const before = places.kinds[place]!;
    if ((before & kind) !== 0) return;
    rec.onTouch?.();
    if (before === 0) places.touched.push(place);
    places.kinds[place] = before | kind;
  };
  const rec: Recorder = {
    on: false,
    touch(place, kind) {
      if (waiting >= 0) {
        mark(waiting, TOUCH.READ);
        waiting = -1;
      }
      mark(place, kind);
    },
    touchSum(place, kind) {
      const added = kind === TOUCH.WRITE && waiting === place;
      if (waiting >= 0 && !added) mark(waiting, TOUCH.READ);
      waiting = -1;
      if (added) mark(place, TOUCH.UPDATE);
      else if (kind === TOUCH.READ) waiting = place;
      else mark(place, kind);
    },
    take() {
      if (waiting >= 0) mark(waiting, TOUCH.READ);
      waiting = -1;
      const footprint = new Int32Array(places.touched.length);
      places.touched.forEach((place, i) => {
        footprint[i] = place * 8 + places.kinds[place]!;
        places.kinds[place] = 0;
      });
      places.touched.length = 0;
      return footprint;
    },
    lockPlace: (lock) => lockPlaces.get(lock) ?? watchLock(lock),
    places: () => places.next,
    nameOf: (place) => places.nameOf(place),
    onWrite: undefined,
    onTouch: undefined,
  };

  const proxies = new WeakMap<object, object>();
  const seen = new WeakSet<object>();

  function watchLock(lock: Lock): number {
    const place = places.take(lock.name, 1, false);
    lockPlaces.set(lock, place);
    for (const field of ["holder", "readers"] as const) {
      let value = lock[field];
      Object.defineProperty(lock, field, {
        enumerable: true,
        configurable: true,
        get() {
          if (rec.on) rec.touch(place, TOUCH.READ);
          return value;
        },
        set(next: number) {
          value = next;
        },
      });
    }
    return place;
  }

  /** What stands in a field for a value: its proxy, if it has one. */
  function dressed(value: unknown, name: string): unknown {
    if (typeof value !== "object" || value === null) return value;
    const proxy = proxies.get(value);
    if (proxy !== undefined) return proxy;
    if (seen.has(value)) return value;
    seen.add(value);
    if (isColumn(value)) return keep(value, columnProxy(rec, places, value, name));
    if (isLock(value)) {
      watchLock(value);
      return value;
    }
    if (value instanceof Map) return keep(value, mapProxy(rec, places.take(name, 1, false), value));
    if (Array.isArray(value)) {
      for (let i = 0; i < value.length; i++) value[i] = dressed(value[i], `${name}[${i}]`);
      return keep(
        value,
        listProxy(rec, places.take(name, 1, false), value, (made) => dressed(made, fresh(name))),
      );
    }
    if (Object.getPrototypeOf(value) === Object.prototype)
      watchFields(value as Record<string, unknown>, name);
    return value;
  }

  function keep(value: object, proxy: object): object {
    proxies.set(value, proxy);
    seen.add(proxy);
    return proxy;
  }

  /** Whatever paths make and hang up there shares places: their names must be the same in every run. */
  function fresh(parent: string): string {
    return parent.endsWith(" (made)") ? parent : `${parent} (made)`;
  }

  function watchFields(object: Record<string, unknown>, name: string): void {
    if (Object.isFrozen(object)) return;
    for (const key of Object.keys(object)) {
      const own = graph.names.get(object[key]) ?? (name === "k" ? key : `${name}.${key}`);
      if (UNSEEN.has(key) || own === SHOWN_ONLY) continue;
      const touch = SUMS.has(key) ? rec.touchSum : rec.touch;
      const descriptor = Object.getOwnPropertyDescriptor(object, key)!;
      if (descriptor.configurable !== true || descriptor.get !== undefined) continue;
      let value = dressed(object[key], own);
      const place = places.take(own, 1, false);
      Object.defineProperty(object, key, {
        enumerable: true,
        configurable: true,
        get() {
          if (rec.on) touch(place, TOUCH.READ);
          return value;
        },
        set(next: unknown) {
          if (rec.on) {
            touch(place, TOUCH.WRITE);
            rec.onWrite?.(place, value, next);
            value = dressed(next, fresh(own));
          } else value = next;
        },
      });
    }
  }

  for (const object of graph.objects) {
    seen.add(object);
  }
  for (const object of graph.objects) watchFields(object, graph.names.get(object)!);
  for (const lock of graph.locks) if (!lockPlaces.has(lock)) watchLock(lock);
  return rec;
}

function indexOf(key: string | symbol): number {
  if (typeof key !== "string") return -1;
  const first = key.charCodeAt(0);
  return first >= 48 && first <= 57 ? Number(key) : -1;
}

function columnProxy(rec: Recorder, places: Places, column: Column, name: string): object {
  const first = places.take(name, Math.max(1, column.length), true);
  const touch = SUMS.has(name.slice(name.lastIndexOf(".") + 1)) ? rec.touchSum : rec.touch;
  const all = (kind: number) => {
    for (let i = 0; i < column.length; i++) rec.touch(first + i, kind);
  };
  return new Proxy(column, {
    get(target, key) {
      const index = indexOf(key);
      if (index >= 0) {
        if (rec.on) touch(first + index, TOUCH.READ);
        return target[index];
      }
      if (key === ITSELF) return target;
      const value = Reflect.get(target, key) as unknown;
      if (typeof value !== "function") return value;
      if (key === "fill")
        return (number: number, from = 0, to = target.length) => {
          for (let i = from; i < to; i++) write(i, number);
          return target;
        };
      return (...args: unknown[]) => {
        if (rec.on) all(key === "set" ? TOUCH.WRITE : TOUCH.READ);
        return (value as (...given: unknown[]) => unknown).apply(target, args);
      };
    },
    set(target, key, number: number) {
      const index = indexOf(key);
      if (index < 0) return false;
      if (index < target.length) write(index, number);
      return true;
    },
  });

  function write(index: number, number: number): void {
    if (rec.on) {
      touch(first + index, TOUCH.WRITE);
      if (rec.onWrite !== undefined && column[index] !== number)
        rec.onWrite(first + index, column[index], number);
    }
    column[index] = number;
  }
}

/** A list is one place: who looks reads it, who changes it writes it. */
function listProxy(rec: Recorder, place: number, list: unknown[], dress: (made: unknown) => unknown): object {
  return new Proxy(list, {
    get(target, key) {
      if (key === ITSELF) return target;
      if (rec.on) rec.touch(place, TOUCH.READ);
      return Reflect.get(target, key) as unknown;
    },
    set(target, key, value) {
      if (rec.on) rec.touch(place, TOUCH.WRITE);
      return Reflect.set(target, key, rec.on ? dress(value) : value);
    },
    deleteProperty(target, key) {
      if (rec.on) rec.touch(place, TOUCH.WRITE);
      return Reflect.deleteProperty(target, key);
    },
  });
}

const MAP_WRITERS = new Set<string | symbol>(["set", "delete", "clear"]);

function mapProxy(rec: Recorder, place: number, map: Map<unknown, unknown>): object {
  return new Proxy(map, {
    get(target, key) {
      if (key === ITSELF) return target;
      if (rec.on) rec.touch(place, MAP_WRITERS.has(key) ? TOUCH.WRITE : TOUCH.READ);
      const value = Reflect.get(target, key, target) as unknown;
      return typeof value === "function" ? (value as () => unknown).bind(target) : value;
    },
  });
}
