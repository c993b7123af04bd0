import { expect, test } from "vitest";
import { advise, areas, picture, unmap, world, write } from "../testing/picture.ts";

const SMALL_PAGES = { tunables: { enabled: "never" } } as const;

test("munmap frees a table only when no area needs its region any more", () => {
  const w = world("ssss ssss", SMALL_PAGES);
  const tables = w.mm.tablePages;
  unmap(w, 1, 4);
  expect([picture(w), w.mm.tablePages]).toEqual(["s--- ssss", tables]);
  unmap(w, 0, 1);
  expect([picture(w), w.mm.tablePages]).toEqual([".... ssss", tables - 1]);
});

test("a table that neighbours on both sides need stays, empty or not", () => {
  const w = world(".sss sss.", SMALL_PAGES);
  unmap(w, 3, 5);
  unmap(w, 1, 3);
  expect([picture(w), areas(w)]).toEqual(["---- -ss-", "0-1 rw, 5-8 rw"]);
});

test("with the last area the upper tables go, and only the topmost is left", () => {
  const w = world("ssss HHHH", SMALL_PAGES);
  unmap(w, 0, 8);
  expect(w.mm.tablePages).toBe(1);
});

test("MADV_DONTNEED leaves tables where they are, up to 6.13", () => {
  const w = world("ssss HHHH");
  const tables = w.mm.tablePages;
  advise(w, "dontneed");
  expect([picture(w), w.mm.tablePages]).toEqual(["---- ....", tables - 1]);
});

test("a huge page has its table with it, so that a split needs no memory", () => {
  const w = world("HHHH");
  const tables = w.mm.tablePages;
  advise(w, "dontneed", 0, 1);
  expect([picture(w), w.mm.tablePages]).toEqual(["-ccc", tables]);
});

test("a table that MADV_DONTNEED emptied keeps its region small", () => {
  const w = world("ssss ssss", SMALL_PAGES);
  w.k.tunables.enabled = "always";
  advise(w, "dontneed");
  write(w, 0);
  expect(picture(w)).toBe("s--- ----");
});
