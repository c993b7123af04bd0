import { describe, expect, test } from "vitest";
import { below, makePrng, next32, unit } from "./prng.ts";

/** sfc32 said again with 64-bit arithmetic, to compare with. */
function* slowSfc32(seed: bigint): Generator<number> {
  const cut = (x: bigint) => BigInt.asUintN(32, x);
  let [a, b, c, counter] = [cut(seed), seed >> 32n, 0x9e3779b9n, 1n];
  for (let round = 0; ; round++) {
    const sum = cut(a + b + counter);
    counter = cut(counter + 1n);
    a = b ^ (b >> 9n);
    b = cut(c * 9n);
    c = cut(cut(c << 21n) + (c >> 11n) + sum);
    if (round >= 12) yield Number(sum);
  }
}

describe("prng", () => {
  test.each([0, 1, 42, 2 ** 32 + 7, 2 ** 53 - 1])("seed %d gives sfc32's numbers", (seed) => {
    const p = makePrng(seed);
    const slow = slowSfc32(BigInt(seed));
    for (let i = 0; i < 1000; i++) expect(next32(p)).toBe(slow.next().value);
  });

  test("a copied state goes on with the same numbers", () => {
    const p = makePrng(5);
    next32(p);
    const copy = { state: p.state.slice() };
    expect([next32(copy), unit(copy), below(copy, 10)]).toEqual([next32(p), unit(p), below(p, 10)]);
  });

  test("seeds that differ by one, or only above bit 32, give other numbers", () => {
    const firsts = [0, 1, 2, 2 ** 32, 2 ** 33].map((seed) => next32(makePrng(seed)));
    expect(new Set(firsts).size).toBe(5);
  });

  test("below spreads over its range and stays inside it", () => {
    const p = makePrng(1);
    const seen = new Array(6).fill(0);
    for (let i = 0; i < 60_000; i++) seen[below(p, 6)]++;
    expect(seen.length).toBe(6);
    for (const times of seen) expect(Math.abs(times - 10_000)).toBeLessThan(500);
    for (let i = 0; i < 1000; i++) expect(below(p, 2 ** 31 - 1)).toBeLessThan(2 ** 31 - 1);
    expect(below(p, 1)).toBe(0);
  });

  test("unit is uniform on [0, 1) and uses bits below 2^-32", () => {
    const p = makePrng(9);
    let total = 0;
    let fine = 0;
    for (let i = 0; i < 20_000; i++) {
      const u = unit(p);
      expect(u >= 0 && u < 1).toBe(true);
      total += u;
      if (!Number.isInteger(u * 2 ** 32)) fine++;
    }
    expect(total / 20_000).toBeCloseTo(0.5, 1);
    expect(fine).toBeGreaterThan(19_900);
  });
});
