/**
 * The project's random numbers: sfc32 ("small fast counter"), 128 bits of state in one Int32Array, so that a
 * run's randomness is copied, hashed and compared like every other column. The same seed gives the same
 * numbers everywhere.
 */
import { assert } from "./assert.ts";

export interface Prng {
  /** a, b, c and the counter. */
  readonly state: Int32Array;
}

/**
 * Rounds that spread a seed over the whole state before the first number is given out; 12 is the author's
 * figure.
 */
const WARM_UP_ROUNDS = 12;
const TWO_32 = 2 ** 32;

/** A generator for a seed: a whole number below 2^53. */
export function makePrng(seed: number): Prng {
  assert(Number.isSafeInteger(seed) && seed >= 0, "a seed is a whole number from 0 to 2^53 - 1");
  // The third word is fixed: 2^32 divided by the golden ratio, any odd pattern serves.
  const p = { state: Int32Array.of(seed >>> 0, Math.floor(seed / TWO_32), 0x9e3779b9, 1) };
  for (let round = 0; round < WARM_UP_ROUNDS; round++) next32(p);
  return p;
}

/** The next whole number, 0 to 2^32 - 1. */
export function next32(p: Prng): number {
  const s = p.state;
  const b = s[1]!;
  const c = s[2]!;
  const counter = s[3]!;
  const sum = (s[0]! + b + counter) | 0;
  s[3] = counter + 1;
  s[0] = b ^ (b >>> 9);
  s[1] = c + (c << 3);
  s[2] = ((c << 21) | (c >>> 11)) + sum;
  return sum >>> 0;
}

/**
 * A whole number from 0 to n - 1, for n below 2^31. A multiplication instead of a division: values differ in
 * frequency by at most one part in 2^32 / n, which no run of ours can see.
 */
export function below(p: Prng, n: number): number {
  assert(n >= 1 && n < 2 ** 31, "below() chooses among 1 to 2^31 - 1 values");
  return Math.floor((next32(p) / TWO_32) * n);
}

/** A number in [0, 1) with 53 random bits. */
export function unit(p: Prng): number {
  const high = next32(p) >>> 5;
  const low = next32(p) >>> 6;
  return (high * 2 ** 26 + low) / 2 ** 53;
}
