/**
 * Puts a recorder in front of the kernel's state, so that whatever a path reads or writes is seen.
 *
 *     columns and lists ─▶ proxies        fields of objects ─▶ accessors        locks ─▶ a place each
 *
 * Nothing is declared and nothing can be forgotten: a path that reads a column without its lock is seen to
 * read it. Counters of /proc/vmstat and caches of look-ups are left out: no path decides by them.
 */
import type { Lock } from "../core/ops.ts";
import { Recorder, TOUCH } from "./recorder.ts";
import { type Column, ITSELF, isColumn, isLock, type StateGraph } from "./state-graph.ts";

/** Fields that no path decides by, or that only remember the last look-up. */
const UNSEEN = new Set([
  "cpu",
  "nowNs",
  "listener",
  "witness",
  "onEnter",
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

/** Records everything in the graph. The graph's columns and lists themselves stay what they are. */
export function recordState(graph: StateGraph): Recorder {
  const dresser = new Dresser(graph);
  for (const object of graph.objects) dresser.know(object);
  for (const object of graph.objects) dresser.watchFields(object, graph.names.get(object)!);
  for (const lock of graph.locks) dresser.watchLock(lock);
  return dresser.rec;
}

class Dresser {
  readonly rec = new Recorder();
  private readonly graph: StateGraph;
  private readonly proxies = new WeakMap<object, object>();
  private readonly seen = new WeakSet<object>();

  constructor(graph: StateGraph) {
    this.graph = graph;
  }

  know(object: object): void {
    this.seen.add(object);
  }

  watchLock(lock: Lock): void {
    const { rec } = this;
    if (Object.getOwnPropertyDescriptor(lock, "holder")!.get !== undefined) return;
    const place = rec.lockPlace(lock);
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
  }

  /** What stands in a field for a value: its proxy, if it has one. */
  dressed(value: unknown, name: string): unknown {
    if (typeof value !== "object" || value === null) return value;
    const proxy = this.proxies.get(value);
    if (proxy !== undefined) return proxy;
    if (this.seen.has(value)) return value;
    this.seen.add(value);
    const { rec } = this;
    if (isColumn(value)) return this.keep(value, columnProxy(rec, value, name));
    if (isLock(value)) this.watchLock(value);
    else if (value instanceof Map || value instanceof Set)
      return this.keep(value, collectionProxy(rec, rec.range(name, 1, false), value));
    else if (Array.isArray(value)) return this.dressedList(value, name);
    else if (Object.getPrototypeOf(value) === Object.prototype)
      this.watchFields(value as Record<string, unknown>, name);
    return value;
  }

  private dressedList(list: unknown[], name: string): object {
    for (let i = 0; i < list.length; i++) list[i] = this.dressed(list[i], `${name}[${i}]`);
    const place = this.rec.range(name, 1, false);
    return this.keep(
      list,
      listProxy(this.rec, place, list, (made) => this.dressed(made, freshName(name))),
    );
  }

  private keep(value: object, proxy: object): object {
    this.proxies.set(value, proxy);
    this.seen.add(proxy);
    return proxy;
  }

  watchFields(object: Record<string, unknown>, name: string): void {
    if (Object.isFrozen(object)) return;
    for (const key of Object.keys(object)) {
      const own = this.graph.names.get(object[key]) ?? (name === "k" ? key : `${name}.${key}`);
      if (UNSEEN.has(key) || own === SHOWN_ONLY) continue;
      const { configurable, get } = Object.getOwnPropertyDescriptor(object, key)!;
      if (configurable === true && get === undefined) this.watchField(object, key, own);
    }
  }

  private watchField(object: Record<string, unknown>, key: string, own: string): void {
    const { rec } = this;
    const isSum = SUMS.has(key);
    const touch = (place: number, kind: number) =>
      isSum ? rec.touchSum(place, kind) : rec.touch(place, kind);
    const dressed = (next: unknown) => this.dressed(next, freshName(own));
    let value = this.dressed(object[key], own);
    const place = rec.range(own, 1, false);
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
        }
        value = dressed(next);
      },
    });
  }
}

/** Whatever paths make and hang up there shares places: their names must be the same in every run. */
function freshName(parent: string): string {
  return parent.endsWith(" (made)") ? parent : `${parent} (made)`;
}

function indexOf(key: string | symbol): number {
  if (typeof key !== "string") return -1;
  const first = key.charCodeAt(0);
  return first >= 48 && first <= 57 ? Number(key) : -1;
}

function columnProxy(rec: Recorder, column: Column, name: string): object {
  const first = rec.range(name, Math.max(1, column.length), true);
  const isSum = SUMS.has(name.slice(name.lastIndexOf(".") + 1));
  const touch = (place: number, kind: number) => (isSum ? rec.touchSum(place, kind) : rec.touch(place, kind));
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
      return Reflect.set(target, key, dress(value));
    },
    deleteProperty(target, key) {
      if (rec.on) rec.touch(place, TOUCH.WRITE);
      return Reflect.deleteProperty(target, key);
    },
  });
}

const WRITERS = new Set<string | symbol>(["set", "add", "delete", "clear"]);

function collectionProxy(rec: Recorder, place: number, map: Map<unknown, unknown> | Set<unknown>): object {
  return new Proxy(map, {
    get(target, key) {
      if (key === ITSELF) return target;
      if (rec.on) rec.touch(place, WRITERS.has(key) ? TOUCH.WRITE : TOUCH.READ);
      const value = Reflect.get(target, key, target) as unknown;
      return typeof value === "function" ? (value as () => unknown).bind(target) : value;
    },
  });
}
