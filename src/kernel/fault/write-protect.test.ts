import { expect, test } from "vitest";
import { forkMm } from "../mm/fork.ts";
import type { Mm } from "../mm/mm.ts";
import { exitMm } from "../mm/munmap.ts";
import {
  advise,
  finish,
  moved,
  picture,
  read,
  seenBy,
  type World,
  world,
  write,
} from "../testing/picture.ts";

function fork(w: World): World {
  const child = finish(w, forkMm(w.k, w.mm));
  child.cpus[0] = 1;
  return seenBy(w, child);
}

function exit(w: World, mm: Mm): void {
  mm.users = 0;
  finish(w, exitMm(w.k, mm));
}

test("a write to the zero page takes a page, and the area's other zero pages stay", () => {
  const w = world("zz..", { tunables: { enabled: "never" } });
  expect(write(w, 0)).toBe("anon-4k");
  expect(picture(w)).toBe("sz--");
});

test("after fork the first to write copies, the last one left reuses", () => {
  const w = world("ss..", { tunables: { enabled: "never" } });
  const child = fork(w);
  expect([picture(w), picture(child)]).toEqual(["rr--", "rr--"]);
  expect(write(child, 0)).toBe("cow-copy");
  expect(write(w, 0)).toBe("cow-reuse");
  expect([picture(w), picture(child)]).toEqual(["sr--", "sr--"]);
});

test("a huge page shared by fork is split by who writes, and one page copied; the other stays huge", () => {
  const w = world("HHHH");
  const child = fork(w);
  expect([picture(w), picture(child)]).toEqual(["hhhh", "hhhh"]);
  moved(w);
  expect(write(child, 1)).toBe("cow-copy");
  expect([picture(w), picture(child)]).toEqual(["hhhh", "dsdd"]);
  expect(moved(w, "pgfault")).toBe("pgfault 1, thp_split_pmd 1");
  expect(write(child, 2)).toBe("cow-copy");
  expect(moved(w, "pgfault")).toBe("pgfault 1");
});

test("when the child is gone the parent's huge page is reused whole", () => {
  const w = world("HHHH");
  exit(w, fork(w).mm);
  expect(write(w, 0)).toBe("cow-reuse");
  expect(picture(w)).toBe("HHHH");
});

test("when one side has copied every page, the other reuses the huge page", () => {
  const w = world("HHHH");
  const child = fork(w);
  for (let page = 0; page < 4; page++) write(w, page);
  expect(picture(w)).toBe("ssss");
  expect(write(child, 3)).toBe("cow-reuse");
  expect(picture(child)).toBe("HHHH");
});

test.each([
  ["refcount", "cow-copy"],
  ["exact", "cow-reuse"],
] as const)("pages of a PTE-mapped huge page whose sharer has gone, by %s: %s", (rule, outcome) => {
  const w = world("HHHH", { behaviours: { reuseOfPartOfHuge: rule } });
  const child = fork(w);
  write(w, 0);
  exit(w, child.mm);
  expect(write(w, 1)).toBe(outcome);
});

test("a page still in the LRU batch is reused all the same: the batch is drained for a second look", () => {
  const w = world("s...", { tunables: { enabled: "never" } });
  exit(w, fork(w).mm);
  expect(write(w, 0)).toBe("cow-reuse");
});

test("a swapped page that a fork shares is brought back and copied in one fault", () => {
  const w = world("s...", { tunables: { enabled: "never" }, swapPages: 16 });
  const child = fork(w);
  // The page is mapped twice, which MADV_PAGEOUT leaves alone: only one of the two may keep it.
  advise(child, "dontneed", 0, 1);
  advise(w, "pageout", 0, 1);
  expect(picture(w)).toBe("w---");
  const second = fork(w);
  expect([picture(w), picture(second)]).toEqual(["w---", "w---"]);
  moved(w);
  expect(write(w, 0)).toBe("swap-in");
  expect(picture(w)).toBe("s---");
  expect(moved(w, "pgfault")).toBe("pgfault 1");
  expect(read(second, 0)).toBe("swap-in");
});
