/**
 * Threads with an arena each, as a scalable allocator keeps them: memory is mapped ahead in growing pieces,
 * objects of a size share slabs, and what a peak leaves behind is given back a while after it was freed.
 *
 *     extent   [ slab 16 B | slab 1.75 KiB (7 pages) | free, dirty | slab | …           never touched yet ]
 *                  ▲ objects come, die at random; an empty slab's pages are used again, or, after the decay
 *                    time, given back by MADV_DONTNEED
 */
import { below, type Prng, unit } from "../../lib/prng.ts";
import type { Body, Self } from "./program.ts";
import { add, advise, clear, isFull, map, type Step, team, type Visit } from "./touch.ts";
import { defineWorkload } from "./workload.ts";

const PAGE_BYTES = 4096;
const MIB = 2 ** 20;
/** An object is written when it is made: a line or two, and what the program computes in front of it. */
const MAKE: Visit = { write: true, references: 8, lines: 2, gapNs: 200 };
/** Powers of two from 16 bytes, and three steps between each two, as jemalloc has them; up to 14 KiB. */
const SIZES_BYTES = Array.from({ length: 10 }, (_, i) => [4, 5, 6, 7].map((quarter) => quarter * 2 ** i * 4))
  .flat()
  .filter((bytes) => bytes % 16 === 0);

/** Pages of a slab: the fewest in which nothing is left over. */
export function slabPages(sizeBytes: number): number {
  let pages = 1;
  while ((pages * PAGE_BYTES) % sizeBytes !== 0) pages++;
  return pages;
}

/** Consecutive pages of an arena; `dirtyNs`: when they were freed, or undefined if they hold nothing. */
interface Run {
  page: number;
  pages: number;
  dirtyNs: number | undefined;
}

/** Mapped ahead; `firstPage` is its place in the trace, `start` its address. */
interface Extent {
  readonly start: number;
  readonly firstPage: number;
  readonly pages: number;
  /** In order of address. */
  free: Run[];
}

/** A run cut into places for objects of one size. */
interface Slab {
  readonly extent: Extent;
  readonly page: number;
  readonly pages: number;
  /** Index into the sizes. */
  readonly size: number;
  readonly places: number;
  used: number;
}

interface Arena {
  readonly extents: Extent[];
  /** Slabs with room, by size. */
  readonly bins: Slab[][];
  /** Live objects: the slab that each lies in. */
  readonly objects: Slab[];
  liveBytes: number;
  /** What the next extent is: each is a quarter of a power of two larger than the last. */
  nextBytes: number;
}

/** The first run that is long enough, used ones before untouched ones, is cut. */
function takeRun(extent: Extent, pages: number): number | undefined {
  const fits = (run: Run): boolean => run.pages >= pages;
  const run = extent.free.find((each) => fits(each) && each.dirtyNs !== undefined) ?? extent.free.find(fits);
  if (run === undefined) return undefined;
  const { page } = run;
  run.page += pages;
  run.pages -= pages;
  if (run.pages === 0) extent.free.splice(extent.free.indexOf(run), 1);
  return page;
}

/** Free runs in order of address; neighbours that are both dirty, or both hold nothing, are one. */
function joined(runs: readonly Run[]): Run[] {
  const all: Run[] = [];
  for (const run of runs.toSorted((a, b) => a.page - b.page)) {
    const last = all[all.length - 1];
    const alike = (last?.dirtyNs === undefined) === (run.dirtyNs === undefined);
    if (last === undefined || !alike || last.page + last.pages !== run.page) {
      all.push(run);
      continue;
    }
    last.pages += run.pages;
    if (run.dirtyNs !== undefined) last.dirtyNs = Math.max(last.dirtyNs!, run.dirtyNs);
  }
  return all;
}

/** Gives back what was freed longer ago than the decay time. */
function* purge(self: Self, arena: Arena, decayNs: number): Step {
  for (const extent of arena.extents) {
    for (const run of extent.free) {
      if (run.dirtyNs === undefined || self.nowNs - run.dirtyNs < decayNs) continue;
      run.dirtyNs = undefined;
      const start = extent.start + run.page * PAGE_BYTES;
      const { firstPage } = extent;
      yield advise({ start, bytes: run.pages * PAGE_BYTES, pages: run.pages, firstPage }, "dontneed");
    }
    extent.free = joined(extent.free);
  }
}

/** A slab for that size, from an extent that has room or from a new one; undefined if none can be mapped. */
function* newSlab(self: Self, arena: Arena, size: number): Step<Slab | undefined> {
  const bytes = SIZES_BYTES[size]!;
  const pages = slabPages(bytes);
  for (;;) {
    for (const extent of arena.extents) {
      const page = takeRun(extent, pages);
      if (page === undefined) continue;
      const places = (pages * PAGE_BYTES) / bytes;
      const slab = { extent, page, pages, size, places, used: 0 };
      arena.bins[size]!.push(slab);
      return slab;
    }
    const buffer = yield* map(self, arena.nextBytes);
    if (buffer === undefined) return undefined;
    const whole: Run = { page: 0, pages: buffer.pages, dirtyNs: undefined };
    const { start, firstPage } = buffer;
    arena.extents.push({ start, firstPage, pages: buffer.pages, free: [whole] });
    arena.nextBytes += 2 ** Math.floor(Math.log2(arena.nextBytes)) / 4;
  }
}

/** Small objects are many: each size class is half as likely as the one four before it. */
function drawSize(random: Prng): number {
  const size = Math.floor(-Math.log2(1 - unit(random)) * 4);
  return size < SIZES_BYTES.length ? size : below(random, SIZES_BYTES.length);
}

/** Makes objects until that much is live. */
function* grow(self: Self, arena: Arena, liveBytes: number): Step {
  const { batch, random } = self;
  clear(batch);
  while (arena.liveBytes < liveBytes) {
    const size = drawSize(random);
    const bin = arena.bins[size]!;
    if (bin.length === 0 && batch.length > 0) {
      yield batch;
      clear(batch);
    }
    const slab = bin[bin.length - 1] ?? (yield* newSlab(self, arena, size));
    if (slab === undefined) return;
    const bytes = SIZES_BYTES[size]!;
    const page = slab.page + Math.floor((slab.used * bytes) / PAGE_BYTES);
    add(batch, slab.extent.firstPage + page, MAKE);
    slab.used++;
    if (slab.used === slab.places) bin.pop();
    arena.objects.push(slab);
    arena.liveBytes += bytes;
    if (!isFull(batch)) continue;
    yield batch;
    clear(batch);
  }
  if (batch.length > 0) yield batch;
  clear(batch);
}

/** Frees objects at random until only that much is live. */
function shrink(self: Self, arena: Arena, liveBytes: number): void {
  const { objects, bins } = arena;
  while (arena.liveBytes > liveBytes) {
    const at = below(self.random, objects.length);
    const slab = objects[at]!;
    objects[at] = objects[objects.length - 1]!;
    objects.pop();
    arena.liveBytes -= SIZES_BYTES[slab.size]!;
    const bin = bins[slab.size]!;
    if (slab.used === slab.places) bin.push(slab);
    slab.used--;
    if (slab.used > 0) continue;
    bin.splice(bin.indexOf(slab), 1);
    slab.extent.free.push({ page: slab.page, pages: slab.pages, dirtyNs: self.nowNs });
  }
  for (const extent of arena.extents) extent.free = joined(extent.free);
}

interface Plan {
  readonly peak: number;
  readonly left: number;
  readonly rounds: number;
  readonly decay: number;
}

function serve({ peak, left, rounds, decay }: Plan): Body {
  return function* (self) {
    const bins = SIZES_BYTES.map(() => []);
    const arena: Arena = { extents: [], bins, objects: [], liveBytes: 0, nextBytes: 2 * MIB };
    for (let round = 0; round < rounds; round++) {
      // No two peaks are alike.
      yield* grow(self, arena, peak * (0.5 + unit(self.random) / 2));
      shrink(self, arena, left * peak);
      yield { kind: "sleep", ns: decay };
      yield* purge(self, arena, decay);
    }
  };
}

export const arenas = defineWorkload({
  name: "arenas",
  summary: "threads with an arena each: slabs of small objects that grow to a peak, die at random and decay",
  standsFor:
    "Servers on a scalable allocator (jemalloc's arenas): memory is mapped ahead, 2 MiB and more at a " +
    "time, for every thread; most of it is touched at load peaks alone and given back in small " +
    "pieces after. Left out: caches of threads, large objects, the allocator's own metadata; decay comes " +
    "at once, not smoothly.",
  source:
    "jemalloc 5 (size classes, slabs, retained extents that grow in four steps a doubling, dirty decay " +
    "10 s); how many objects of a size there are, and how they die, is assumed",
  machine: { nodes: 1, cpus: 8, memBytes: 4 * 2 ** 30, hugeBytes: undefined },
  params: {
    threads: { type: "count", default: 24, min: 1, max: 1024, doc: "Threads; jemalloc has 4 arenas a CPU." },
    peak: {
      type: "bytes",
      default: 3 * MIB,
      min: 2 ** 16,
      max: 2 ** 34,
      doc: "Live objects of a thread at most.",
    },
    left: { type: "ratio", default: 0.3, min: 0, max: 1, doc: "Share of it that outlives a peak." },
    rounds: { type: "count", default: 4, min: 1, max: 1e6, doc: "Peaks of each thread." },
    decay: {
      type: "time",
      default: 10e9,
      min: 1e6,
      max: 1e12,
      doc: "From free to given back (dirty_decay_ms).",
    },
  },
  main: ({ threads, ...plan }): Body =>
    function* (self) {
      yield* team(self, threads, "any", () => serve(plan));
    },
});
