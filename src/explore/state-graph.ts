/**
 * The kernel's state as a graph of objects that can be put back: every run of a schedule starts from the same
 * picture, in the very same objects, so that closures made at set-up still see them.
 *
 *     set-up ─▶ capture: each object's fields, each array's elements, each column's numbers
 *     run    ─▶ changes them ─▶ restore ─▶ next run
 *
 * Locks are left out: the runner resets those that a run has taken.
 */
import type { Lock } from "../core/ops.ts";

export type Column =
  | Int32Array
  | Uint8Array
  | Uint16Array
  | Uint32Array
  | Float64Array
  | Int8Array
  | Int16Array;

type Fields = Record<string, unknown>;

/** Everything reachable from the roots, by kind. */
export interface StateGraph {
  readonly objects: Fields[];
  readonly arrays: unknown[][];
  readonly maps: Map<unknown, unknown>[];
  readonly sets: Set<unknown>[];
  readonly columns: Column[];
  readonly locks: Lock[];
  /** What each was reached by, for messages: "frames.refCount". */
  readonly names: Map<unknown, string>;
}

export function isColumn(value: unknown): value is Column {
  return ArrayBuffer.isView(value) && !(value instanceof DataView);
}

export function isLock(value: object): value is Lock {
  return "lockClass" in value && "acquireRead" in value;
}

/** Under this key whatever stands in front of a column or a list gives the thing itself. */
export const ITSELF = Symbol("itself");

function itselfOf(value: object): object {
  const itself = (value as { readonly [ITSELF]?: object })[ITSELF];
  return typeof itself === "object" ? itself : value;
}

/** Walks everything reachable from the named roots. Functions and what they close over are not entered. */
export function walkState(roots: Readonly<Record<string, unknown>>): StateGraph {
  const graph: StateGraph = {
    objects: [],
    arrays: [],
    maps: [],
    sets: [],
    columns: [],
    locks: [],
    names: new Map(),
  };
  for (const [name, root] of Object.entries(roots)) visit(graph, root, name);
  return graph;
}

function visit(graph: StateGraph, given: unknown, name: string): void {
  if (typeof given !== "object" || given === null) return;
  const value = itselfOf(given);
  if (graph.names.has(value)) return;
  graph.names.set(value, name);
  if (isColumn(value)) graph.columns.push(value);
  else if (isLock(value)) graph.locks.push(value);
  else if (value instanceof Set) graph.sets.push(value);
  else if (value instanceof Map) {
    graph.maps.push(value);
    for (const [key, each] of value) visit(graph, each, `${name}[${String(key)}]`);
  } else if (Array.isArray(value)) {
    graph.arrays.push(value);
    value.forEach((each, i) => {
      visit(graph, each, `${name}[${i}]`);
    });
  } else if (Object.getPrototypeOf(value) === Object.prototype) {
    graph.objects.push(value as Fields);
    for (const [key, each] of Object.entries(value)) visit(graph, each, nameOf(name, key));
  }
}

/** The kernel's own tables are known by their names: "frames.refCount", not "k.frames.refCount". */
function nameOf(parent: string, key: string): string {
  return parent === "k" ? key : `${parent}.${key}`;
}

/** A state that can be put back. */
export interface Saved {
  readonly restore: () => void;
}

/** Saves what the graph holds now. `restore` puts it back into the same objects. */
export function saveState(graph: StateGraph): Saved {
  const objects = graph.objects.map((object) => ({
    object,
    keys: Object.keys(object),
    values: Object.values(object),
  }));
  const arrays = graph.arrays.map((array) => ({ array, values: [...array] }));
  const maps = graph.maps.map((map) => ({ map, entries: [...map] }));
  const sets = graph.sets.map((set) => ({ set, values: [...set] }));
  const columns = graph.columns.map((column) => ({ column, numbers: column.slice() }));
  return {
    restore() {
      for (const { object, keys, values } of objects) restoreObject(object, keys, values);
      for (const { array, values } of arrays) restoreArray(array, values);
      for (const { map, entries } of maps) {
        if (map.size === 0 && entries.length === 0) continue;
        map.clear();
        for (const [key, value] of entries) map.set(key, value);
      }
      for (const { set, values } of sets) {
        set.clear();
        for (const value of values) set.add(value);
      }
      for (const { column, numbers } of columns) (column as Int32Array).set(numbers as Int32Array);
    },
  };
}

function restoreObject(object: Fields, keys: readonly string[], values: readonly unknown[]): void {
  for (let i = 0; i < keys.length; i++) {
    // Comparing first leaves frozen and read-only fields alone: they cannot have changed.
    if (object[keys[i]!] !== values[i]) object[keys[i]!] = values[i];
  }
}

function restoreArray(array: unknown[], values: readonly unknown[]): void {
  array.length = values.length;
  for (let i = 0; i < values.length; i++) if (array[i] !== values[i]) array[i] = values[i];
}
