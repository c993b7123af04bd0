import { expect, test } from "vitest";
import { forkMm } from "../mm/fork.ts";
import { pinPage } from "../mm/pin.ts";
import {
  advise,
  finish,
  moved,
  picture,
  protect,
  remap,
  scanPass,
  seenBy,
  type World,
  world,
  write,
} from "../testing/picture.ts";
import { khugepagedEnter } from "./register.ts";

/** A process that khugepaged knows. */
function registered(text: string, of: Parameters<typeof world>[1] = {}): World {
  const w = world(text, of);
  khugepagedEnter(w.k, w.mm.vmas[0]!);
  return w;
}

test("khugepaged collapses a range whose holes fit max_ptes_none", () => {
  const w = registered("ssss ss.s s... ....", { tunables: { maxPtesNone: 1 } });
  scanPass(w);
  expect(picture(w)).toBe("HHHH HHHH s--- ....");
  expect(moved(w)).toBe("thp_collapse_alloc 2, thp_scan_exceed_none_pte 1");
  expect(w.mm.anonPages).toBe(9);
});

test("a table without a page is refused, and so is one with the zero page alone", () => {
  const w = registered("-... z... s...");
  scanPass(w);
  expect(picture(w)).toBe("---- z--- HHHH");
  expect(moved(w)).toBe("thp_collapse_alloc 1, thp_scan_exceed_none_pte 2");
});

test("a pass looks at pages_to_scan pages, untouched and huge regions included", () => {
  const w = registered(".... HHHH ssss ssss", { tunables: { pagesToScan: 12 } });
  scanPass(w);
  expect(picture(w)).toBe(".... HHHH HHHH ssss");
  scanPass(w);
  expect(picture(w)).toBe(".... HHHH HHHH HHHH");
});

test("a visit costs a page of the budget: a region that begins within it is still looked at", () => {
  const w = registered("ssss ssss", { tunables: { pagesToScan: 5 } });
  scanPass(w);
  expect(picture(w)).toBe("HHHH ssss");
});

test("a short list is walked once a pass, however large the budget", () => {
  const w = registered("ssss");
  scanPass(w);
  expect(w.k.khugepaged.fullScans).toBe(1);
});

test("processes are visited in order of registration", () => {
  const w = registered("ssss", { tunables: { pagesToScan: 5 } });
  const child = seenBy(w, finish(w, forkMm(w.k, w.mm)));
  for (let page = 0; page < 4; page++) write(child, page);
  for (let page = 0; page < 4; page++) write(w, page);
  scanPass(w);
  expect([picture(w), picture(child)]).toEqual(["HHHH", "ssss"]);
});

test("an mm whose lock is taken is passed over, at no cost", () => {
  const w = registered("ssss", { tunables: { pagesToScan: 4 } });
  w.mm.mmapLock.holder = 7;
  scanPass(w);
  expect(picture(w)).toBe("ssss");
  w.mm.mmapLock.holder = -1;
  scanPass(w);
  expect(picture(w)).toBe("HHHH");
});

test("a range mapped read-only is refused up to 6.12, and collapsed from 6.18 on", () => {
  for (const needsWritable of [true, false]) {
    const w = registered("ssss", { behaviours: { collapseNeedsWritable: needsWritable } });
    protect(w, "ro");
    scanPass(w);
    expect(picture(w)).toBe(needsWritable ? "rrrr" : "hhhh");
  }
});

test("pages shared by fork are copied up to max_ptes_shared", () => {
  const w = registered("ssss", { tunables: { maxPtesShared: 2 } });
  finish(w, forkMm(w.k, w.mm));
  write(w, 0);
  scanPass(w);
  // The child is on the list as well, and shares all four.
  expect([picture(w), moved(w)]).toEqual(["srrr", "thp_scan_exceed_share_pte 2"]);
  write(w, 1);
  scanPass(w);
  expect([picture(w), moved(w)]).toEqual(["HHHH", "thp_collapse_alloc 1"]);
});

test("a page that somebody holds keeps its region small", () => {
  const w = registered("ssss ssss");
  pinPage(w.k, w.mm, w.start + 1);
  scanPass(w);
  expect(picture(w)).toBe("ssss HHHH");
});

test("pages not looked at since fork copied them are not referenced: the region is left alone", () => {
  const w = registered("ssss");
  const child = seenBy(w, finish(w, forkMm(w.k, w.mm)));
  write(child, 0);
  advise(child, "cold", 0, 1);
  w.mm.mmapLock.holder = 7;
  scanPass(w);
  w.mm.mmapLock.holder = -1;
  expect(picture(child)).toBe("srrr");
});

test("a huge page mapped by PTE is copied into a new one", () => {
  const w = registered("cccc");
  scanPass(w);
  expect([picture(w), moved(w, "pgfree")]).toEqual([
    "HHHH",
    "pgfree 4, thp_collapse_alloc 1, thp_deferred_split_page 1",
  ]);
});

test("pages of two huge pages, moved together, become one", () => {
  const w = world("HHHH HHHH .... ....");
  remap(w, 2, 6, 8);
  expect(picture(w)).toBe("cc-- --cc cccc ....");
  khugepagedEnter(w.k, w.mm.vmas[w.mm.vmas.length - 1]!);
  expect(advise(w, "collapse", 8, 12)).toBe(0);
  expect(picture(w)).toBe("cc-- --cc HHHH ....");
});

test("swapped pages come back for a collapse, up to max_ptes_swap", () => {
  const w = registered("ssss", { swapPages: 16, tunables: { maxPtesSwap: 1 } });
  advise(w, "pageout", 0, 2);
  expect(picture(w)).toBe("wwss");
  scanPass(w);
  expect([picture(w), moved(w)]).toEqual(["wwss", "thp_scan_exceed_swap_pte 1"]);
  w.k.tunables.maxPtesSwap = 2;
  scanPass(w);
  expect([picture(w), moved(w, "pswpin")]).toEqual(["HHHH", "thp_collapse_alloc 1"]);
});

test("without a huge block it sleeps alloc_sleep once, tries again, and gives the pass up", () => {
  const w = registered("ssss ssss ssss", {
    frames: 32,
    fragmentedRatio: 1,
    tunables: { allocSleepMs: 100 },
  });
  const slept = scanPass(w);
  expect(slept.length).toBe(1);
  expect(slept[0]).toBeGreaterThanOrEqual(100);
  expect(picture(w)).toBe("ssss ssss ssss");
  expect(moved(w)).toContain("thp_collapse_alloc_failed 2");
});
