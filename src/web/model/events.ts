/** Events by kind and by time, fast enough for ten millions of them. */
import { EVENT, FAULT_KINDS } from "../../core/events.ts";
import type { EventColumns, Recording } from "../../metrics/recording.ts";
import { pageOfEvent } from "../../report/events.ts";
import { formatFigure, formatTime } from "../../report/format.ts";

/** A lane of the timeline: events of some kind. */
export interface Lane {
  readonly key: string;
  readonly label: string;
  readonly code: number;
}

export const LANES: readonly Lane[] = [
  { key: "fault", label: "faults", code: EVENT.fault },
  { key: "huge", label: "huge faults", code: EVENT.hugeFault },
  { key: "collapse", label: "collapses", code: EVENT.collapse },
  { key: "split", label: "splits", code: EVENT.splitPmd },
  { key: "reserve", label: "reservations", code: EVENT.reserve },
  { key: "promote", label: "promotions", code: EVENT.promote },
  { key: "release", label: "releases", code: EVENT.release },
  { key: "copy", label: "copies", code: EVENT.cowCopy },
  { key: "shootdown", label: "TLB flushes", code: EVENT.shootdown },
  { key: "migrate", label: "migrations", code: EVENT.migrate },
  { key: "compaction", label: "compaction", code: EVENT.compaction },
  { key: "reclaim", label: "reclaim", code: EVENT.reclaim },
];

/** Indices of the events of each code, in order of time. */
export type ByCode = readonly Uint32Array[];

/** What is found out of a run's events once. */
interface Sorted {
  readonly lists: ByCode;
  /** Kinds of faults that occur. */
  readonly kinds: Uint8Array;
}

const known = new WeakMap<EventColumns, Sorted>();
const underway = new WeakMap<EventColumns, Iterator<void>>();

/** Events between two pauses of the work: about a millisecond. */
const CHUNK = 1 << 18;

/** Sorts the events, in many small parts: between two of them other things may be done. */
function* sorting(events: EventColumns): Generator<void> {
  const { count, code, c } = events;
  const counts = new Uint32Array(256);
  for (let from = 0; from < count; from += CHUNK) {
    const to = Math.min(count, from + CHUNK);
    for (let i = from; i < to; i++) counts[code[i]!]! += 1;
    yield;
  }
  const lists = Array.from(counts, (length) => new Uint32Array(length));
  const kinds = new Uint8Array(256);
  counts.fill(0);
  for (let from = 0; from < count; from += CHUNK) {
    const to = Math.min(count, from + CHUNK);
    for (let i = from; i < to; i++) {
      const of = code[i]!;
      lists[of]![counts[of]!++] = i;
      if (of === EVENT.fault) kinds[c[i]! & 255] = 1;
    }
    yield;
  }
  for (const list of lists) if (list.length > 0) yield* indexing(events, list);
  known.set(events, { lists, kinds });
}

/** The work on these events, wherever it is: begun in idle time, ended by whoever needs it. */
export function sortingOf(events: EventColumns): Iterator<void> {
  let work = underway.get(events);
  if (work === undefined) {
    work = sorting(events);
    underway.set(events, work);
  }
  return work;
}

function sortedOf(events: EventColumns): Sorted {
  const work = sortingOf(events);
  while (!known.has(events)) work.next();
  return known.get(events)!;
}

export const byCode = (events: EventColumns): ByCode => sortedOf(events).lists;

/** About so many events of a list lie in one part of the time for which it is known where they begin. */
const EVENTS_IN_PART = 32;
const PARTS_MOST = 2 ** 19;

/** Where in a list the events of each part of the time begin; one entry more than parts. */
interface Index {
  readonly endNs: number;
  readonly parts: number;
  readonly first: Uint32Array;
}

const indices = new WeakMap<Uint32Array, Index>();

const partOf = (ns: number, endNs: number, parts: number): number =>
  Math.max(0, Math.min(parts - 1, Math.floor((ns / endNs) * parts)));

function* indexing(events: EventColumns, list: Uint32Array): Generator<void> {
  const { tNs } = events;
  const endNs = Math.max(1, tNs[events.count - 1] ?? 1);
  const parts = Math.min(PARTS_MOST, Math.max(1, Math.ceil(list.length / EVENTS_IN_PART)));
  const first = new Uint32Array(parts + 1);
  for (let from = 0; from < list.length; from += CHUNK) {
    const to = Math.min(list.length, from + CHUNK);
    for (let i = from; i < to; i++) first[partOf(tNs[list[i]!]!, endNs, parts) + 1]! += 1;
    yield;
  }
  for (let part = 0; part < parts; part++) first[part + 1]! += first[part]!;
  indices.set(list, { endNs, parts, first });
}

function indexOf(events: EventColumns, list: Uint32Array): Index {
  for (const work = indexing(events, list); !indices.has(list); ) work.next();
  return indices.get(list)!;
}

/** How many of the listed events lie before a moment. */
export function countBefore(events: EventColumns, list: Uint32Array, ns: number): number {
  return list.length === 0 ? 0 : countIn(indexOf(events, list), events.tNs, list, ns);
}

function countIn(index: Index, tNs: EventColumns["tNs"], list: Uint32Array, ns: number): number {
  const { endNs, parts, first } = index;
  const part = partOf(ns, endNs, parts);
  let low = first[part]!;
  let high = first[part + 1]!;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (tNs[list[middle]!]! < ns) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** How many of the listed events lie in each of some equal steps from a moment on. */
export function countSteps(
  events: EventColumns,
  list: Uint32Array,
  { fromNs, stepNs, steps }: { readonly fromNs: number; readonly stepNs: number; readonly steps: number },
): Uint32Array {
  const counts = new Uint32Array(steps);
  if (list.length === 0) return counts;
  const index = indexOf(events, list);
  let before = countIn(index, events.tNs, list, fromNs);
  for (let step = 0; step < steps; step++) {
    const now = countIn(index, events.tNs, list, fromNs + (step + 1) * stepNs);
    counts[step] = now - before;
    before = now;
  }
  return counts;
}

/** What the strips of the timeline show between two moments, in words; row by row: lanes, then daemons. */
export function tellStrip(
  { events, tracks }: Recording,
  lanes: readonly Lane[],
  row: number,
  fromNs: number,
  toNs: number,
): string {
  const within = formatTime(toNs - fromNs);
  const lane = lanes[row];
  if (lane !== undefined) {
    const list = byCode(events)[lane.code]!;
    const count = countBefore(events, list, toNs) - countBefore(events, list, fromNs);
    return `${lane.label}: ${formatFigure("count", count)} in ${within}`;
  }
  const track = tracks[row - lanes.length];
  if (track === undefined) return "";
  let ranNs = 0;
  for (let i = 0; i < track.fromNs.length; i++) {
    ranNs += Math.max(0, Math.min(toNs, track.toNs[i]!) - Math.max(fromNs, track.fromNs[i]!));
  }
  return `${track.name}: ran ${formatTime(ranNs)} in ${within}`;
}

/** Events that a person chose: all, those of a lane, or faults of one kind. */
export function chosen(recording: Recording, choice: string): Uint32Array {
  const { events } = recording;
  const lists = byCode(events);
  const lane = LANES.find(({ key }) => key === choice);
  if (lane !== undefined) return lists[lane.code]!;
  const kind = FAULT_KINDS.indexOf(choice as (typeof FAULT_KINDS)[number]);
  if (kind < 0) return allOf(events);
  const faults = lists[EVENT.fault]!;
  const found = new Uint32Array(faults.length);
  let count = 0;
  for (const i of faults) if (events.c[i] === kind) found[count++] = i;
  return found.subarray(0, count);
}

function allOf({ count }: EventColumns): Uint32Array {
  const all = new Uint32Array(count);
  for (let i = 0; i < count; i++) all[i] = i;
  return all;
}

/** Kinds of faults that occur, in the order of their list. */
export function faultKindsOf({ events }: Recording): string[] {
  const { kinds } = sortedOf(events);
  return FAULT_KINDS.filter((_, kind) => kinds[kind] === 1);
}

/** The last `most` events before or at a moment that lie in a region; newest first. */
export function eventsInRegion(recording: Recording, region: number, most: number): number[] {
  const { events, map, pagesPerHuge } = recording;
  const where = map.regions[region];
  if (where === undefined) return [];
  const found: number[] = [];
  for (let i = events.count - 1; i >= 0 && found.length < most; i--) {
    const page = pageOfEvent(events, i);
    if (page === undefined || page < where.vpn || page >= where.vpn + pagesPerHuge) continue;
    if (events.code[i] !== EVENT.migrate && events.a[i] !== where.mm) continue;
    found.push(i);
  }
  return found;
}
