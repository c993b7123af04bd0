import { expect, test } from "vitest";
import { runAlone } from "../buddy/test-kernel.ts";
import { advise, areas, protect, sound, unmap, type World, world, write } from "../testing/picture.ts";
import { mmap } from "./mmap.ts";
import { VM } from "./vma.ts";

function map(w: World, at: number, pages: number, flags: number = VM.READ | VM.WRITE | VM.NORESERVE): void {
  const request = { at: w.start + at, pages, flags, replace: true, stack: false };
  runAlone(mmap(w.k, w.mm, request));
  sound(w);
}

test("a part that changes is split off, and merges back when it changes back", () => {
  const w = world(".... ....");
  protect(w, "ro", 2, 5);
  expect(areas(w)).toBe("0-2 rw, 2-5 ro, 5-8 rw");
  protect(w, "rw", 2, 5);
  expect(areas(w)).toBe("0-8 rw");
});

test("a part that changes to what its neighbour is moves over to it", () => {
  const w = world(".... ....");
  protect(w, "ro", 0, 2);
  protect(w, "ro", 2, 4);
  expect(areas(w)).toBe("0-4 ro, 4-8 rw");
  protect(w, "rw", 3, 4);
  expect(areas(w)).toBe("0-3 ro, 3-8 rw");
});

test("a mapping between two of its kind joins them", () => {
  const w = world(".... ....");
  unmap(w, 2, 6);
  expect(areas(w)).toBe("0-2 rw, 6-8 rw");
  map(w, 2, 4);
  expect(areas(w)).toBe("0-8 rw");
});

test("a mapping beside a written area joins it", () => {
  const w = world("s...", { tunables: { enabled: "never" } });
  map(w, 4, 4);
  expect(areas(w)).toBe("0-8 rw");
});

test("two areas that were written to apart do not join: their pages have different anon_vmas", () => {
  const w = world(".... ....", { tunables: { enabled: "never" } });
  unmap(w, 4, 5);
  write(w, 0);
  write(w, 5);
  map(w, 4, 1);
  expect(areas(w)).toBe("0-5 rw, 5-8 rw");
});

test("areas of one origin share their anon_vma, and join again after a split", () => {
  const w = world("s...", { tunables: { enabled: "never" } });
  advise(w, "dontfork", 1, 2);
  write(w, 3);
  expect(areas(w)).toBe("0-1 rw, 1-2 rw, 2-4 rw");
  advise(w, "dofork", 1, 2);
  expect(areas(w)).toBe("0-4 rw");
});

test("an area never written to joins a written one; the other way round only from 6.16 on", () => {
  for (const [mergeUnfaulted, after] of [
    [false, "0-4 rw, 4-8 rw"],
    [true, "0-8 rw"],
  ] as const) {
    const w = world(".... ....", { tunables: { enabled: "never" }, behaviours: { mergeUnfaulted } });
    write(w, 0);
    advise(w, "hugepage", 0, 4);
    advise(w, "hugepage", 4, 8);
    expect(areas(w)).toBe("0-8 rw");
    const other = world(".... ....", { tunables: { enabled: "never" }, behaviours: { mergeUnfaulted } });
    advise(other, "hugepage", 4, 8);
    write(other, 0);
    advise(other, "hugepage", 0, 4);
    expect(areas(other)).toBe(after);
  }
});

test("a reserve that was never counted keeps areas apart: a mapping made read-only and opened later", () => {
  const w = world("....");
  map(w, 4, 4, VM.READ);
  protect(w, "rw", 4, 8);
  expect(areas(w)).toBe("0-4 rw, 4-8 rw");
});
