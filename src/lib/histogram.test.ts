import { describe, expect, test } from "vitest";
import { bucketsOf, makeHistogram, mergeInto, quantile, recordValue } from "./histogram.ts";
import { makePrng, unit } from "./prng.ts";

const QUANTILES = [0, 0.01, 0.25, 0.5, 0.9, 0.99, 0.999, 1];

/** Values over twelve orders of magnitude, whole numbers. */
function spreadValues(seed: number, count: number): number[] {
  const p = makePrng(seed);
  return Array.from({ length: count }, () => Math.floor(10 ** (unit(p) * 12)));
}

describe("histogram", () => {
  test.each([1, 2, 3])("quantiles are at most 1/64 above those of a sorted array (seed %d)", (seed) => {
    const values = spreadValues(seed, 5000);
    const h = makeHistogram();
    for (const value of values) recordValue(h, value);
    values.sort((a, b) => a - b);
    for (const q of QUANTILES) {
      const exact = values[Math.max(1, Math.ceil(q * values.length)) - 1]!;
      expect(quantile(h, q)).toBeGreaterThanOrEqual(exact);
      expect(quantile(h, q)).toBeLessThanOrEqual(exact * (1 + 1 / 64));
    }
    expect(h.count).toBe(5000);
    expect(h.total).toBe(values.reduce((sum, value) => sum + value, 0));
    expect(h.max).toBe(values.at(-1));
    expect(quantile(h, 1)).toBe(h.max);
  });

  test("a bucket begins where the one before ends, at every power of two", () => {
    const edges: number[] = [0, 127, 128, 129, 130];
    for (let e = 7; e <= 52; e++)
      edges.push(2 ** e - 1, 2 ** e, 2 ** e + 2 ** (e - 6) - 1, 2 ** e + 2 ** (e - 6));
    edges.push(2 ** 53 - 1);
    for (const value of edges) {
      const h = makeHistogram();
      recordValue(h, value);
      const low = bucketsOf(h)[0]![0];
      expect(low).toBeLessThanOrEqual(value);
      expect(value - low).toBeLessThanOrEqual(low / 64);
      const again = makeHistogram();
      recordValue(again, low);
      expect(bucketsOf(again)).toEqual([[low, 1]]);
    }
  });

  test("values below 128 are exact and counted by weight", () => {
    const h = makeHistogram();
    recordValue(h, 3, 2);
    recordValue(h, 127);
    recordValue(h, 0);
    expect(bucketsOf(h)).toEqual([
      [0, 1],
      [3, 2],
      [127, 1],
    ]);
    expect([quantile(h, 0.25), quantile(h, 0.5), quantile(h, 1)]).toEqual([0, 3, 127]);
  });

  test("an empty histogram answers 0; a quantile is never above the largest value", () => {
    const h = makeHistogram();
    expect(quantile(h, 0.99)).toBe(0);
    recordValue(h, 1_000_001);
    for (const q of QUANTILES) expect(quantile(h, q)).toBe(1_000_001);
  });

  test("merging two halves gives the whole", () => {
    const values = spreadValues(4, 2000);
    const whole = makeHistogram();
    const halves = [makeHistogram(), makeHistogram()] as const;
    values.forEach((value, i) => {
      recordValue(whole, value);
      recordValue(halves[i % 2]!, value);
    });
    mergeInto(halves[0], halves[1]);
    expect(halves[0]).toEqual(whole);
  });

  test("a negative value, or one past 2^53, is a bug of the caller", () => {
    const h = makeHistogram();
    for (const value of [-1, -0.5, 2 ** 53, Number.NaN])
      expect(() => recordValue(h, value)).toThrow("from 0");
    expect(h.count).toBe(0);
    recordValue(h, 200.5);
    expect(bucketsOf(h)).toEqual([[200, 1]]);
  });
});
