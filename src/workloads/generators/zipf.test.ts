import { expect, test } from "vitest";
import { makePrng } from "../../lib/prng.ts";
import { drawZipf, makeZipf } from "./zipf.ts";

function drawn(count: number, theta: number, draws: number): Float64Array {
  const zipf = makeZipf(count, theta);
  const random = makePrng(7);
  const times = new Float64Array(count);
  for (let i = 0; i < draws; i++) times[drawZipf(zipf, random)]! += 1;
  return times;
}

test("the commonest ranks come as often as the law says", () => {
  const draws = 400_000;
  const times = drawn(1000, 0.99, draws);
  const { zetaN } = makeZipf(1000, 0.99);
  for (const rank of [0, 1]) {
    const share = (rank + 1) ** -0.99 / zetaN;
    expect(Math.abs(times[rank]! / draws - share)).toBeLessThan(share * 0.03);
  }
  const half = times.slice(0, 32).reduce((sum, n) => sum + n, 0) / draws;
  expect(half).toBeGreaterThan(0.5);
});

test("every rank is within its range, also when there is only one", () => {
  expect(drawn(1, 0.5, 100)).toEqual(Float64Array.of(100));
  expect(drawn(3, 0.5, 3000).every((n) => n > 0)).toBe(true);
});
