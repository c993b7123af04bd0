import { describe, expect, test } from "vitest";
import { C, type CounterName } from "../../core/counters.ts";
import { SMALL } from "../../core/geometry.ts";
import { BEHAVIOURS_6_12 } from "../../generations/linux-6.12.ts";
import { frameOf, processWith, runAlone, type TestMachine, testKernel, touch } from "../buddy/test-kernel.ts";
import { violations } from "../invariants.ts";
import { forkMm } from "../mm/fork.ts";
import { madvise } from "../mm/madvise.ts";
import type { Mm } from "../mm/mm.ts";
import { PTE } from "../mm/page-table.ts";
import { pinPage, unpinAll } from "../mm/pin.ts";
import { zapRange } from "../mm/zap.ts";
import type { Kernel } from "../state.ts";
import { windowPages } from "./swap-read.ts";

/** No program runs in these tests, so that every page counts as zeros. */
const WRITES_ALL_6_12 = { ...BEHAVIOURS_6_12, swapNotesZeros: false };

interface World {
  readonly k: Kernel;
  readonly mm: Mm;
  readonly start: number;
}

function world(pages: number, of: Partial<TestMachine> = {}): World {
  const tunables = { enabled: "never", ...of.tunables } as const;
  const k = testKernel({ frames: 64, geometry: SMALL, swapPages: 63, ...of, tunables });
  return { k, ...processWith(k, pages) };
}

function write({ k, mm, start }: World, from: number, to: number, by = mm): void {
  for (let i = from; i < to; i++) if (frameOf(k, by, start + i) < 0) touch(k, by, start + i);
}

function read({ k, mm, start }: World, from: number, to: number, by = mm): void {
  for (let i = from; i < to; i++) if (frameOf(k, by, start + i) < 0) touch(k, by, start + i, false);
}

function pageOut({ k, mm, start }: World, from: number, to: number, by = mm): void {
  expect(runAlone(madvise(k, by, start + from, to - from, "pageout"))).toBe(0);
}

function counted({ k }: World, ...names: CounterName[]): number[] {
  expect(violations(k)).toEqual([]);
  return names.map((name) => k.vmstat[C[name]]!);
}

const IN_AND_OUT = ["pswpout", "pswpin", "pgmajfault", "nr_swapcached"] as const;

describe("the swap cache", () => {
  test("what was written to a disk is in memory still, and comes back without a read", () => {
    const w = world(8);
    write(w, 0, 8);
    pageOut(w, 0, 8);
    expect([w.mm.anonPages, w.mm.swapEntries, ...counted(w, ...IN_AND_OUT)]).toEqual([0, 8, 8, 0, 0, 8]);
    read(w, 0, 8);
    expect([w.mm.anonPages, w.mm.swapEntries, ...counted(w, ...IN_AND_OUT)]).toEqual([8, 0, 8, 0, 0, 8]);
  });

  test("a clean page goes at once the second time, and must be read then", () => {
    const w = world(8);
    write(w, 0, 8);
    pageOut(w, 0, 8);
    read(w, 0, 8);
    pageOut(w, 0, 8);
    expect(counted(w, ...IN_AND_OUT)).toEqual([8, 0, 0, 0]);
    read(w, 0, 1);
    // Read-ahead stays inside the region of four pages.
    expect(counted(w, ...IN_AND_OUT, "swap_ra")).toEqual([8, 4, 1, 4, 3]);
    read(w, 1, 4);
    expect(counted(w, "pgmajfault", "swap_ra_hit")).toEqual([1, 3]);
  });

  test("who writes to it alone gives its slot up, and writes it out anew", () => {
    const w = world(4);
    write(w, 0, 4);
    pageOut(w, 0, 4);
    write(w, 0, 4);
    expect([w.k.swap.free, ...counted(w, ...IN_AND_OUT)]).toEqual([63, 4, 0, 0, 0]);
    pageOut(w, 0, 4);
    expect(counted(w, ...IN_AND_OUT)).toEqual([8, 0, 0, 4]);
  });

  test("memory that is given back takes what it had in swap along", () => {
    const w = world(8);
    write(w, 0, 8);
    pageOut(w, 0, 8);
    read(w, 0, 4);
    runAlone(zapRange(w.k, w.mm, w.start, w.start + 8, "advise"));
    expect([w.k.swap.free, ...counted(w, "nr_swapcached", "nr_inactive_anon")]).toEqual([63, 0, 0]);
  });

  test("after a fork each side maps the page; the first to write copies it, the last one keeps it", () => {
    const w = world(1);
    write(w, 0, 1);
    pageOut(w, 0, 1);
    const child = runAlone(forkMm(w.k, w.mm));
    write(w, 0, 1, child);
    expect([child.anonPages, w.mm.swapEntries, ...counted(w, ...IN_AND_OUT)]).toEqual([1, 1, 1, 0, 0, 1]);
    const cached = w.k.swap.cachedPage.find((pfn) => pfn >= 0);
    expect(frameOf(w.k, child, w.start)).not.toBe(cached);
    write(w, 0, 1);
    expect([frameOf(w.k, w.mm, w.start), ...counted(w, ...IN_AND_OUT)]).toEqual([cached, 1, 0, 0, 0]);
  });

  test("a pinned page leaves its process, and stays in memory unwritten until it is let go", () => {
    const w = world(1);
    write(w, 0, 1);
    pinPage(w.k, w.mm, w.start);
    const pinned = frameOf(w.k, w.mm, w.start);
    pageOut(w, 0, 1);
    expect([w.mm.swapEntries, ...counted(w, ...IN_AND_OUT)]).toEqual([1, 0, 0, 0, 1]);
    read(w, 0, 1);
    expect(frameOf(w.k, w.mm, w.start)).toBe(pinned);
    unpinAll(w.k, w.mm);
    pageOut(w, 0, 1);
    expect(counted(w, ...IN_AND_OUT)).toEqual([1, 0, 0, 1]);
  });

  test("with more than half of swap in use, who comes back gives its slot up", () => {
    const w = world(8, { swapPages: 15 });
    write(w, 0, 8);
    pageOut(w, 0, 8);
    read(w, 0, 8);
    expect([w.k.swap.free, ...counted(w, "nr_swapcached")]).toEqual([8, 7]);
  });

  test("swap on memory keeps nothing: out is out, and one page is read at a time", () => {
    const w = world(8, { swapDevice: "memory" });
    write(w, 0, 8);
    pageOut(w, 0, 8);
    expect(counted(w, ...IN_AND_OUT)).toEqual([8, 0, 0, 0]);
    read(w, 0, 8);
    expect([w.k.swap.free, ...counted(w, ...IN_AND_OUT)]).toEqual([63, 8, 8, 8, 0]);
  });

  test("MADV_WILLNEED reads what is in swap and not in memory; the next access is no major fault", () => {
    const w = world(8);
    write(w, 0, 8);
    pageOut(w, 0, 8);
    read(w, 0, 4);
    pageOut(w, 0, 4);
    expect(runAlone(madvise(w.k, w.mm, w.start, 8, "willneed"))).toBe(0);
    expect(counted(w, ...IN_AND_OUT)).toEqual([8, 4, 0, 8]);
    read(w, 0, 8);
    expect(counted(w, ...IN_AND_OUT)).toEqual([8, 4, 0, 8]);
  });
});

describe("a huge page in the swap cache", () => {
  const huge = (of: Partial<TestMachine> = {}): World => {
    const w = world(4, { ...of, tunables: { enabled: "always" } });
    write(w, 0, 4);
    pageOut(w, 0, 4);
    expect(counted(w, "thp_swpout", "pswpout", "nr_swapcached")).toEqual([1, 4, 4]);
    return w;
  };

  test("6.1: its first page comes back as it is, of the others a copy", () => {
    const w = huge();
    const head = w.k.swap.cachedPage.find((pfn) => pfn >= 0)!;
    read(w, 0, 2);
    expect(frameOf(w.k, w.mm, w.start)).toBe(head);
    expect(frameOf(w.k, w.mm, w.start + 1)).not.toBe(head + 1);
    expect([w.mm.anonPages, w.mm.swapEntries, ...counted(w, "pswpin", "nr_swapcached")]).toEqual([
      2, 2, 0, 4,
    ]);
  });

  test("6.12: one fault maps all of it, for writing even if it only reads", () => {
    const w = huge({ behaviours: WRITES_ALL_6_12 });
    const before = w.k.vmstat[C.pgfault]!;
    read(w, 1, 2);
    expect([w.mm.anonPages, w.k.vmstat[C.pgfault]! - before]).toEqual([4, 1]);
    expect([...w.k.pt.pteFlags.subarray(0, 4)].every((flags) => (flags & PTE.WRITE) !== 0)).toBe(true);
    expect(counted(w, "pswpin", "nr_swapcached", "nr_anon_transparent_hugepages")).toEqual([0, 4, 0]);
  });

  test("6.12: where a part is gone, page by page", () => {
    const w = huge({ behaviours: WRITES_ALL_6_12 });
    runAlone(zapRange(w.k, w.mm, w.start, w.start + 1, "advise"));
    read(w, 1, 2);
    expect([w.mm.anonPages, w.mm.swapEntries, ...counted(w, "nr_swapcached")]).toEqual([1, 2, 4]);
  });
});

test("6.12 does not write pages of zeros: they are noted, gone at once, and come back without a read", () => {
  const w = world(4, { behaviours: BEHAVIOURS_6_12 });
  write(w, 0, 4);
  pageOut(w, 0, 4);
  expect(counted(w, ...IN_AND_OUT, "swpout_zero")).toEqual([0, 0, 0, 0, 4]);
  read(w, 0, 4);
  expect(counted(w, ...IN_AND_OUT, "swpin_zero")).toEqual([0, 0, 1, 4, 4]);
});

test("the window: 8 pages first, then what was of use, alone when nothing was", () => {
  const after = (vpn: number, window: number, hits: number, at: number) =>
    windowPages({ vpn, window, hits }, at, 8);
  expect(after(0, 0, 4, 100)).toBe(8);
  expect(after(100, 8, 7, 101)).toBe(8);
  expect(after(100, 8, 1, 140)).toBe(4);
  expect(after(100, 8, 0, 140)).toBe(4); // no less than half of the last one
  expect(after(100, 2, 0, 140)).toBe(1);
  expect(after(100, 1, 0, 101)).toBe(2);
  expect(after(100, 1, 0, 99)).toBe(2);
});
