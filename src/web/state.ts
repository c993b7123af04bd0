/**
 * What the page shows and where in it: one time cursor, one range of time and one selection for all views.
 * Everything here that a person can choose is in the address (see hash.ts).
 */
import { batch, computed, signal } from "@preact/signals";
import type { Column } from "../report/table.ts";
import type { Measurement } from "../report/trust.ts";
import type { Race } from "./model/race.ts";

export const VIEWS = ["compare", "timeline", "map", "walk", "race"] as const;
export type View = (typeof VIEWS)[number];

export const VIEW_NAMES: Readonly<Record<View, string>> = {
  compare: "Compare",
  timeline: "Timeline",
  map: "Address map",
  walk: "Fault walk",
  race: "Race",
};

/** A comparison that is shown. */
export interface Shown {
  readonly columns: readonly Column[];
  readonly version: string;
  /** The command that makes it again; empty when unknown. */
  readonly command: string;
  readonly measurements: readonly Measurement[];
}

/** How cells of the address map are coloured. */
export const MAP_COLOURS = ["state", "node", "heat"] as const;
export type MapColour = (typeof MAP_COLOURS)[number];

export const shown = signal<Shown | undefined>(undefined);
export const race = signal<Race | undefined>(undefined);

export const view = signal<View>("compare");
/** Index of the column to which the others are related. */
export const base = signal(0);
/** Index of the column that map and walk look into. */
export const selected = signal(0);
export const cursorNs = signal(0);
/** The part of the time that is shown; undefined: all of it. */
export const range = signal<readonly [number, number] | undefined>(undefined);
export const mapColour = signal<MapColour>("state");
/** Index of a region of the selected column's map, or -1. */
export const region = signal(-1);
/** Index of an event of the selected column, or -1. */
export const event = signal(-1);
/** Step of the walk, or of the race. */
export const step = signal(0);
export const theme = signal<"light" | "dark">("light");
export const helpOpen = signal(false);
/** What screen readers are told when something changed that was not asked for by focus. */
export const announcement = signal("");

export const columns = computed(() => shown.value?.columns ?? []);
export const column = computed(() => columns.value[selected.value]);
export const recording = computed(() => column.value?.recording);

/** The end of the longest run. */
export const endNs = computed(() =>
  columns.value.reduce((most, { result }) => Math.max(most, result.runNs), 1),
);

export const timeRange = computed<readonly [number, number]>(() => range.value ?? [0, endNs.value]);

const clamp = (value: number, low: number, high: number): number => Math.min(high, Math.max(low, value));

export function moveCursor(ns: number): void {
  cursorNs.value = Math.round(clamp(ns, 0, endNs.value));
}

/** Shows that part of the time; the whole when it covers everything. */
export function showRange(fromNs: number, toNs: number): void {
  const end = endNs.value;
  const span = clamp(toNs - fromNs, Math.min(10, end), end);
  const from = clamp(fromNs, 0, end - span);
  range.value = span >= end ? undefined : [from, from + span];
}

/** Zooms by a factor (below 1: closer) about a moment. */
export function zoomTime(factor: number, aboutNs: number): void {
  const [from, to] = timeRange.value;
  showRange(aboutNs - (aboutNs - from) * factor, aboutNs + (to - aboutNs) * factor);
}

/** Moves the shown time by a share of itself. */
export function panTime(share: number): void {
  const [from, to] = timeRange.value;
  const by = (to - from) * share;
  showRange(from + by, to + by);
}

export function showColumn(index: number): void {
  if (index < 0 || index >= columns.value.length || index === selected.value) return;
  batch(() => {
    selected.value = index;
    region.value = -1;
    event.value = -1;
    step.value = 0;
  });
}

/** Selects an event: the cursor goes to its time. */
export function showEvent(index: number): void {
  const events = recording.value?.events;
  if (events === undefined || index < 0 || index >= events.count) return;
  batch(() => {
    event.value = index;
    step.value = 0;
    cursorNs.value = events.tNs[index]!;
  });
}

/** The middle of the time in which the first run held most memory: there is more to see than at the start. */
function peakNs(all: readonly Column[]): number {
  const series = all[0]?.result.series;
  if (series === undefined) return 0;
  const most = Math.max(0, ...series.rssKb);
  const full = series.tNs.filter((_, i) => series.rssKb[i]! >= most * 0.95);
  return full[full.length >> 1] ?? 0;
}

/** Shows other results: the comparison first. */
export function show(next: Shown): void {
  batch(() => {
    shown.value = next;
    base.value = 0;
    selected.value = 0;
    cursorNs.value = peakNs(next.columns);
    range.value = undefined;
    region.value = -1;
    event.value = -1;
    step.value = 0;
    view.value = "compare";
  });
}
