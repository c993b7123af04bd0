/**
 * The state of every page at any moment, from a recording's changes.
 *
 *     changes in order of look ──▶ keyframes (whole copies, a few) ──▶ the nearest one before + what follows
 *
 * Going one look forward costs what changed; going far, or back, at most the way from the keyframe before.
 */
import { assert } from "../../lib/assert.ts";
import { PAGE, type Recording } from "../../metrics/recording.ts";

/** Copies of everything; at most that many bytes of them. */
const KEYFRAMES = 16;
const KEYFRAME_BYTES = 64 * 2 ** 20;

export interface PagesNow {
  readonly recording: Recording;
  /** The look whose states are in `states`. */
  frame: number;
  readonly states: Uint8Array;
  /** References to each region between this look and the one before. */
  readonly heat: Float64Array;
  heatMost: number;
  /** First change of each look; one entry more than looks. */
  readonly firstChange: Uint32Array;
  readonly keyframes: Map<number, Uint8Array>;
}

function firstChanges(frame: Uint16Array, frames: number): Uint32Array {
  const first = new Uint32Array(frames + 1);
  let change = 0;
  for (let at = 0; at <= frames; at++) {
    while (change < frame.length && frame[change]! < at) change++;
    first[at] = change;
  }
  first[frames] = frame.length;
  return first;
}

/** Goes through a recording's looks and keeps some: one look at a time, so that others may be served. */
function* opening(recording: Recording): Generator<void> {
  const { map, pagesPerHuge } = recording;
  const frames = map.frameNs.length;
  const pages: PagesNow = {
    recording,
    frame: -1,
    states: new Uint8Array(map.regions.length * pagesPerHuge),
    heat: new Float64Array(map.regions.length),
    heatMost: map.heat.reduce((most, value) => Math.max(most, value), 1),
    firstChange: firstChanges(map.frame, frames),
    keyframes: new Map(),
  };
  const room = Math.max(
    2,
    Math.min(KEYFRAMES, Math.floor(KEYFRAME_BYTES / Math.max(1, pages.states.length))),
  );
  const every = Math.max(1, Math.ceil(frames / room));
  for (let at = 0; at < frames; at++) {
    apply(pages, at);
    if (at % every === 0) pages.keyframes.set(at, pages.states.slice());
    yield;
  }
  goToFrame(pages, 0);
  if (latest?.recording === recording) latest.pages = pages;
}

/** The map that was opened last, or is being opened: large ones are too large to keep several. */
let latest:
  | { readonly recording: Recording; readonly work: Iterator<void>; pages: PagesNow | undefined }
  | undefined;

/** The opening of a recording's map, wherever it is: begun in idle time, ended by whoever needs it. */
export function openingOf(recording: Recording): Iterator<void> {
  if (latest?.recording !== recording) latest = { recording, work: opening(recording), pages: undefined };
  return latest.work;
}

/** A recording's map, at whatever look it was left; at its first look when it is new. */
export function openPages(recording: Recording): PagesNow {
  const work = openingOf(recording);
  while (work.next().done !== true);
  assert(latest?.pages !== undefined, "a map whose looks were all gone through is open");
  return latest.pages;
}

function apply(pages: PagesNow, frame: number): void {
  const { map } = pages.recording;
  const to = pages.firstChange[frame + 1]!;
  for (let i = pages.firstChange[frame]!; i < to; i++) {
    const page = map.page[i]!;
    pages.states.fill(map.state[i]!, page, page + map.run[i]!);
  }
  pages.frame = frame;
}

/** Puts `states` and `heat` at a look. */
export function goToFrame(pages: PagesNow, frame: number): void {
  if (frame === pages.frame) return;
  let start = frame;
  while (start >= 0 && start !== pages.frame && !pages.keyframes.has(start)) start--;
  if (start !== pages.frame) {
    pages.states.set(pages.keyframes.get(start)!);
    pages.frame = start;
  }
  while (pages.frame < frame) apply(pages, pages.frame + 1);
  setHeat(pages, frame);
}

function setHeat({ recording, heat }: PagesNow, frame: number): void {
  const { heatFrame, heatRegion, heat: references } = recording.map;
  heat.fill(0);
  for (let i = 0; i < heatFrame.length; i++) {
    if (heatFrame[i]! > frame) break;
    if (heatFrame[i] === frame) heat[heatRegion[i]!]! += references[i]!;
  }
}

/** What a region holds. */
export interface RegionCounts {
  /** Pages of each kind; index is `PAGE.KIND`. */
  readonly kinds: readonly number[];
  readonly touched: number;
  readonly shared: number;
  /** Pages of BASE or HUGE on each node. */
  readonly nodes: readonly number[];
}

/** Counts a region's pages by state. */
export function countRegion(pages: PagesNow, region: number): RegionCounts {
  const { pagesPerHuge, nodes } = pages.recording;
  const kinds = new Array<number>(8).fill(0);
  const byNode = new Array<number>(nodes).fill(0);
  let touched = 0;
  let shared = 0;
  for (let i = region * pagesPerHuge; i < (region + 1) * pagesPerHuge; i++) {
    const state = pages.states[i]!;
    const kind = state & PAGE.KIND;
    kinds[kind]! += 1;
    if ((state & PAGE.TOUCHED) !== 0) touched++;
    if ((state & PAGE.SHARED) !== 0) shared++;
    if (kind === PAGE.BASE || kind === PAGE.HUGE) byNode[state >> PAGE.NODE_SHIFT]! += 1;
  }
  return { kinds, touched, shared, nodes: byNode };
}

/** A moment at which a region changed, and what it became. */
export interface RegionMoment {
  readonly frame: number;
  readonly huge: number;
  readonly base: number;
  readonly other: number;
}

/** The history of a region: each look at which some of its pages changed. */
export function historyOf({ recording, firstChange }: PagesNow, region: number): RegionMoment[] {
  const { map, pagesPerHuge } = recording;
  const from = region * pagesPerHuge;
  const now = new Uint8Array(pagesPerHuge);
  const moments: RegionMoment[] = [];
  for (let frame = 0; frame < map.frameNs.length; frame++) {
    let changed = false;
    for (let i = firstChange[frame]!; i < firstChange[frame + 1]!; i++) {
      const at = map.page[i]! - from;
      if (at < 0 || at >= pagesPerHuge) continue;
      now.fill(map.state[i]!, at, at + map.run[i]!);
      changed = true;
    }
    if (!changed) continue;
    let [huge, base, other] = [0, 0, 0];
    for (const state of now) {
      const kind = state & PAGE.KIND;
      if (kind === PAGE.HUGE) huge++;
      else if (kind === PAGE.BASE) base++;
      else if (kind !== PAGE.ABSENT) other++;
    }
    moments.push({ frame, huge, base, other });
  }
  return moments;
}
