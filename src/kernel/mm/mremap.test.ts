import { expect, test } from "vitest";
import { areas, moved, picture, remap, unmap, world, write } from "../testing/picture.ts";

test("a huge page that moves to an aligned place stays huge", () => {
  const w = world("HHHH HHHH .... ....");
  expect(remap(w, 0, 8, 8)).toBe(8);
  expect([picture(w), moved(w)]).toEqual([".... .... HHHH HHHH", ""]);
});

test("to any other place it is split, and its pages move one by one", () => {
  const w = world("HHHH .... ....");
  expect(remap(w, 0, 4, 5)).toBe(5);
  expect([picture(w), moved(w)]).toEqual([".... -ccc c---", "thp_split_pmd 1"]);
});

test("a table moves as a whole between aligned places", () => {
  const w = world("s.s. .... ....", { tunables: { enabled: "never" } });
  remap(w, 0, 4, 8);
  expect(picture(w)).toBe(".... .... s-s-");
  expect(w.mm.anonPages).toBe(2);
});

test("a smaller size gives the tail back, in place", () => {
  const w = world("HHHH HHHH");
  expect(remap(w, 0, 8, undefined, 4)).toBe(0);
  expect([picture(w), areas(w), moved(w)]).toEqual(["HHHH ....", "0-4 rw", ""]);
});

test("a larger size grows in place when there is room, and splits nothing", () => {
  const w = world("HHHH HHHH ....");
  unmap(w, 8, 12);
  moved(w);
  expect(remap(w, 0, 8, undefined, 12)).toBe(0);
  expect([areas(w), moved(w)]).toEqual(["0-12 rw", ""]);
  write(w, 8);
  expect(picture(w)).toBe("HHHH HHHH HHHH");
});

test("growing up to the next area of its kind joins it, if neither was ever written to", () => {
  for (const [written, after] of [
    [false, "0-12 rw"],
    [true, "0-8 rw, 8-12 rw"],
  ] as const) {
    const w = world(".... .... ....", { tunables: { enabled: "never" } });
    unmap(w, 4, 8);
    if (written) write(w, 0);
    expect(remap(w, 0, 4, undefined, 8)).toBe(0);
    expect(areas(w)).toBe(after);
  }
});

test("without room it moves to where the kernel finds some", () => {
  const w = world("HHHH ssss");
  const at = remap(w, 0, 4, undefined, 12);
  expect(at).toBeGreaterThan(8);
  expect(picture(w)).toBe(".... ssss");
  expect(w.mm.anonPages).toBe(8);
});

test("what was mapped at the target goes", () => {
  const w = world("ssss HHHH");
  remap(w, 0, 4, 4);
  expect([picture(w), w.mm.anonPages]).toEqual([".... ssss", 4]);
});

test.each([
  ["no area at the start", 12, 16, 20, 4, -14],
  ["more than one area", 0, 12, 20, 12, -14],
  ["source and target overlap", 0, 4, 2, 4, -22],
  ["a new size of nothing", 0, 4, undefined, 0, -22],
  ["more than memory and swap together", 0, 4, undefined, 100_000, -12],
] as const)("%s: an errno", (_, from, to, at, pages, errno) => {
  const w = world(".... .... ....");
  w.mm.vmas[0]!.flags |= 128; // accounted, as writable private memory is
  unmap(w, 4, 8);
  expect(remap(w, from, to, at, pages)).toBe(errno);
});
