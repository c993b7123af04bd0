/**
 * A log-linear histogram: every power of two is cut into 64 equal steps, so a quantile is at most 1/64 (1.6
 * %) above the true one, whatever the range. Values below 128 are exact. Recording is a shift, an addition
 * and a store.
 *
 *     value   0 … 127 | 128, 130 … 254 | 256, 260 … 508 | …  up to 2^53
 *     bucket  0 … 127 | 128      … 191 | 192      … 255 | …
 */
import { assert } from "./assert.ts";

const STEPS_LOG2 = 6;
const STEPS = 2 ** STEPS_LOG2;
const TWO_32 = 2 ** 32;
/** Values reach 2^53 - 1, whose exponent is 52: (52 - 6) × 64 + 128 buckets, 24 KiB. */
const BUCKETS = (52 - STEPS_LOG2) * STEPS + 2 * STEPS;

export interface Histogram {
  count: number;
  total: number;
  max: number;
  readonly buckets: Float64Array;
}

export function makeHistogram(): Histogram {
  return { count: 0, total: 0, max: 0, buckets: new Float64Array(BUCKETS) };
}

/** Records a value, `count` times. Fractions count in the bucket of their whole part. */
export function recordValue(h: Histogram, value: number, count = 1): void {
  const bits = value >>> 0;
  if (bits === value) {
    const exponent = 31 - Math.clz32(bits | STEPS);
    const shift = exponent - STEPS_LOG2;
    h.buckets[shift * STEPS + (bits >>> shift)]! += count;
  } else {
    h.buckets[bucketOfLarge(value)]! += count;
  }
  h.count += count;
  h.total += value * count;
  if (value > h.max) h.max = value;
}

/** Bucket of a value that does not fit 32 bits, or is not whole. */
function bucketOfLarge(value: number): number {
  assert(value >= 0 && value < 2 ** 53, "a recorded value is from 0 to 2^53 - 1");
  const whole = Math.floor(value);
  const high = Math.floor(whole / TWO_32);
  const exponent = high > 0 ? 63 - Math.clz32(high) : 31 - Math.clz32(whole | STEPS);
  const shift = exponent - STEPS_LOG2;
  return shift * STEPS + Math.floor(whole / 2 ** shift);
}

/** The smallest value that a bucket holds. */
function lowOf(bucket: number): number {
  const shift = Math.max(0, Math.floor(bucket / STEPS) - 1);
  return (bucket - shift * STEPS) * 2 ** shift;
}

/**
 * The value that a share `q` (0..1) of the recorded values does not exceed: the top of its bucket, but never
 * above the largest value recorded. 0 when nothing was recorded.
 */
export function quantile(h: Histogram, q: number): number {
  if (h.count === 0) return 0;
  const rank = Math.max(1, Math.ceil(q * h.count));
  let seen = 0;
  for (let bucket = 0; bucket < BUCKETS; bucket++) {
    seen += h.buckets[bucket]!;
    if (seen >= rank) return Math.min(h.max, lowOf(bucket + 1) - 1);
  }
  return h.max;
}

/** Adds all that `from` recorded to `into`. */
export function mergeInto(into: Histogram, from: Histogram): void {
  for (let bucket = 0; bucket < BUCKETS; bucket++) into.buckets[bucket]! += from.buckets[bucket]!;
  into.count += from.count;
  into.total += from.total;
  into.max = Math.max(into.max, from.max);
}

/** The buckets that are not empty, in order: smallest value held, how many. */
export function bucketsOf(h: Histogram): [low: number, count: number][] {
  const result: [number, number][] = [];
  h.buckets.forEach((count, bucket) => {
    if (count > 0) result.push([lowOf(bucket), count]);
  });
  return result;
}
