/**
 * Numbers by Zipf's law, as YCSB draws them (Gray et al., SIGMOD 1994): rank r comes with a frequency of
 * 1 / r^θ.
 */
import { assert } from "../../lib/assert.ts";
import { type Prng, unit } from "../../lib/prng.ts";

export interface Zipf {
  readonly count: number;
  readonly theta: number;
  readonly zetaN: number;
  readonly alpha: number;
  readonly eta: number;
}

export function makeZipf(count: number, theta: number): Zipf {
  assert(theta > 0 && theta < 1, "the law is drawn by a formula for exponents between 0 and 1");
  let zetaN = 0;
  for (let rank = 1; rank <= count; rank++) zetaN += rank ** -theta;
  const zeta2 = 1 + 2 ** -theta;
  const eta = (1 - (2 / count) ** (1 - theta)) / (1 - zeta2 / zetaN);
  return { count, theta, zetaN, alpha: 1 / (1 - theta), eta };
}

/** A rank from 0, the commonest, to count − 1. */
export function drawZipf({ count, theta, zetaN, alpha, eta }: Zipf, random: Prng): number {
  const u = unit(random);
  const uz = u * zetaN;
  if (uz < 1) return 0;
  if (uz < 1 + 0.5 ** theta) return Math.min(1, count - 1);
  return Math.min(count - 1, Math.floor(count * (eta * u - eta + 1) ** alpha));
}
