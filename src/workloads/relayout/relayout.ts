/**
 * Re-layout: a reader that places every mapping of another reader anew, as Linux would have placed it, and
 * moves the references along. Traces from valgrind need it, because valgrind places mappings bottom-up and
 * unaligned, and huge pages depend on alignment. Traces of one kernel can be asked what another kernel's
 * placement would have done.
 *
 *     source page ──▶ table of one word a page ──▶ new page        hot: one load
 *                        │ unknown
 *                        ▼
 *                     mapping that holds it ──▶ distance ──▶ slot of the new region
 */
import { assert } from "../../lib/assert.ts";
import {
  isBatch,
  type RefBatch,
  type TraceEvent,
  type TraceHeader,
  type TraceReader,
  type TraceRegions,
} from "../records.ts";
import { SLOT_BYTES, SLOT_PAGES } from "../trace/sink.ts";
import {
  copyLayout,
  deltaOf,
  forget,
  type Layout,
  makeLayout,
  moveHeap,
  moveMap,
  partsOf,
  placeMap,
  type RelayoutRules,
} from "./layout.ts";

export type { RelayoutRules } from "./layout.ts";

/** Sources whose addresses are valgrind's: these cannot be used as they are. */
const VALGRIND_SOURCES: readonly string[] = ["pwf", "lackey", "pwtrace"];

/** Whether a trace must be re-laid out before a kernel sees it. */
export function needsRelayout(header: Pick<TraceHeader, "source" | "layout">): boolean {
  return header.layout === "native" && VALGRIND_SOURCES.includes(header.source);
}

const UNKNOWN = 0xffffffff;
const PAGE_BYTES = 4096;

interface RelayoutState {
  readonly inner: TraceReader;
  readonly rules: RelayoutRules;
  readonly fromValgrind: boolean;
  readonly layouts: Layout[];
  /** Slots of the source, by process and region. */
  readonly sourceSlots: Map<number, number>[];
  sourceSlotCount: number;
  /** New page of each source page, or UNKNOWN. */
  table: Uint32Array;
  readonly regions: TraceRegions;
  /** Slots of the new regions, by process and region. */
  readonly newSlots: Map<number, number>[];
  /** Events that one event of the source has become, to be handed out. */
  readonly queue: TraceEvent[];
}

/** Reads a trace with its mappings placed by those rules. The inner reader must not be used any more. */
export function relayout(inner: TraceReader, rules: RelayoutRules): TraceReader {
  const r: RelayoutState = {
    inner,
    rules,
    fromValgrind: VALGRIND_SOURCES.includes(inner.header.source),
    layouts: [],
    sourceSlots: [],
    sourceSlotCount: 0,
    table: new Uint32Array(64 * SLOT_PAGES).fill(UNKNOWN),
    regions: { count: 0, process: new Int32Array(64), region: new Float64Array(64) },
    newSlots: [],
    queue: [],
  };
  return {
    header: { ...inner.header, layout: "relaid" },
    threads: inner.threads,
    regions: r.regions,
    next: () => next(r),
  };
}

function next(r: RelayoutState): RefBatch | TraceEvent | undefined {
  for (;;) {
    const queued = r.queue.shift();
    if (queued !== undefined) return queued;
    const item = r.inner.next();
    noticeSlots(r);
    if (item === undefined) return undefined;
    if (isBatch(item)) {
      moveBatch(r, item);
      return item;
    }
    moveEvent(r, item);
  }
}

/** Takes note of slots that the inner reader has met since. */
function noticeSlots(r: RelayoutState): void {
  const { count, process, region } = r.inner.regions;
  if (count * SLOT_PAGES > r.table.length) {
    const grown = new Uint32Array(Math.max(count * SLOT_PAGES, r.table.length * 2)).fill(UNKNOWN);
    grown.set(r.table);
    r.table = grown;
  }
  for (; r.sourceSlotCount < count; r.sourceSlotCount++) {
    const slots = (r.sourceSlots[process[r.sourceSlotCount]!] ??= new Map());
    slots.set(region[r.sourceSlotCount]!, r.sourceSlotCount);
  }
}

/** The hot loop. */
function moveBatch(r: RelayoutState, batch: RefBatch): void {
  const { page, length } = batch;
  const table = r.table;
  for (let i = 0; i < length; i++) {
    const moved = table[page[i]!]!;
    page[i] = moved === UNKNOWN ? lookUp(r, page[i]!) : moved;
  }
}

/** Finds where a page has gone, and remembers it. */
function lookUp(r: RelayoutState, sourcePage: number): number {
  const slot = Math.floor(sourcePage / SLOT_PAGES);
  const process = r.inner.regions.process[slot]!;
  const address = r.inner.regions.region[slot]! * SLOT_BYTES + (sourcePage % SLOT_PAGES) * PAGE_BYTES;
  const target = address + deltaOf(layoutOf(r, process), address);
  const region = Math.floor(target / SLOT_BYTES);
  const newPage = newSlot(r, process, region) * SLOT_PAGES + (target - region * SLOT_BYTES) / PAGE_BYTES;
  assert(newPage < UNKNOWN, "the slots of a trace number less than 2^23");
  r.table[sourcePage] = newPage;
  return newPage;
}

function newSlot(r: RelayoutState, process: number, region: number): number {
  const slots = (r.newSlots[process] ??= new Map());
  let slot = slots.get(region);
  if (slot !== undefined) return slot;
  slot = r.regions.count++;
  slots.set(region, slot);
  if (slot === r.regions.process.length) {
    const processes = new Int32Array(slot * 2);
    processes.set(r.regions.process);
    const regions = new Float64Array(slot * 2);
    regions.set(r.regions.region);
    r.regions.process = processes;
    r.regions.region = regions;
  }
  r.regions.process[slot] = process;
  r.regions.region[slot] = region;
  return slot;
}

function layoutOf(r: RelayoutState, process: number): Layout {
  return (r.layouts[process] ??= makeLayout(r.rules, r.fromValgrind));
}

/** Pages of a source range must be looked up anew. */
function unlearn(r: RelayoutState, process: number, start: number, length: number): void {
  const slots = r.sourceSlots[process];
  if (slots === undefined) return;
  const first = Math.floor(start / SLOT_BYTES);
  const last = Math.ceil((start + length) / SLOT_BYTES) - 1;
  const touch = (region: number, slot: number): void => {
    const base = region * SLOT_BYTES;
    const from = Math.max(0, Math.floor((start - base) / PAGE_BYTES));
    const to = Math.min(SLOT_PAGES, Math.ceil((start + length - base) / PAGE_BYTES));
    r.table.fill(UNKNOWN, slot * SLOT_PAGES + from, slot * SLOT_PAGES + to);
  };
  if (last - first < slots.size) {
    for (let region = first; region <= last; region++) {
      const slot = slots.get(region);
      if (slot !== undefined) touch(region, slot);
    }
  } else {
    for (const [region, slot] of slots) if (region >= first && region <= last) touch(region, slot);
  }
}

/** Turns an event of the source into events in new addresses. */
function moveEvent(r: RelayoutState, event: TraceEvent): void {
  const process = r.inner.threads[event.thread]!.process;
  const l = layoutOf(r, process);
  switch (event.kind) {
    case "map": {
      unlearn(r, process, event.start, event.length);
      const start = placeMap(l, event.start, event.length, event);
      r.queue.push({ ...event, start });
      break;
    }
    case "unmap":
      pushParts(r, l, event);
      unlearn(r, process, event.start, event.length);
      forget(l, event.start, event.length);
      break;
    case "protect":
    case "advise":
      pushParts(r, l, event);
      break;
    case "remap": {
      unlearn(r, process, event.start, event.length);
      unlearn(r, process, event.newStart, event.newLength);
      const to = { start: event.newStart, length: event.newLength, fixed: event.fixed };
      const { was, is } = moveMap(l, event, to);
      r.queue.push({ ...event, start: was, newStart: is });
      break;
    }
    case "brk": {
      unlearn(r, process, event.start, Math.max(event.end, l.heapEnd) - event.start);
      const { start, end } = moveHeap(l, event.start, event.end);
      r.queue.push({ ...event, start, end });
      break;
    }
    case "fork":
      r.layouts[r.inner.threads[event.child]!.process] = copyLayout(l);
      r.queue.push(event);
      break;
    case "exec":
      r.layouts[process] = makeLayout(r.rules, r.fromValgrind);
      for (const slot of r.sourceSlots[process]?.values() ?? []) {
        r.table.fill(UNKNOWN, slot * SLOT_PAGES, (slot + 1) * SLOT_PAGES);
      }
      r.queue.push(event);
      break;
    default:
      r.queue.push(event);
  }
}

/** One event for each part of the range that moves on its own; the first bears the gap. */
function pushParts(
  r: RelayoutState,
  l: Layout,
  event: Extract<TraceEvent, { readonly kind: "unmap" | "protect" | "advise" }>,
): void {
  const parts = partsOf(l, event.start, event.length);
  const known = parts.filter((part) => part.known);
  // A range that no mapping covers lies in what exec has mapped: the loader protects parts of it.
  const chosen = known.length > 0 ? known : parts.slice(0, 1);
  let gap = event.gap;
  for (const { start, length, delta } of chosen) {
    r.queue.push({ ...event, start: start + delta, length, gap });
    gap = 0;
  }
}
