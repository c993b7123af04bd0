/** Reservations of huge pages: what both designs do, at each release point. */
import { describe, expect, test } from "vitest";
import { asNode } from "../core/units.ts";
import { freeMemory } from "../kernel/buddy/figures.ts";
import { migrateIsolated } from "../kernel/migration/migrate.ts";
import { forkMm } from "../kernel/mm/fork.ts";
import { frameAt } from "../kernel/mm/pin.ts";
import { lruDrainAll, lruIsolate } from "../kernel/reclaim/lru.ts";
import {
  advise,
  finish,
  moved,
  picture,
  protect,
  read,
  remap,
  scanPass,
  seenBy,
  unmap,
  type World,
  write,
} from "../kernel/testing/picture.ts";
import { ALL, balanced, count, exit, fork, POSTED, reserved, reserving } from "./testing/reserving.ts";

describe.each(ALL)("$name", (generation) => {
  test("a first write takes a block and maps one page of it, at its own offset", () => {
    const w = reserving(generation, ".... ....");
    expect(write(w, 2)).toBe("anon-4k");
    expect([picture(w), moved(w, "nr_thp_reserved")]).toEqual([
      "--s- ....",
      "nr_thp_reserved 3, thp_res_alloc 1",
    ]);
    const pfn = frameAt(w.k, w.mm, w.start + 2);
    expect([pfn % 4, w.k.frames.refCount[pfn]]).toEqual([2, 2 + 1]); // reservation, mapping, LRU batch
    write(w, 1);
    expect(frameAt(w.k, w.mm, w.start + 1)).toBe(pfn - 1);
    expect(moved(w, "nr_thp_reserved")).toBe("nr_thp_reserved -1");
    balanced(w);
  });

  test("a block that is not free counts as a failure, and base pages serve", () => {
    const w = reserving(generation, "ssss ssss .... ....", { frames: 16, threshold: 3 });
    w.k.tunables.enabled = "never";
    for (let page = 8; page < 13; page++) write(w, page);
    w.k.tunables.enabled = "always";
    moved(w);
    const other = finish(w, forkMm(w.k, w.mm));
    expect(write(seenBy(w, other), 14)).toBe("anon-4k");
    expect(count(w, "thp_res_alloc")).toBe(0);
    balanced(w, seenBy(w, other));
  });

  test("what MemAvailable tells has the unused pages in it", () => {
    const w = reserving(generation, "....");
    const before = freeMemory(w.k).availablePages;
    write(w, 0);
    const { availablePages, perCpuPages } = freeMemory(w.k);
    expect(before - availablePages - perCpuPages).toBe(1);
    expect(freeMemory(w.k, asNode(0)).availablePages).toBe(availablePages);
    balanced(w);
  });

  test("promotion in place copies nothing and moves no page", () => {
    const w = reserving(generation, "....", { threshold: 3 });
    write(w, 3);
    const pfn = frameAt(w.k, w.mm, w.start + 3);
    write(w, 0);
    write(w, 2);
    lruDrainAll(w.k);
    if (generation === POSTED) scanPass(w);
    expect(picture(w)).toBe("HHHH");
    expect(frameAt(w.k, w.mm, w.start)).toBe(pfn - 3);
    expect([w.mm.anonPages, reserved(w), count(w, "thp_collapse_alloc")]).toEqual([4, 0, 0]);
    balanced(w);
  });

  test.each([
    ["one page unmapped by the program", (w: World) => unmap(w, 1, 2), "s-s- "],
    ["MADV_DONTNEED of one page", (w: World) => advise(w, "dontneed", 1, 2), "s-s- "],
    ["an edge of an area inside the region", (w: World) => protect(w, "ro", 0, 2), "s-s- "],
    ["mremap to another offset", (w: World) => remap(w, 0, 4, 102), ""],
  ] as const)("%s releases the region's reservation, and leaves the next one", (_, act, __) => {
    const w = reserving(generation, ".... ....", { threshold: 4 });
    write(w, 0);
    write(w, 2);
    write(w, 4);
    expect(reserved(w)).toBe(5);
    act(w);
    expect(reserved(w)).toBe(3);
    balanced(w);
  });

  test("swapping a used page out releases the reservation", () => {
    const w = reserving(generation, "....", { threshold: 4, swapPages: 8 });
    write(w, 0);
    write(w, 1);
    advise(w, "pageout", 0, 1);
    expect([picture(w), reserved(w)]).toEqual(["ws--", 0]);
    expect(read(w, 0)).toBe("swap-in");
    balanced(w);
  });

  test("a lazily freed page that reclaim discards releases the reservation", () => {
    const w = reserving(generation, "....", { threshold: 4 });
    write(w, 0);
    write(w, 1);
    lruDrainAll(w.k);
    advise(w, "free", 0, 1);
    expect(reserved(w)).toBe(2);
    advise(w, "pageout", 0, 1);
    expect([picture(w), reserved(w)]).toEqual(["-s--", 0]);
    balanced(w);
  });

  test("migrating a used page releases the reservation", () => {
    const w = reserving(generation, "....", { threshold: 4, nodes: 2 });
    write(w, 0);
    write(w, 1);
    lruDrainAll(w.k);
    const pfn = frameAt(w.k, w.mm, w.start);
    expect(lruIsolate(w.k, pfn)).toBe(true);
    expect(finish(w, migrateIsolated(w.k, pfn, asNode(1)))).toBe(true);
    expect([picture(w), reserved(w)]).toEqual(["ss--", 0]);
    balanced(w);
  });

  test("after fork the parent keeps its reservation; a copy on write by the parent drops it", () => {
    const w = reserving(generation, "....", { threshold: 4 });
    write(w, 0);
    write(w, 1);
    const child = fork(w);
    expect(reserved(w)).toBe(2);
    expect(write(w, 2)).toBe("anon-4k");
    expect(reserved(w)).toBe(1);
    expect(write(w, 0)).toBe("cow-copy");
    expect([reserved(w), picture(w), picture(child)]).toEqual([0, "srs-", "rr--"]);
    balanced(w, child);
  });

  test("a copy on write by the child leaves the parent's reservation alone", () => {
    const w = reserving(generation, "....", { threshold: 4 });
    write(w, 0);
    const child = fork(w);
    expect([write(child, 0), reserved(w)]).toEqual(["cow-copy", 3]);
    exit(child);
    expect([write(w, 0), reserved(w)]).toEqual(["cow-reuse", 3]);
    balanced(w);
  });

  test("khugepaged cannot promote what is shared", () => {
    const w = reserving(generation, "....", { threshold: 4 });
    for (let page = 0; page < 3; page++) write(w, page);
    const child = fork(w);
    w.k.tunables.promotionThreshold = 2;
    lruDrainAll(w.k);
    scanPass(w);
    expect([picture(w), reserved(w)]).toEqual(["rrr-", 1]);
    balanced(w, child);
  });

  test("reserved pages are invisible to compaction: their block is pinned", () => {
    const w = reserving(generation, "....", { threshold: 4 });
    write(w, 0);
    lruDrainAll(w.k);
    const pfn = frameAt(w.k, w.mm, w.start);
    expect(w.k.frames.refCount[pfn]).toBe(w.k.frames.mapCount[pfn]! + 1);
    balanced(w);
  });

  test("with threshold 1 first touches are huge, and nothing is reserved", () => {
    const w = reserving(generation, "....", { threshold: 1 });
    expect([write(w, 0), moved(w)]).toEqual(["anon-huge", "thp_fault_alloc 1"]);
    balanced(w);
  });

  test("a page that is not the reservation's keeps the region from being promoted", () => {
    const w = reserving(generation, "....", { threshold: 3 });
    write(w, 0);
    w.k.tunables.enabled = "never";
    write(w, 1);
    w.k.tunables.enabled = "always";
    write(w, 2);
    write(w, 3);
    lruDrainAll(w.k);
    scanPass(w);
    expect([picture(w), reserved(w)]).toEqual(["ssss", 1]);
    balanced(w);
  });
});
