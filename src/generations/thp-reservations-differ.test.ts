/** Reservations of huge pages: each rule in which the posted and the reviewed design differ. */
import { describe, expect, test } from "vitest";
import { makeKnobs } from "../core/knobs.ts";
import { asNode } from "../core/units.ts";
import { drainAllPcps } from "../kernel/buddy/pcp.ts";
import { runAlone } from "../kernel/buddy/test-kernel.ts";
import { mmap } from "../kernel/mm/mmap.ts";
import { frameAt } from "../kernel/mm/pin.ts";
import { VM } from "../kernel/mm/vma.ts";
import { lruDrainAll } from "../kernel/reclaim/lru.ts";
import { dropAllReservations, shrinkReservations } from "../kernel/reservation/pressure.ts";
import { advise, finish, picture, protect, read, remap, scanPass, write } from "../kernel/testing/picture.ts";
import { LINUX_6_1_RESERVATIONS } from "./linux-6.1-reservations.ts";
import {
  balanced,
  count,
  DESIGNS,
  fork,
  POSTED,
  REVIEWED,
  reserved,
  reserving,
} from "./testing/reserving.ts";

describe("where the two designs differ", () => {
  test.each([
    [POSTED, "256"],
    [REVIEWED, "1"],
    [LINUX_6_1_RESERVATIONS, "1"],
  ] as const)("$name: the threshold unless told, of 1 to 512 pages", ({ knobs }, initial) => {
    const own = makeKnobs(knobs);
    const name = "transparent_hugepage/promotion_threshold";
    expect(own.read(name)).toBe(initial);
    for (const value of ["0", "513", "-1", "many"])
      expect(own.write(name, value)?.expected).toBe("1..512 (pages)");
    for (const value of ["1", "512"]) expect(own.write(name, value)).toBeUndefined();
  });

  test.each([
    [POSTED, "z---", 4],
    [REVIEWED, "z---", 0],
  ] as const)("$name: a read fault", (generation, after, pages) => {
    const w = reserving(generation, "....");
    expect([read(w, 0), picture(w), reserved(w)]).toEqual(["zero-4k", after, pages]);
    expect([write(w, 0), picture(w), reserved(w)]).toEqual(["anon-4k", "s---", 3]);
    balanced(w);
  });

  test.each([
    [POSTED, "s---", 0],
    [REVIEWED, "s---", 3],
  ] as const)("$name: a region that lost its reservation and its pages", (generation, after, pages) => {
    const w = reserving(generation, "....");
    write(w, 0);
    advise(w, "dontneed");
    expect([write(w, 0), picture(w), reserved(w)]).toEqual(["anon-4k", after, pages]);
    balanced(w);
  });

  test.each([
    [POSTED, 0],
    [REVIEWED, 3],
  ] as const)("$name: an area made while the threshold was 1", (generation, pages) => {
    const w = reserving(generation, "....", { threshold: 1 });
    w.k.tunables.promotionThreshold = 3;
    expect([write(w, 0), reserved(w)]).toEqual(["anon-4k", pages]);
    balanced(w);
  });

  test.each([
    [POSTED, 3],
    [REVIEWED, 6],
  ] as const)("$name: a child in an area that it inherited", (generation, pages) => {
    const w = reserving(generation, ".... ....");
    write(w, 0);
    const child = fork(w);
    write(child, 4);
    expect(reserved(w)).toBe(pages);
    balanced(w, child);
  });

  test.each([
    [POSTED, "sss-", "HHHH", 1],
    [REVIEWED, "HHHH", "HHHH", 0],
  ] as const)("$name: reaching the threshold", (generation, atFault, afterScan, collapsed) => {
    const w = reserving(generation, "....");
    for (let page = 0; page < 3; page++) write(w, page);
    expect(picture(w)).toBe(atFault);
    lruDrainAll(w.k);
    scanPass(w);
    expect([picture(w), count(w, "res_pages_collapsed")]).toEqual([afterScan, collapsed]);
    expect([w.k.khugepaged.pagesCollapsed, count(w, "thp_res_promoted_fault")]).toEqual([
      collapsed,
      1 - collapsed,
    ]);
    balanced(w);
  });

  test.each([
    [POSTED, "s---"],
    [REVIEWED, "HHHH"],
  ] as const)("$name: khugepaged below half of the pages, above the threshold", (generation, after) => {
    const w = reserving(generation, "....", { threshold: 4 });
    write(w, 0);
    w.k.tunables.promotionThreshold = 1;
    lruDrainAll(w.k);
    scanPass(w);
    expect(picture(w)).toBe(after);
    balanced(w);
  });

  test.each([
    [POSTED, "ss--"],
    [REVIEWED, "HHHH"],
  ] as const)("$name: more pages unused than max_ptes_none", (generation, after) => {
    const w = reserving(generation, "....", { threshold: 4, tunables: { maxPtesNone: 1 } });
    write(w, 0);
    write(w, 1);
    w.k.tunables.promotionThreshold = 2;
    lruDrainAll(w.k);
    scanPass(w);
    expect(picture(w)).toBe(after);
    balanced(w);
  });

  test.each([
    [POSTED, 2],
    [REVIEWED, 0],
  ] as const)("$name: mremap to an address with the same offset", (generation, pages) => {
    const w = reserving(generation, ".... ....", { threshold: 4 });
    write(w, 0);
    write(w, 1);
    expect(remap(w, 0, 4, 100)).toBe(100);
    expect([reserved(w), picture(w, 100, 104)]).toEqual([pages, "ss--"]);
    expect(write(w, 102)).toBe("anon-4k");
    const inPlace = frameAt(w.k, w.mm, w.start + 102) - frameAt(w.k, w.mm, w.start + 101) === 1;
    expect([inPlace || pages === 0, reserved(w)]).toEqual([true, Math.max(pages - 1, 0)]);
    balanced(w);
  });

  test.each([
    [POSTED, 0],
    [REVIEWED, 3],
  ] as const)("$name: an area split off while the threshold is 1 again", (generation, pages) => {
    const w = reserving(generation, ".... ....");
    write(w, 4);
    w.k.tunables.promotionThreshold = 1;
    protect(w, "ro", 4, 8);
    expect(reserved(w)).toBe(pages);
    balanced(w);
  });

  test.each(DESIGNS)("$name: areas split and merge at a region's edge without a loss", (generation) => {
    const w = reserving(generation, ".... ....", { threshold: 4 });
    write(w, 0);
    write(w, 4);
    protect(w, "ro", 4, 8);
    protect(w, "rw", 4, 8);
    expect([reserved(w), w.mm.vmas.length]).toEqual([6, 1]);
    balanced(w);
  });

  test.each([
    [POSTED, 0],
    [REVIEWED, 3],
  ] as const)("$name: a merge into an area without a container", (generation, pages) => {
    const w = reserving(generation, "....", { threshold: 1 });
    w.k.tunables.promotionThreshold = 3;
    const request = {
      at: w.start + 8,
      pages: 4,
      flags: VM.READ | VM.WRITE | VM.NORESERVE,
      replace: false,
      stack: false,
    };
    finish(w, mmap(w.k, w.mm, request));
    write(w, 8);
    expect(reserved(w)).toBe(3);
    finish(w, mmap(w.k, w.mm, { ...request, at: w.start + 4 }));
    expect([w.mm.vmas.length, reserved(w)]).toEqual([1, pages]);
    balanced(w);
  });

  test.each([
    [POSTED, 0],
    [REVIEWED, 1],
  ] as const)(
    "$name: no block is free, and defrag would let a huge page be compacted for",
    (generation, made) => {
      // Base pages of another area, every second one given back: half of memory is free, no block is.
      const w = reserving(generation, ".... ".repeat(16) + "....", { frames: 64, threshold: 3 });
      w.k.tunables.enabled = "never";
      for (let page = 0; page < 63; page++) write(w, page);
      for (let page = 0; page < 63; page += 2) advise(w, "dontneed", page, page + 1);
      lruDrainAll(w.k);
      drainAllPcps(w.k.buddy);
      w.k.tunables.enabled = "always";
      w.k.tunables.defrag = "always";
      expect(write(w, 64)).toBe("anon-4k");
      expect([count(w, "thp_res_alloc"), count(w, "thp_res_alloc_failed")]).toEqual([made, 1 - made]);
      balanced(w);
    },
  );

  test("posted: under pressure the oldest go first, and not those of an mm in use", () => {
    const w = reserving(POSTED, ".... .... .... ....");
    for (let page = 0; page < 16; page += 4) write(w, page);
    write(w, 1);
    w.mm.mmapLock.readers = 1;
    expect(runAlone(shrinkReservations(w.k, asNode(0), 0))).toBe(0);
    w.mm.mmapLock.readers = 0;
    expect(reserved(w)).toBe(11);
    // At priority 1 four objects are worth 4 / 2 × 2 looks.
    w.k.reservations.nodes[0]!.shrinkWaiting = 0;
    expect(finish(w, shrinkReservations(w.k, asNode(0), 2))).toBe(0);
    expect(finish(w, shrinkReservations(w.k, asNode(0), 1))).toBe(4);
    expect([reserved(w), runAlone(dropAllReservations(w.k))]).toEqual([0, 0]);
    balanced(w);
  });

  test("reviewed: at the first sign of pressure all of them are dropped, and later ones made again", () => {
    const w = reserving(REVIEWED, ".... ".repeat(7) + "....", { frames: 32 });
    for (let page = 0; page < 32; page += 4) write(w, page);
    expect([reserved(w), count(w, "thp_res_dropped")]).toEqual([24, 0]);
    const other = fork(w);
    expect(write(other, 0)).toBe("cow-copy");
    expect([reserved(w), count(w, "thp_res_dropped"), count(w, "thp_res_alloc")]).toEqual([0, 8, 8]);
    // kcompactd shall clean up, and pass no block over for what was reserved in it.
    const { kswapd, zones } = w.k.buddy.nodes[0]!;
    expect([kswapd.compactOrder, zones[0]!.compact.migrateFromSync]).toEqual([2, -1]);
    balanced(w, other);
  });

  test("posted: pressure is answered by the shrinker when a task finds nothing", () => {
    const w = reserving(POSTED, ".... ".repeat(7) + "....", { frames: 32 });
    for (let page = 0; page < 32; page += 4) write(w, page);
    const other = fork(w);
    expect(write(other, 0)).toBe("cow-copy");
    expect(reserved(w)).toBe(0);
    balanced(w, other);
  });
});
