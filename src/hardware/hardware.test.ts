import { expect, test } from "vitest";
import { UserError } from "../lib/assert.ts";
import { FIGURE_NAMES, FIGURES } from "./figures.ts";
import { HARDWARE, hardwareByName } from "./index.ts";
import { hardwareFromToml } from "./read-toml.ts";

/** Within that share of the measured figure. */
function near(value: number, measured: number, ratio: number): boolean {
  return Math.abs(value - measured) <= measured * ratio;
}

test("Zen 4's faults cost what they were measured to cost", () => {
  const { costs } = hardwareByName("zen4")!;
  const table = costs.allocPageNs + costs.zeroPageNs;
  const small = costs.faultNs + costs.allocPageNs + costs.zeroPageNs;
  const huge = costs.faultNs + costs.allocHugeNs + costs.zeroHugeNs + table;
  const copy = costs.faultNs + costs.allocPageNs + costs.copyPageNs + costs.flushOneNs;
  expect(near(small, 1_500, 0.01), "4 KiB fault 1.5 us").toBe(true);
  expect(near(huge, 172_000, 0.01), "huge fault 172 us").toBe(true);
  expect(near(copy, 2_100, 0.02), "copy-on-write fault 2.1 us").toBe(true);
  expect(near(costs.faultNs, 630, 0.01), "zero-page read fault 0.63 us").toBe(true);
  expect(near(costs.faultNs + table, 1_400, 0.1), "huge zero page 1.4 us").toBe(true);
});

test("every figure of every description has a source and lies in its range", () => {
  for (const hardware of HARDWARE) {
    expect(hardware.tlbSource).toMatch(/assumed|measured|published|CPUID/);
    for (const name of FIGURE_NAMES) {
      const { value, source } = hardware.figures[name];
      expect(source, `${hardware.name} ${name}`).toMatch(/^(assumed|measured|published)/);
      expect(value >= FIGURES[name].min && value <= FIGURES[name].max, `${hardware.name} ${name}`).toBe(true);
    }
  }
});

test("costs are whole numbers, so that simulated time stays whole", () => {
  for (const { costs } of HARDWARE) {
    for (const value of Object.values(costs)) expect(Number.isSafeInteger(value)).toBe(true);
  }
});

test("a file takes over what its base has and it does not give", () => {
  const text = `
    name = "my-server"
    base = "skylake-sp"
    [tlb]
    l2 = { entries = 1024, ways = 8, hugeWays = 4 }
    [figures]
    faultNs = 480
    zeroHugeBytesPerNs = { value = 8, source = "measured by us" }
  `;
  const mine = hardwareFromToml(text, "my.toml");
  const base = hardwareByName("skylake-sp")!;
  expect(mine.name).toBe("my-server");
  expect(mine.tlb).toEqual({ ...base.tlb, l2: { entries: 1024, ways: 8, hugeWays: 4 } });
  expect(mine.costs.faultNs).toBe(480);
  expect(mine.costs.zeroHugeNs).toBe(2 ** 21 / 8);
  expect(mine.costs.allocPageNs).toBe(base.costs.allocPageNs);
  expect(mine.figures.zeroHugeBytesPerNs.source).toBe("measured by us");
  expect(mine.figures.faultNs.source).toBe("given in my.toml");
});

const MISTAKES: readonly (readonly [text: string, line: number, message: string])[] = [
  ["[figures]\nfaultNS = 3", 2, "unknown key figures.faultNS; did you mean 'faultNs'?"],
  ["speed = 3", 1, "unknown key speed; known are name, summary, base, tlb, figures"],
  [
    'base = "zen9"',
    1,
    'base: found "zen9", expected one of zen4, zen5, zen3, skylake-sp, ice-lake-sp, numa-2012-4x12, ' +
      "numa-2012-4x8, numa-2012-8x8, plain; did you mean 'zen4'?",
  ],
  [
    "[figures]\n\nfaultNs = -1",
    3,
    "figures.faultNs: found -1, expected a number 0..1000000 (ns): " +
      "A fault without allocation, zeroing or copying.",
  ],
  [
    "[tlb]\nl2 = { entries = 1536, ways = 16 }",
    2,
    'tlb.l2: found {"entries":1536,"ways":16}, ' +
      "expected entries that make 1, 2, 4, 8 … sets of that many ways",
  ],
  [
    "[tlb]\nl1Small = { entries = 96, ways = 3 }",
    2,
    'tlb.l1Small: found {"entries":96,"ways":3}, ' +
      "expected 4, 8, 12 or 16 ways, or one set that holds all entries",
  ],
  ["[tlb]\nl1Huge = 32", 2, "tlb.l1Huge: found 32, expected a table"],
];

test.each(MISTAKES)("the mistake in %j is reported with its line", (text, line, message) => {
  let caught: unknown;
  try {
    hardwareFromToml(text, "my.toml");
  } catch (error) {
    caught = error;
  }
  expect(caught).toBeInstanceOf(UserError);
  expect((caught as UserError).message).toBe(message);
  expect((caught as UserError).place).toEqual({ file: "my.toml", line });
});

test("what is not TOML is reported with line and column", () => {
  expect(() => hardwareFromToml('name = "a"\nfigures = [', "my.toml")).toThrow(UserError);
});
