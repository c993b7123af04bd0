import { expect, test } from "vitest";
import { advise, finish, moved, picture, protect, read, unmap, world, write } from "../testing/picture.ts";
import { forkMm } from "./fork.ts";

test("a huge page made read-only and writable again faults once more up to 6.1, never from 6.2 on", () => {
  for (const [upgrades, after, fault] of [
    [false, "hhhh", "cow-reuse"],
    [true, "HHHH", "spurious"],
  ] as const) {
    const w = world("HHHH", { behaviours: { protectUpgradesHuge: upgrades } });
    protect(w, "ro");
    expect(picture(w)).toBe("hhhh");
    protect(w, "rw");
    expect([picture(w), write(w, 0)]).toEqual([after, fault]);
    expect([picture(w), moved(w)]).toEqual(["HHHH", ""]);
  }
});

test("from 3.13 on, huge PMDs that change whole count as the scanner's do, base pages do not", () => {
  for (const [counts, told] of [
    [true, "numa_huge_pte_updates 2"],
    [false, ""],
  ] as const) {
    const w = world("HHHH HHHH ssss", { behaviours: { protectCountsHuge: counts } });
    protect(w, "ro");
    expect(moved(w, "numa_huge_pte_updates", "numa_pte_updates")).toBe(told);
  }
});

test("base pages that are the process's own become writable at once", () => {
  const w = world("ssss", { tunables: { enabled: "never" } });
  protect(w, "ro");
  expect(picture(w)).toBe("rrrr");
  protect(w, "rw");
  expect(picture(w)).toBe("ssss");
});

test("up to 6.1 clean pages do not: the next write faults", () => {
  for (const [upgrades, after] of [
    [false, "rsss"],
    [true, "ssss"],
  ] as const) {
    const w = world("ssss", {
      tunables: { enabled: "never" },
      behaviours: { protectUpgradesHuge: upgrades },
    });
    write(w, 0);
    advise(w, "cold"); // drains the LRU batch, so that MADV_FREE takes
    advise(w, "free", 0, 1);
    protect(w, "ro");
    protect(w, "rw");
    expect(picture(w)).toBe(after);
  }
});

test("pages shared by fork stay read-only", () => {
  const w = world("ssss", { tunables: { enabled: "never" } });
  finish(w, forkMm(w.k, w.mm));
  protect(w, "ro");
  protect(w, "rw");
  expect(picture(w)).toBe("rrrr");
});

test("memory without access cannot be read through entries that were there before", () => {
  const w = world("HHHH ssss ....");
  protect(w, "none");
  expect([0, 4, 8].map((page) => read(w, page))).toEqual(["segv", "segv", "segv"]);
  protect(w, "ro");
  expect([0, 4].map((page) => read(w, page))).toEqual(["spurious", "spurious"]);
  expect(write(w, 0)).toBe("segv");
});

test("a huge page without access that is split stays without access", () => {
  const w = world("HHHH");
  protect(w, "none");
  protect(w, "ro", 0, 1);
  expect([read(w, 0), read(w, 1)]).toEqual(["spurious", "segv"]);
  expect(picture(w)).toBe("dddd");
});

test("a hole ends it with ENOMEM; what lies in front of it has changed", () => {
  const w = world("ssss ssss ssss", { tunables: { enabled: "never" } });
  unmap(w, 4, 8);
  expect(protect(w, "ro")).toBe(-12);
  expect(picture(w)).toBe("rrrr .... ssss");
});
