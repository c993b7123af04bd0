/** Reservations of huge pages: each rule of the posted and of the reviewed design, each release point. */
import { describe, expect, test } from "vitest";
import { C, type CounterName } from "../core/counters.ts";
import { asNode, asPfn, asVpn, type Pfn } from "../core/units.ts";
import { freeMemory } from "../kernel/buddy/figures.ts";
import { runAlone } from "../kernel/buddy/test-kernel.ts";
import { handleFault } from "../kernel/fault/handle.ts";
import { violations } from "../kernel/invariants.ts";
import { RESERVED_BELIEF } from "../kernel/invariants-reservations.ts";
import { migrateIsolated } from "../kernel/migration/migrate.ts";
import { forkMm } from "../kernel/mm/fork.ts";
import { mmap } from "../kernel/mm/mmap.ts";
import { exitMm } from "../kernel/mm/munmap.ts";
import { frameAt } from "../kernel/mm/pin.ts";
import { VM } from "../kernel/mm/vma.ts";
import { lruDrainAll, lruIsolate } from "../kernel/reclaim/lru.ts";
import { dropAllReservations, shrinkReservations } from "../kernel/reservation/pressure.ts";
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
  sound,
  unmap,
  type World,
  world,
  write,
} from "../kernel/testing/picture.ts";
import type { Tunables } from "../kernel/tunables.ts";
import type { Generation } from "./generation.ts";
import { LINUX_6_1_RESERVATIONS } from "./linux-6.1-reservations.ts";
import { THP_RESERVATIONS_POSTED } from "./thp-reservations-posted.ts";
import { THP_RESERVATIONS_REVIEWED } from "./thp-reservations-reviewed.ts";

const POSTED = THP_RESERVATIONS_POSTED;
const REVIEWED = THP_RESERVATIONS_REVIEWED;
const ALL = [POSTED, REVIEWED, LINUX_6_1_RESERVATIONS];
const DESIGNS = [POSTED, REVIEWED];

type Of = Parameters<typeof world>[1] & { readonly threshold?: number };

/** A world with that threshold (of 4 pages), and what was free before its process came. */
function reserving({ behaviours }: Generation, text: string, of: Of = {}): World {
  const tunables: Partial<Tunables> = { promotionThreshold: of.threshold ?? 3, ...of.tunables };
  return world(text, { behaviours, ...of, tunables });
}

function reserved({ k }: World): number {
  return k.vmstat[C.nr_thp_reserved]!;
}

function count({ k }: World, name: CounterName): number {
  return k.vmstat[C[name]]!;
}

function fork(w: World): World {
  return seenBy(w, finish(w, forkMm(w.k, w.mm)));
}

function exit(w: World): void {
  w.mm.users = 0;
  finish(w, exitMm(w.k, w.mm));
}

/** Everybody leaves: nothing is reserved, and every page is free again. */
function balanced(w: World, ...others: World[]): void {
  for (const each of [w, ...others]) exit(each);
  lruDrainAll(w.k);
  sound(w);
  expect([reserved(w), w.k.reservations.live]).toEqual([0, 0]);
  const { freePages, perCpuPages, managedPages } = freeMemory(w.k);
  expect(freePages + perCpuPages).toBe(managedPages);
}

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

describe("where the two designs differ", () => {
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

/** Two CPUs fault on one page: the second begins while the first has its page and has not mapped it. */
function raceOnOnePage(w: World): { readonly first: Pfn; readonly outcomes: string[] } {
  const { k, mm, start } = w;
  const path = () => handleFault(k, mm, asVpn(start), true);
  const [one, other] = [path(), path()];
  // One takes its page and stops where it wants the page-table lock.
  const outcomes: string[] = [];
  const untilLock = (of: ReturnType<typeof path>): void => {
    for (let step = of.next(); !step.done; step = of.next()) {
      if (step.value.kind === "acquire" && step.value.lock?.lockClass === "page_table") return;
    }
  };
  write(w, 3);
  untilLock(one);
  untilLock(other);
  outcomes.push(runAlone(one), runAlone(other));
  return { first: frameAt(k, mm, start), outcomes };
}

describe("known defects of the posted code, each with what shows it", () => {
  test("two faults on one page: the loser's page is lost from nr_thp_reserved for good", () => {
    const w = reserving(POSTED, "....", { threshold: 4 });
    const { outcomes } = raceOnOnePage(w);
    expect(outcomes).toEqual(["anon-4k", "retry"]);
    expect(violations(w.k)).toEqual([`${RESERVED_BELIEF}: nr_thp_reserved is 1, live reservations have 2`]);
    w.mm.users = 0;
    runAlone(exitMm(w.k, w.mm));
    expect(reserved(w)).toBe(-1);
  });

  test("the reviewed design counts it back: the second fault took an ordinary page, and gave it back", () => {
    const w = reserving(REVIEWED, "....", { threshold: 4 });
    expect(raceOnOnePage(w).outcomes).toEqual(["anon-4k", "retry"]);
    expect([violations(w.k), reserved(w)]).toEqual([[], 2]);
    balanced(w);
  });

  test("a threshold below half is no threshold: khugepaged still wants half of the pages in use", () => {
    const w = reserving(POSTED, "....", { threshold: 2 });
    write(w, 0);
    w.k.tunables.promotionThreshold = 1;
    lruDrainAll(w.k);
    scanPass(w);
    expect(picture(w)).toBe("s---");
    balanced(w);
  });

  test("a region that is written back to life after fork and exit is promoted only after a write", () => {
    const w = reserving(POSTED, "....", { threshold: 4 });
    for (let page = 0; page < 3; page++) write(w, page);
    exit(fork(w));
    w.k.tunables.promotionThreshold = 3;
    lruDrainAll(w.k);
    scanPass(w);
    expect(picture(w)).toBe("rrr-");
    write(w, 0);
    scanPass(w);
    expect(picture(w)).toBe("HHHH");
    balanced(w);
  });

  test("a page from elsewhere would lose its data at promotion: the region is left alone", () => {
    const w = reserving(POSTED, "....", { threshold: 3 });
    write(w, 0);
    advise(w, "nohugepage");
    write(w, 1);
    advise(w, "hugepage");
    write(w, 2);
    write(w, 3);
    const page = frameAt(w.k, w.mm, w.start + 1);
    expect(asPfn(page - 1)).not.toBe(frameAt(w.k, w.mm, w.start));
    lruDrainAll(w.k);
    scanPass(w);
    expect([picture(w), reserved(w)]).toEqual(["ssss", 1]);
    balanced(w);
  });
});
