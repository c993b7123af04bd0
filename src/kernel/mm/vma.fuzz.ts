/**
 * Areas and page tables against an array of pages.
 *
 * Strategy: random mmap, munmap, mprotect, madvise, mremap and writes on 24 pages, with base pages alone and
 * with huge pages of four; after each, every page's rights and frame are compared with a dumb twin that has
 * one entry a page.
 *
 * Invariants: the areas cover exactly the mapped pages, with their rights and advice; a page keeps its frame
 * until it is unmapped, and takes it along when it moves; neighbours that may merge have merged, but where
 * only a first write made them alike (no kernel looks again then); all of kernel/invariants.ts.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import { runAlone } from "../buddy/test-kernel.ts";
import { advise, protect, remap, sound, unmap, type World, world, write } from "../testing/picture.ts";
import { mmap } from "./mmap.ts";
import { frameAt } from "./pin.ts";
import { VM } from "./vma.ts";

const PAGES = 24;

/** One page of the twin; undefined: not mapped. */
interface Page {
  readonly writable: boolean;
  readonly advised: boolean;
  /** Its frame; -1 while there is none. */
  frame: number;
}

type Twin = (Page | undefined)[];

const range = fc
  .tuple(fc.nat(PAGES - 1), fc.integer({ min: 1, max: 9 }))
  .map(([from, pages]) => [from, Math.min(from + pages, PAGES)] as const);
const step = fc.oneof(
  fc.tuple(
    fc.constantFrom("map", "unmap", "ro", "rw", "hugepage", "nohugepage", "dontneed"),
    range,
    fc.nat(0),
  ),
  fc.tuple(fc.constant("move"), range, fc.nat(PAGES - 1)),
  fc.tuple(fc.constant("write"), range, fc.nat(0)),
);

function change(twin: Twin, from: number, to: number, how: (page: Page) => Page): void {
  for (let page = from; page < to; page++) {
    const old = twin[page];
    if (old !== undefined) twin[page] = how(old);
  }
}

/** mprotect stops at the first hole. */
function firstHole(twin: Twin, from: number, to: number): number {
  for (let page = from; page < to; page++) if (twin[page] === undefined) return page;
  return to;
}

function mapOnBoth(w: World, twin: Twin, from: number, to: number): void {
  const flags = VM.READ | VM.WRITE | VM.NORESERVE;
  runAlone(mmap(w.k, w.mm, { at: w.start + from, pages: to - from, flags, replace: true, stack: false }));
  sound(w);
  twin.fill(undefined, from, to);
  for (let page = from; page < to; page++) twin[page] = { writable: true, advised: false, frame: -1 };
}

/**
 * The kernel moves what lies in one area, and says EFAULT to anything else, after it has unmapped the target.
 */
function moveOnBoth(w: World, twin: Twin, from: number, to: number, at: number): void {
  const end = at + (to - from);
  const overlaps = from < end && at < to;
  const sourceMapped = twin[from] !== undefined;
  const before = remap(w, from, to, at);
  if (end > PAGES) {
    forget(w, twin, end);
    return;
  }
  if (overlaps || !sourceMapped) {
    expect(before).toBeLessThan(0);
    return;
  }
  twin.fill(undefined, at, end);
  if (before < 0) return;
  for (let page = from; page < to; page++) twin[at + page - from] = twin[page];
  twin.fill(undefined, from, to);
}

/** What reached beyond the pages that are watched is taken away, and the twin takes over what is left. */
function forget(w: World, twin: Twin, end: number): void {
  unmap(w, PAGES, end);
  for (let page = 0; page < PAGES; page++) twin[page] = look(w, page);
}

function look(w: World, page: number): Page | undefined {
  const vma = w.mm.vmas.find(({ start, end }) => start <= w.start + page && w.start + page < end);
  if (vma === undefined) return undefined;
  const advised = (vma.flags & VM.HUGEPAGE) !== 0;
  return { writable: (vma.flags & VM.WRITE) !== 0, advised, frame: frameAt(w.k, w.mm, w.start + page) };
}

/** A write gives the page a frame; with huge pages, the rest of its region may get theirs. */
function writeOnBoth(w: World, twin: Twin, page: number): void {
  const outcome = write(w, page);
  expect(outcome === "segv").toBe(twin[page] === undefined || !twin[page].writable);
  if (outcome !== "anon-huge") {
    const known = twin[page];
    if (known?.writable && known.frame < 0) known.frame = look(w, page)!.frame;
    return;
  }
  for (let each = page - (page % 4); each < page - (page % 4) + 4; each++) {
    expect(twin[each]?.frame).toBe(-1);
    twin[each]!.frame = look(w, each)!.frame;
  }
}

function run(w: World, twin: Twin, name: string, from: number, to: number, at: number): void {
  if (name === "map") mapOnBoth(w, twin, from, to);
  else if (name === "move") moveOnBoth(w, twin, from, to, at);
  else if (name === "write") writeOnBoth(w, twin, from);
  else if (name === "unmap") {
    unmap(w, from, to);
    twin.fill(undefined, from, to);
  } else if (name === "ro" || name === "rw") {
    protect(w, name, from, to);
    const writable = name === "rw";
    change(twin, from, firstHole(twin, from, to), (page) => ({ ...page, writable }));
  } else if (name === "dontneed") {
    advise(w, name, from, to);
    change(twin, from, to, (page) => ({ ...page, frame: -1 }));
  } else {
    advise(w, name as "hugepage", from, to);
    change(twin, from, to, (page) => ({ ...page, advised: name === "hugepage" }));
  }
}

/**
 * Where neighbours meet of which nothing tells why they are apart: same flags, indices that go on, the same
 * anon_vma.
 */
function unmerged({ mm }: World): number[] {
  return mm.vmas.flatMap((vma, i) => {
    const next = mm.vmas[i + 1];
    if (next === undefined || next.start !== vma.end || next.flags !== vma.flags) return [];
    const goesOn = vma.pgoff + (vma.end - vma.start) === next.pgoff;
    return goesOn && vma.anonVma !== undefined && vma.anonVma === next.anonVma ? [next.start] : [];
  });
}

test.each(["never", "always"] as const)(
  "areas and frames are those of an array of pages, THP %s",
  (enabled) => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const w = world(".".repeat(PAGES), { tunables: { enabled } });
        const twin: Twin = Array.from({ length: PAGES }, () => ({
          writable: true,
          advised: false,
          frame: -1,
        }));
        const alikeByWrite = new Set<number>();
        for (const [name, [from, to], at] of steps) {
          run(w, twin, name, from, to, at);
          expect(Array.from({ length: PAGES }, (_, page) => look(w, page))).toEqual(twin);
          if (name === "write") for (const edge of unmerged(w)) alikeByWrite.add(edge);
          expect(unmerged(w).filter((edge) => !alikeByWrite.has(edge))).toEqual([]);
        }
      }),
      { numRuns: 60 },
    );
  },
);
