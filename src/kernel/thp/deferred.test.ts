import { expect, test } from "vitest";
import { forkMm } from "../mm/fork.ts";
import { advise, finish, moved, picture, seenBy, unmap, world } from "../testing/picture.ts";

const SINCE_6_12 = { deferredSplit: "partially-mapped", underusedShrinker: true } as const;

test("a huge page is queued and counted once, however many of its pages go", () => {
  const w = world("HHHH");
  for (const page of [0, 2, 3]) advise(w, "dontneed", page, page + 1);
  expect(picture(w)).toBe("-c--");
  expect(moved(w)).toBe("thp_deferred_split_page 1, thp_split_pmd 1");
  expect(w.k.thp.deferredLength[0]).toBe(1);
});

test("its last page gone, it leaves the queue silently", () => {
  const w = world("cc..");
  expect(w.k.thp.deferredLength[0]).toBe(1);
  advise(w, "dontneed", 0, 2);
  expect([w.k.thp.deferredLength[0], moved(w)]).toEqual([0, ""]);
});

test("up to 6.1 a page-mapped huge page counts even when all of it goes at once", () => {
  const w = world("cccc");
  unmap(w, 0, 4);
  expect(moved(w)).toBe("thp_deferred_split_page 1");
});

test("from 6.12 on it does not", () => {
  const w = world("cccc", { behaviours: SINCE_6_12 });
  unmap(w, 0, 4);
  expect(moved(w)).toBe("");
});

test("from 6.12 on a huge page is on the queue from birth, and counts when a part of it goes", () => {
  const w = world("HHHH", { behaviours: SINCE_6_12 });
  expect([w.k.thp.deferredLength[0], moved(w)]).toEqual([1, ""]);
  advise(w, "dontneed", 0, 1);
  expect([w.k.thp.deferredLength[0], moved(w)]).toEqual([1, "thp_deferred_split_page 1, thp_split_pmd 1"]);
});

test("a part that a fork still maps is not unmapped: nothing is queued until it lets go", () => {
  const w = world("HHHH");
  const child = seenBy(w, finish(w, forkMm(w.k, w.mm)));
  advise(w, "dontneed", 0, 1);
  expect(moved(w)).toBe("thp_split_pmd 1");
  unmap(child, 0, 4);
  expect([picture(w), moved(w)]).toEqual(["-ddd", "thp_deferred_split_page 1"]);
});
