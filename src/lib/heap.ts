/**
 * The event queue: a binary heap of (time, id) in typed arrays. Equal times leave in the order in which they
 * came, so that a run does not depend on how a heap happens to be balanced.
 *
 *          times  [ 10 | 10 | 25 | … ]      compared first
 *          order  [  3 |  7 |  1 | … ]      arrival number: breaks ties
 *          ids    [  4 |  0 |  9 | … ]      what the caller gets back
 */
import { assert } from "./assert.ts";

export interface Heap {
  size: number;
  /** Arrival number that the next push gets. */
  nextOrder: number;
  times: Float64Array;
  order: Float64Array;
  ids: Int32Array;
}

/** An empty heap with room for that many entries; it grows by doubling. */
export function makeHeap(capacity: number): Heap {
  const rows = Math.max(1, capacity);
  return {
    size: 0,
    nextOrder: 0,
    times: new Float64Array(rows),
    order: new Float64Array(rows),
    ids: new Int32Array(rows),
  };
}

export function sizeOf(h: Heap): number {
  return h.size;
}

/** Time of the entry that would leave next; Infinity when there is none. */
export function peekTimeNs(h: Heap): number {
  return h.size === 0 ? Number.POSITIVE_INFINITY : h.times[0]!;
}

/** Adds an entry. The same id may wait any number of times. */
export function pushHeap(h: Heap, timeNs: number, id: number): void {
  assert(timeNs < Number.POSITIVE_INFINITY, "an event has a time, and it comes");
  if (h.size === h.ids.length) grow(h);
  const { times, order, ids } = h;
  const arrival = h.nextOrder++;
  // The hole moves up; the new entry is the youngest, so on equal times it stays below.
  let hole = h.size++;
  while (hole > 0) {
    const parent = (hole - 1) >>> 1;
    if (times[parent]! <= timeNs) break;
    times[hole] = times[parent]!;
    order[hole] = order[parent]!;
    ids[hole] = ids[parent]!;
    hole = parent;
  }
  times[hole] = timeNs;
  order[hole] = arrival;
  ids[hole] = id;
}

/** Removes the earliest entry, the oldest among equals, and answers with its id. */
export function popHeap(h: Heap): number {
  assert(h.size > 0, "an entry is taken only from a heap that has one");
  const { times, order, ids } = h;
  const first = ids[0]!;
  const size = --h.size;
  const timeNs = times[size]!;
  const arrival = order[size]!;
  // The last entry fills the hole at the top: the hole moves down until both children are later.
  let hole = 0;
  for (let child = 1; child < size; child = 2 * hole + 1) {
    if (child + 1 < size && isEarlier(h, child + 1, times[child]!, order[child]!)) child++;
    if (!isEarlier(h, child, timeNs, arrival)) break;
    times[hole] = times[child]!;
    order[hole] = order[child]!;
    ids[hole] = ids[child]!;
    hole = child;
  }
  times[hole] = timeNs;
  order[hole] = arrival;
  ids[hole] = ids[size]!;
  return first;
}

function isEarlier(h: Heap, row: number, timeNs: number, arrival: number): boolean {
  const rowNs = h.times[row]!;
  return rowNs < timeNs || (rowNs === timeNs && h.order[row]! < arrival);
}

function grow(h: Heap): void {
  const times = new Float64Array(h.size * 2);
  const order = new Float64Array(h.size * 2);
  const ids = new Int32Array(h.size * 2);
  times.set(h.times);
  order.set(h.order);
  ids.set(h.ids);
  h.times = times;
  h.order = order;
  h.ids = ids;
}
