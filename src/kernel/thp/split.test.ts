import { describe, expect, test } from "vitest";
import type { Op } from "../../core/ops.ts";
import { asPfn } from "../../core/units.ts";
import { putPage } from "../buddy/free.ts";
import { forkMm } from "../mm/fork.ts";
import { FRAME } from "../mm/frames.ts";
import { frameAt, pinPage } from "../mm/pin.ts";
import { lruDrainAll } from "../reclaim/lru.ts";
import {
  advise,
  finish,
  moved,
  picture,
  protect,
  read,
  remap,
  seenBy,
  sound,
  unmap,
  type World,
  world,
} from "../testing/picture.ts";
import { splitPage } from "./split.ts";

describe("what part of a huge page makes of its PMD and of its page", () => {
  const cases: readonly (readonly [string, (w: World) => void, string, string])[] = [
    ["munmap", (w) => unmap(w, 1, 2), "c-cc", "thp_deferred_split_page 1, thp_split_pmd 1"],
    [
      "MADV_DONTNEED",
      (w) => advise(w, "dontneed", 3, 4),
      "ccc-",
      "thp_deferred_split_page 1, thp_split_pmd 1",
    ],
    ["mprotect", (w) => protect(w, "ro", 0, 1), "dccc", "thp_split_pmd 1"],
    ["MADV_NOHUGEPAGE", (w) => advise(w, "nohugepage", 0, 1), "cccc", "thp_split_pmd 1"],
    ["MADV_HUGEPAGE", (w) => advise(w, "hugepage", 2, 4), "cccc", "thp_split_pmd 1"],
    ["MADV_DONTFORK", (w) => advise(w, "dontfork", 2, 4), "cccc", "thp_split_pmd 1"],
    [
      "MADV_FREE",
      (w) => advise(w, "free", 0, 1),
      "ssss",
      "thp_split_page 1, thp_deferred_split_page 1, thp_split_pmd 1",
    ],
    [
      "MADV_COLD",
      (w) => advise(w, "cold", 1, 2),
      "ssss",
      "thp_split_page 1, thp_deferred_split_page 1, thp_split_pmd 1",
    ],
    [
      "MADV_PAGEOUT",
      (w) => advise(w, "pageout", 1, 2),
      "swss",
      "thp_split_page 1, thp_deferred_split_page 1, thp_split_pmd 1",
    ],
    ["MADV_WILLNEED", (w) => advise(w, "willneed", 1, 2), "HHHH", ""],
    [
      "mremap to a smaller size",
      (w) => remap(w, 0, 4, undefined, 2),
      "cc--",
      "thp_deferred_split_page 1, thp_split_pmd 1",
    ],
  ];
  test.each(cases)("%s", (_, change, after, counted) => {
    const w = world("HHHH", { swapPages: 16 });
    change(w);
    expect(picture(w)).toBe(after);
    expect(moved(w)).toBe(counted);
  });
});

describe("what the whole of a huge page leaves as it is", () => {
  const cases: readonly (readonly [string, (w: World) => void, string])[] = [
    ["munmap", (w) => unmap(w, 0, 4), ".... HHHH"],
    ["MADV_DONTNEED", (w) => advise(w, "dontneed", 0, 4), ".... HHHH"],
    ["mprotect", (w) => protect(w, "ro", 0, 4), "hhhh HHHH"],
    ["MADV_NOHUGEPAGE", (w) => advise(w, "nohugepage", 0, 4), "HHHH HHHH"],
    ["MADV_FREE", (w) => advise(w, "free", 0, 4), "HHHH HHHH"],
    ["MADV_COLD", (w) => advise(w, "cold", 0, 4), "HHHH HHHH"],
    ["an area that ends between huge pages", (w) => advise(w, "dontfork", 4, 8), "HHHH HHHH"],
  ];
  test.each(cases)("%s", (_, change, after) => {
    const w = world("HHHH HHHH");
    change(w);
    expect(picture(w)).toBe(after);
    expect(moved(w)).toBe("");
  });
});

test("a huge zero page is split into zero pages, and its parts go one by one", () => {
  const w = world("....");
  read(w, 0);
  moved(w);
  advise(w, "dontneed", 1, 2);
  expect([picture(w), moved(w)]).toEqual(["z-zz", "thp_split_pmd 1"]);
});

test("a reference from elsewhere keeps a huge page from being split, and its memory from being freed", () => {
  const w = world("HHHH");
  expect(pinPage(w.k, w.mm, w.start + 2)).toBe(true);
  advise(w, "free", 0, 1);
  expect(picture(w)).toBe("HHHH");
  expect(moved(w)).toBe("thp_split_page_failed 1");
});

test("MADV_FREE of a part leaves a huge page alone that a fork maps as well", () => {
  const w = world("HHHH");
  finish(w, forkMm(w.k, w.mm));
  advise(w, "free", 0, 1);
  expect([picture(w), moved(w)]).toEqual(["hhhh", ""]);
});

test("MADV_FREE of a whole huge page leaves it alone when a fork maps a part of it by PTE", () => {
  const w = world("HHHH");
  const child = seenBy(w, finish(w, forkMm(w.k, w.mm)));
  advise(child, "dontneed", 0, 2);
  moved(w);
  advise(w, "free");
  const head = frameAt(w.k, w.mm, w.start);
  expect([picture(w), picture(child)]).toEqual(["hhhh", "--dd"]);
  expect(w.k.frames.flags[head]! & FRAME.SWAPBACKED).toBe(FRAME.SWAPBACKED);
});

test("splitting a page splits the PMD of every process, and frees what nobody maps", () => {
  const w = world("HHHH");
  const child = seenBy(w, finish(w, forkMm(w.k, w.mm)));
  const head = frameAt(w.k, w.mm, w.start);
  w.k.frames.refCount[head]! += 1;
  moved(w);
  expect(splitPage(w.k, head, head, [])).toBe(true);
  w.k.frames.refCount[head]! -= 1;
  sound(w);
  expect([picture(w), picture(child)]).toEqual(["rrrr", "rrrr"]);
  expect(moved(w)).toBe("thp_split_page 1, thp_deferred_split_page 1, thp_split_pmd 2");
});

test("pages that a split frees become free memory", () => {
  const w = world("cc..");
  lruDrainAll(w.k);
  const head = asPfn(frameAt(w.k, w.mm, w.start));
  const free = () => w.k.buddy.freePages + w.k.buddy.zones[0]!.pcps[0]!.countPages;
  const before = free();
  w.k.frames.refCount[head]! += 1;
  splitPage(w.k, head, head, []);
  w.k.frames.refCount[head]! -= 1;
  sound(w);
  expect([picture(w), free() - before]).toEqual(["ss--", 2]);
});

describe("6.12: a split counts as partly mapped when PTEs map pages behind the last PMD", () => {
  const behaviours = { deferredSplit: "partially-mapped", underusedShrinker: true } as const;
  /** A fork's child and its parent; `who` gives one of its pages up, then the page is split. */
  function split(who: "child" | "parent", before?: (w: World) => void): string {
    const w = world("HHHH ....", { behaviours });
    const child = seenBy(w, finish(w, forkMm(w.k, w.mm)));
    before?.(w);
    advise(who === "child" ? child : w, "dontneed", 0, 1);
    moved(w);
    const head = asPfn(frameAt(w.k, w.mm, w.start + 1) - 1);
    w.k.frames.refCount[head]! += 1;
    const ops: Op[] = [];
    expect(splitPage(w.k, head, asPfn(head + 1), ops)).toBe(true);
    putPage(w.k, asPfn(head + 1));
    return moved(w);
  }

  test("the parent comes first", () => {
    expect(split("child")).toBe("thp_split_page 1, thp_deferred_split_page 1, thp_split_pmd 1");
    expect(split("parent")).toBe("thp_split_page 1, thp_split_pmd 1");
  });

  test("an area whose end has moved comes last", () => {
    const shorter = (w: World) => void protect(w, "ro", 4, 8);
    expect(split("child", shorter)).toBe("thp_split_page 1, thp_split_pmd 1");
    expect(split("parent", shorter)).toBe("thp_split_page 1, thp_deferred_split_page 1, thp_split_pmd 1");
  });
});
