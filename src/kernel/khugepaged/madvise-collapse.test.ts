import { expect, test } from "vitest";
import { forkMm } from "../mm/fork.ts";
import { advise, finish, moved, picture, protect, unmap, world } from "../testing/picture.ts";

const NEVER = { enabled: "never", maxPtesNone: 0 } as const;
const SINCE_6_18 = { collapseNeedsWritable: false, collapseRange: "as-asked" } as const;

test("MADV_COLLAPSE works with huge pages off, and knows no limits", () => {
  const w = world("s... ss..", { tunables: NEVER });
  expect(advise(w, "collapse")).toBe(0);
  expect([picture(w), moved(w)]).toEqual(["HHHH HHHH", "thp_collapse_alloc 2"]);
  expect(w.k.khugepaged.pagesCollapsed).toBe(0);
});

test("what is huge already counts as done", () => {
  const w = world("HHHH");
  expect([advise(w, "collapse"), moved(w)]).toEqual([0, ""]);
});

test.each([
  ["nothing was ever written", "....", 0, 4, -22],
  ["a range inside of one region", "ssss ssss", 1, 3, -22],
  ["an area too small to hold one", "sss", 0, 3, -22],
] as const)("%s: EINVAL", (_, text, from, to, errno) => {
  expect(advise(world(text), "collapse", from, to)).toBe(errno);
});

test("an area with MADV_NOHUGEPAGE: EINVAL", () => {
  const w = world("ssss");
  advise(w, "nohugepage");
  expect(advise(w, "collapse")).toBe(-22);
});

test("an untouched region ends it: those in front have been collapsed, those behind have not", () => {
  const w = world("ssss .... ssss");
  expect(advise(w, "collapse")).toBe(-22);
  expect(picture(w)).toBe("HHHH .... ssss");
});

test("a read-only region is passed over up to 6.12, and collapsed from 6.18 on", () => {
  for (const [behaviours, errno, after] of [
    [{}, -22, "rrrr HHHH"],
    [SINCE_6_18, 0, "hhhh HHHH"],
  ] as const) {
    const w = world("ssss ssss", { behaviours });
    protect(w, "ro", 0, 4);
    protect(w, "ro", 4, 8);
    protect(w, "rw", 4, 8);
    const errors = [advise(w, "collapse", 0, 4), advise(w, "collapse", 4, 8)];
    expect([errors, picture(w)]).toEqual([[errno, 0], after]);
  }
});

test("an empty table: EINVAL up to 6.12, a huge page of zeros in 6.18", () => {
  expect(advise(world("-..."), "collapse")).toBe(-22);
  const w = world("-...", { behaviours: SINCE_6_18 });
  expect([advise(w, "collapse"), picture(w)]).toEqual([0, "HHHH"]);
});

test("pages that a live child shares are copied", () => {
  const w = world("ssss", { behaviours: SINCE_6_18, tunables: { enabled: "never", maxPtesShared: 0 } });
  finish(w, forkMm(w.k, w.mm));
  expect([advise(w, "collapse"), picture(w)]).toEqual([0, "HHHH"]);
});

test("without a huge block: ENOMEM", () => {
  const w = world("ssss", { frames: 32, fragmentedRatio: 1 });
  expect([advise(w, "collapse"), moved(w)]).toEqual([-12, "thp_collapse_alloc_failed 1"]);
});

test("pages that were swapped out come back and are collapsed", () => {
  const w = world("ssss", { swapPages: 16, tunables: NEVER });
  advise(w, "pageout");
  expect(picture(w)).toBe("wwww");
  expect(advise(w, "collapse")).toBe(-22);
  const later = world("ssss", { swapPages: 16, behaviours: SINCE_6_18, tunables: NEVER });
  advise(later, "pageout", 0, 3);
  expect([advise(later, "collapse"), picture(later)]).toEqual([0, "HHHH"]);
});

test("6.1 goes on to the area's end once it has collapsed a region, 6.12 stays within what was asked", () => {
  for (const [collapseRange, after] of [
    ["to-area-end", "HHHH HHHH HHHH"],
    ["as-asked", "HHHH HHHH ssss"],
  ] as const) {
    const w = world("ssss ssss ssss", { behaviours: { collapseRange } });
    expect(advise(w, "collapse", 0, 8)).toBe(0);
    expect(picture(w)).toBe(after);
  }
});

test("a hole in the range: ENOMEM, after the rest", () => {
  const w = world("ssss .... ssss");
  unmap(w, 4, 8);
  expect([advise(w, "collapse"), picture(w)]).toEqual([-12, "HHHH .... HHHH"]);
});
