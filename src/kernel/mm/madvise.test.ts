import { expect, test } from "vitest";
import { C } from "../../core/counters.ts";
import type { TestMachine } from "../buddy/test-kernel.ts";
import {
  advise,
  areas,
  finish,
  moved,
  picture,
  protect,
  read,
  seenBy,
  unmap,
  world,
  write,
} from "../testing/picture.ts";
import { forkMm } from "./fork.ts";

const SMALL_PAGES = { tunables: { enabled: "never" } } as const;

test("a hole gives ENOMEM, after everything else has been done", () => {
  const w = world("ssss ssss ssss", SMALL_PAGES);
  unmap(w, 4, 8);
  expect(advise(w, "dontneed")).toBe(-12);
  expect([picture(w), w.mm.anonPages]).toEqual(["---- .... ----", 0]);
});

test("a range that begins or ends in a hole gives ENOMEM as well", () => {
  const w = world(".... .... ....", SMALL_PAGES);
  unmap(w, 0, 4);
  unmap(w, 8, 12);
  expect([advise(w, "hugepage", 2, 8), advise(w, "hugepage", 4, 10), advise(w, "hugepage", 4, 8)]).toEqual([
    -12, -12, 0,
  ]);
});

test("MADV_DONTNEED forgets: the next read sees zeros", () => {
  const w = world("ss..", SMALL_PAGES);
  advise(w, "dontneed", 0, 1);
  expect([read(w, 0), picture(w)]).toEqual(["zero-4k", "zs--"]);
});

test("MADV_HUGEPAGE and MADV_NOHUGEPAGE undo each other", () => {
  const w = world("....", { tunables: { enabled: "madvise" } });
  advise(w, "hugepage");
  advise(w, "nohugepage");
  write(w, 0);
  expect(picture(w)).toBe("s---");
});

test("MADV_HUGEPAGE puts the process on khugepaged's list, once it has written there", () => {
  const w = world("s...", { tunables: { enabled: "madvise" } });
  expect(w.mm.registered).toBe(false);
  advise(w, "hugepage");
  expect(w.mm.registered).toBe(true);
});

test("MADV_FREE keeps pages until memory is short; a write takes them back", () => {
  const w = world("ss..", SMALL_PAGES);
  advise(w, "free", 0, 2);
  expect([picture(w), moved(w, "pglazyfree")]).toEqual(["ss--", "pglazyfree 2"]);
});

test("MADV_FREE gives swapped pages up at once", () => {
  const w = world("ss..", { ...SMALL_PAGES, swapPages: 16 });
  advise(w, "pageout");
  advise(w, "free", 0, 1);
  expect([picture(w), w.mm.swapEntries, w.k.swap.free]).toEqual(["-w--", 1, 15]);
});

test("MADV_PAGEOUT swaps whole huge pages, without splitting them before", () => {
  const w = world("HHHH", { swapPages: 16 });
  advise(w, "pageout");
  expect([picture(w), moved(w)]).toEqual(["wwww", "thp_split_pmd 1, thp_swpout 1"]);
});

test("MADV_PAGEOUT without swap keeps the page", () => {
  const w = world("ssss", SMALL_PAGES);
  expect([advise(w, "pageout"), picture(w)]).toEqual([0, "ssss"]);
});

test("MADV_COLD makes active pages inactive, and takes nothing", () => {
  const w = world("ssss", SMALL_PAGES);
  expect([advise(w, "cold"), picture(w), w.k.vmstat[C.nr_active_anon]]).toEqual([0, "ssss", 0]);
});

test("an advice about a part splits the area; the same about the rest makes it one again", () => {
  const w = world(".... ....", SMALL_PAGES);
  advise(w, "dontfork", 0, 3);
  expect(areas(w)).toBe("0-3 rw, 3-8 rw");
  advise(w, "dontfork", 3, 8);
  expect(areas(w)).toBe("0-8 rw");
});

test("nothing is asked of an empty range, and a kernel without MADV_COLLAPSE says EINVAL", () => {
  const w = world("ssss", { behaviours: { madviseCollapse: false } });
  protect(w, "ro");
  expect([advise(w, "dontneed", 2, 2), advise(w, "collapse")]).toEqual([0, -22]);
});

/** A fork's child whose page 0 is not its parent's any more; what advice on its page 1 then does. */
function adviseBesideForeign(advice: "free" | "cold", of: NonNullable<TestMachine["behaviours"]>): string {
  const w = world("HHHH", { behaviours: of });
  const child = seenBy(w, finish(w, forkMm(w.k, w.mm)));
  advise(w, "dontneed", 0, 1);
  if (advice === "free") advise(child, "dontneed", 2, 3);
  moved(w);
  advise(child, advice, 1, 2);
  return moved(w);
}

test("MADV_FREE splits a huge page if its first page is mapped once, or if the page itself is", () => {
  const split = "thp_split_page 1, thp_deferred_split_page 1";
  expect(adviseBesideForeign("free", { freeTests: "first-page" })).toBe(split);
  expect(adviseBesideForeign("free", { freeTests: "own-page" })).toBe("");
});

test("MADV_COLD splits a huge PMD whose first page is mapped once; later, if no other page is either", () => {
  expect(adviseBesideForeign("cold", {})).toContain("thp_split_page 1");
  expect(adviseBesideForeign("cold", { adviceOnPtes: "by-folio" })).toBe("");
});
