/** What 4.19 does otherwise than 6.1, rule by rule. */
import { expect, test } from "vitest";
import { C } from "../core/counters.ts";
import { runAlone } from "../kernel/buddy/test-kernel.ts";
import { forkMm } from "../kernel/mm/fork.ts";
import { FRAME } from "../kernel/mm/frames.ts";
import { mmap } from "../kernel/mm/mmap.ts";
import { exitMm } from "../kernel/mm/munmap.ts";
import { frameAt } from "../kernel/mm/pin.ts";
import { VM } from "../kernel/mm/vma.ts";
import {
  advise,
  finish,
  moved,
  picture,
  read,
  scanPass,
  seenBy,
  type World,
  world,
  write,
} from "../kernel/testing/picture.ts";
import { BEHAVIOURS_4_19 } from "./linux-4.19.ts";

function world419(text: string, of: Parameters<typeof world>[1] = {}): World {
  return world(text, { behaviours: BEHAVIOURS_4_19, ...of });
}

function fork(w: World): World {
  return seenBy(w, finish(w, forkMm(w.k, w.mm)));
}

function exit(w: World): void {
  w.mm.users = 0;
  finish(w, exitMm(w.k, w.mm));
}

test("a write to a huge page that a fork shares gets a huge page of its own", () => {
  const w = world419("HHHH");
  const child = fork(w);
  moved(w);
  expect(write(child, 1)).toBe("cow-huge");
  expect([picture(w), picture(child)]).toEqual(["hhhh", "HHHH"]);
  expect(moved(w)).toBe("thp_fault_alloc 1");
  expect(write(w, 0)).toBe("cow-reuse");
  expect(picture(w)).toBe("HHHH");
});

test("without a huge page to be had the copy takes base pages, all of them at once", () => {
  const w = world419("HHHH .... .... .... .... .... .... ....", {
    frames: 32,
    tunables: { defrag: "never" },
  });
  const child = fork(w);
  w.k.tunables.enabled = "never";
  for (let page = 4; page < 32; page++) write(w, page);
  for (let page = 5; page < 32; page += 4) advise(w, "dontneed", page, page + 1);
  w.k.tunables.enabled = "always";
  moved(w);
  expect(write(child, 1)).toBe("cow-copy");
  expect([picture(w, 0, 4), picture(child, 0, 4)]).toEqual(["hhhh", "ssss"]);
  expect(moved(w)).toBe("thp_fault_fallback 1");
});

test("a page is reused when nobody else maps it, whoever else refers to it", () => {
  const w = world419("HHHH");
  const child = fork(w);
  w.k.tunables.enabled = "never";
  exit(child);
  advise(w, "dontneed", 3, 4);
  expect(write(w, 1)).toBe("cow-reuse");
  expect(picture(w)).toBe("dcd-");
});

test("new pages start on the active list", () => {
  const w = world419("s...", { tunables: { enabled: "never" } });
  expect(w.k.frames.flags[frameAt(w.k, w.mm, w.start)]! & FRAME.ACTIVE).not.toBe(0);
});

test("unmapping a whole huge page counts as a deferred split, which it is not", () => {
  const w = world419("HHHH");
  advise(w, "dontneed");
  expect(moved(w)).toBe("thp_deferred_split_page 1");
});

test.each([
  [1, "s---", "thp_collapse_alloc 1"],
  [2, "HHHH", "thp_collapse_alloc 1"],
])("khugepaged collapses from half of the pages in use on: with %i of 4 %s", (pages, after, counted) => {
  const w = world419("s---");
  advise(w, "hugepage");
  for (let page = 1; page < pages; page++) write(w, page);
  advise(w, "dontneed", 3, 4);
  scanPass(w);
  expect([picture(w), moved(w)]).toEqual([after, counted]);
});

test("the newest pages look as if on no list until something drains their batch", () => {
  const w = world419("ss--");
  advise(w, "hugepage");
  write(w, 2);
  scanPass(w);
  expect([picture(w), moved(w)]).toEqual(["sss-", ""]);
});

test("khugepaged leaves shared pages and pages of huge pages alone", () => {
  const w = world419("ss--");
  advise(w, "hugepage");
  const child = fork(w);
  advise(w, "dontneed", 3, 4);
  scanPass(w);
  expect([picture(w), picture(child)]).toEqual(["rr--", "rr--"]);
  const other = world419("ccc.");
  advise(other, "hugepage");
  advise(other, "dontneed", 3, 4);
  scanPass(other);
  expect(picture(other)).toBe("ccc-");
});

test("a write to the huge zero page takes a huge page", () => {
  const w = world419("....");
  expect([read(w, 0), write(w, 0), picture(w)]).toEqual(["zero-huge", "anon-huge", "HHHH"]);
});

test("mmap refuses what is not less than the memory that is free now", () => {
  const { k, mm } = world419("....", { frames: 64, tunables: { enabled: "never" } });
  const request = { at: undefined, flags: VM.READ | VM.WRITE, replace: false, stack: false };
  const free = k.vmstat[C.nr_free_pages]!;
  expect(runAlone(mmap(k, mm, { ...request, pages: free }))).toBe(-12);
  expect(runAlone(mmap(k, mm, { ...request, pages: free - 1 }))).toBeGreaterThan(0);
  expect(runAlone(mmap(k, mm, { ...request, pages: free - 1 }))).toBeGreaterThan(0);
});

test("per-CPU lists hold base pages alone, up to six batches", () => {
  const { k } = world419("....");
  expect(k.buddy.zones[0]!.pcps[0]!.highPages).toBe(6 * k.buddy.zones[0]!.pcps[0]!.batchPages);
  expect([k.buddy.pcpHuge, k.buddy.pcpOrderMax]).toEqual([false, 0]);
});
