import { expect, test } from "vitest";
import { advise, moved, picture, read, unmap, world, write } from "../testing/picture.ts";

test("a first write takes a huge page, and touching the rest of it faults no more", () => {
  const w = world(".... ....");
  expect(write(w, 1)).toBe("anon-huge");
  expect(picture(w)).toBe("HHHH ....");
  expect(moved(w, "pgfault")).toBe("pgfault 1, thp_fault_alloc 1");
  expect([read(w, 0), write(w, 3)]).toEqual(["spurious", "spurious"]);
});

test("a region that is not wholly in the area gets base pages, and nothing counts", () => {
  const w = world(".... .. ");
  write(w, 4);
  expect(picture(w)).toBe(".... s-");
  expect(moved(w, "pgfault")).toBe("pgfault 1");
});

test("a region whose table is there stays with base pages, even when the table is empty", () => {
  const w = world("-...", { tunables: { enabled: "always" } });
  expect(picture(w)).toBe("----");
  write(w, 2);
  expect(picture(w)).toBe("--s-");
});

test("with its table freed by MADV_DONTNEED (6.14+) the region can be huge again", () => {
  const w = world("ssss", { behaviours: { dontneedFreesTable: true } });
  advise(w, "dontneed");
  expect(picture(w)).toBe("....");
  write(w, 0);
  expect(picture(w)).toBe("HHHH");
});

test("without a huge block the fault falls back, counts it, and the region has a table from then on", () => {
  const w = world(".... ....", { frames: 32, fragmentedRatio: 1 });
  expect(write(w, 0)).toBe("anon-4k");
  expect(picture(w)).toBe("s--- ....");
  expect(moved(w)).toBe("thp_fault_fallback 1");
  write(w, 1);
  expect(moved(w)).toBe("");
});

test("a read maps the huge zero page: no memory, one allocation for all", () => {
  const w = world(".... ....");
  expect([read(w, 0), read(w, 5)]).toEqual(["zero-huge", "zero-huge"]);
  expect(picture(w)).toBe("ZZZZ ZZZZ");
  expect(moved(w)).toBe("thp_zero_page_alloc 1");
  expect(w.mm.anonPages).toBe(0);
});

test("with use_zero_page=0 a read takes a huge page", () => {
  const w = world("....", { tunables: { useZeroPage: false } });
  expect(read(w, 0)).toBe("anon-huge");
  expect(moved(w)).toBe("thp_fault_alloc 1");
});

test("a huge zero page that cannot be had is a fallback to the zero page", () => {
  const w = world("....", { frames: 32, fragmentedRatio: 1 });
  expect(read(w, 0)).toBe("zero-4k");
  expect(picture(w)).toBe("z---");
  expect(moved(w)).toBe("thp_fault_fallback 1, thp_zero_page_alloc_failed 1");
});

test("up to 6.12 a write to the huge zero page splits it and takes one base page", () => {
  const w = world("....");
  read(w, 0);
  moved(w);
  write(w, 1);
  expect(picture(w)).toBe("zszz");
  expect(moved(w, "pgfault")).toBe("pgfault 1, thp_split_pmd 1");
});

test("from 6.13 on a write to the huge zero page takes a huge page", () => {
  const w = world("....", { behaviours: { writeToHugeZero: "allocate-huge" } });
  read(w, 0);
  moved(w);
  expect(write(w, 1)).toBe("anon-huge");
  expect(picture(w)).toBe("HHHH");
  expect(moved(w, "pgfault")).toBe("pgfault 1, thp_fault_alloc 1");
});

test("a whole huge page given back leaves nothing behind, and the next fault is huge again", () => {
  const w = world("HHHH HHHH");
  advise(w, "dontneed", 0, 4);
  expect(picture(w)).toBe(".... HHHH");
  expect(moved(w)).toBe("");
  write(w, 0);
  expect(picture(w)).toBe("HHHH HHHH");
  unmap(w, 0, 8);
  expect(moved(w)).toBe("thp_fault_alloc 1");
});
