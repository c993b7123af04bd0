/**
 * Trace pages for a program's memory: each mapped range gets consecutive slots, so that a page's number is
 * the range's first one plus its place.
 */
import type { TraceRegions } from "../records.ts";

const REGION_BYTES = 2 ** 21;
const PAGE_BYTES = 4096;
const REGION_PAGES = REGION_BYTES / PAGE_BYTES;

/** A range of a process's memory, ready to be referred to. */
export interface Buffer {
  /** Byte address. */
  readonly start: number;
  readonly bytes: number;
  readonly pages: number;
  /** Trace page of its first page; the others follow. */
  readonly firstPage: number;
}

/** Memory of one process. */
export interface Space {
  readonly process: number;
  readonly regions: TraceRegions;
  /** Ranges that have slots, by their first region and how many regions they have. */
  readonly known: Map<string, number>;
}

export function makeRegions(): TraceRegions {
  return { count: 0, process: new Int32Array(256), region: new Float64Array(256) };
}

export function makeSpace(process: number, regions: TraceRegions): Space {
  return { process, regions, known: new Map() };
}

function makeRoom(regions: TraceRegions, count: number): void {
  if (count <= regions.process.length) return;
  const length = Math.max(count, regions.process.length * 2);
  const process = new Int32Array(length);
  process.set(regions.process);
  const region = new Float64Array(length);
  region.set(regions.region);
  regions.process = process;
  regions.region = region;
}

/** Gives consecutive regions slots; returns the first one's. */
function addSlots({ process, regions }: Space, firstRegion: number, count: number): number {
  const first = regions.count;
  makeRoom(regions, first + count);
  for (let i = 0; i < count; i++) {
    regions.process[first + i] = process;
    regions.region[first + i] = firstRegion + i;
  }
  regions.count = first + count;
  return first;
}

/** The range of a process's memory that begins at a page-aligned byte address. The same range: same pages. */
export function bufferAt(space: Space, start: number, bytes: number): Buffer {
  const firstRegion = Math.floor(start / REGION_BYTES);
  const count = Math.ceil((start + bytes) / REGION_BYTES) - firstRegion;
  const key = `${firstRegion}+${count}`;
  let slot = space.known.get(key);
  if (slot === undefined) {
    slot = addSlots(space, firstRegion, count);
    space.known.set(key, slot);
  }
  const firstPage = slot * REGION_PAGES + Math.floor((start % REGION_BYTES) / PAGE_BYTES);
  return { start, bytes, pages: Math.ceil(bytes / PAGE_BYTES), firstPage };
}
