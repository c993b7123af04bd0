import { expect, test } from "vitest";
import { HARDWARE, hardwareByName } from "../hardware/index.ts";
import { hardwareFromToml } from "../hardware/read-toml.ts";
import { reachesOf, tlbLines } from "./tlb-reach.ts";

const SIZES = Array.from({ length: 10 }, (_, octave) => [8, 9, 10, 12, 14].map((k) => k * 2 ** (octave + 1)))
  .flat()
  .concat(16384);

/** What a processor with these TLBs would show, in two repetitions of which one was disturbed. */
function chaseOf(first: number, second: number) {
  const cache = (lines: number): number => (lines <= 512 ? 1 : 4);
  const translation = (pages: number): number => {
    if (pages <= first) return 0;
    // A cyclic ring outgrows sets little by little.
    const missing = Math.min(1, Math.max(0, (pages / second - 0.7) / 0.6));
    return 1.9 + missing * 40;
  };
  const runs = (ns: number): number[] => [ns, ns * 1.3];
  return {
    chase: new Map(SIZES.map((pages) => [pages, runs(cache(pages) + translation(pages))] as const)),
    dense: new Map(SIZES.map((lines) => [lines, runs(cache(lines))] as const)),
  };
}

const { tlb } = HARDWARE[0]!;

test("levels that a ring outgrows elsewhere than the base has it are guessed, ways and all", () => {
  const { chase, dense } = chaseOf(96, 1500);
  const { l1Small, l2 } = reachesOf(chase, dense, tlb);
  expect(l1Small).toMatchObject({ fits: 96, exceeds: 112, level: { entries: 96, ways: 96 } });
  expect(l2!.level.entries).toBeGreaterThanOrEqual(1024);
  expect(l2!.level.entries).toBeLessThanOrEqual(1536);
});

test("the base is believed where it lies within what was seen", () => {
  const { chase, dense } = chaseOf(72, 3072);
  const { l1Small, l2 } = reachesOf(chase, dense, tlb);
  expect(l1Small!.level).toBe(tlb.l1Small);
  expect(l2!.level).toBe(tlb.l2);
});

test("a level in sets keeps its ways: their number is a power of two", () => {
  const { chase, dense } = chaseOf(128, 2048);
  const { l1Small } = reachesOf(chase, dense, hardwareByName("skylake-sp")!.tlb);
  expect(l1Small!.level).toEqual({ entries: 128, ways: 4 });
});

test("without a step nothing is guessed", () => {
  const flat = new Map(SIZES.map((pages) => [pages, [1]] as const));
  expect(reachesOf(flat, flat, tlb)).toEqual({ l1Small: undefined, l2: undefined });
  expect(tlbLines({ l1Small: undefined, l2: undefined })).toEqual([]);
});

test("the section is read back by --hardware, with method and spread beside it", () => {
  const { chase, dense } = chaseOf(96, 1500);
  const lines = tlbLines(reachesOf(chase, dense, tlb));
  const read = hardwareFromToml(`name = "box"\nbase = "zen4"\n\n${lines.join("\n")}`, "box.toml");
  expect(read.tlb.l1Small).toEqual({ entries: 96, ways: 96 });
  expect(read.tlb.l2.entries).toBeLessThan(3072);
  expect(lines.join("\n")).toMatch(/# guessed: a load costs 0\.00 ns more than in the cache up to 96 pages/);
});
