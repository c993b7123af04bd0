/**
 * Which bytes a `read` or `write` statement touches, in order, as a cursor that allocates nothing on its way:
 * the offsets FROM, FROM + step, … below TO; or COUNT pages that xorshift64 chooses among the whole pages of
 * the range.
 */
import type { Statement } from "./ast.ts";

/** A cursor over byte offsets inside the region. */
export interface Touches {
  /** How many offsets `next` will give in all. */
  readonly count: number;
  /** The next offset, or -1 when there is none. */
  next(): number;
  /** Distance of stepped touches; 0 when they are random. */
  readonly stepBytes: number;
  /** Stepped touches that are left. */
  left(): number;
  /** Leaves out that many stepped touches. */
  skip(touches: number): void;
}

type TouchStatement = Extract<Statement, { readonly op: "read" | "write" }>;

const PAGE_BYTES = 4096;
const TWO_32 = 2 ** 32;

/** The touches of a statement on a region of that many bytes. */
export function touchesOf(statement: TouchStatement, regionBytes: number): Touches {
  const from = statement.range?.from ?? 0;
  const to = statement.range?.to ?? regionBytes;
  const { random, step } = statement;
  if (random === undefined) return steppedTouches(from, to, step);
  const sizePages = Math.floor((to - from) / PAGE_BYTES);
  return sizePages < 1 ? steppedTouches(0, 0, 1) : randomTouches(from, sizePages, random.seed, random.count);
}

function steppedTouches(from: number, to: number, stepBytes: number): Touches {
  let offset = from;
  return {
    count: Math.max(0, Math.ceil((to - from) / stepBytes)),
    next() {
      if (offset >= to) return -1;
      const touched = offset;
      offset += stepBytes;
      return touched;
    },
    stepBytes,
    left: () => Math.max(0, Math.ceil((to - offset) / stepBytes)),
    skip(touches) {
      offset += touches * stepBytes;
    },
  };
}

/**
 * x = SEED · 0x9E3779B97F4A7C15 + 1; then x ^= x<<13, x ^= x>>7, x ^= x<<17 for each touch (mod 2^64), and
 * the page is x mod sizePages. x is kept as two 32-bit halves: no BigInt on the way.
 */
function randomTouches(from: number, sizePages: number, seed: bigint, count: number): Touches {
  const start = BigInt.asUintN(64, seed * 0x9e3779b97f4a7c15n + 1n);
  let high = Number(start >> 32n);
  let low = Number(start & 0xffffffffn);
  let left = count;
  // 2^32 mod sizePages: x mod sizePages = (high · that + low) mod sizePages, exact while the product is below
  // 2^53.
  const wrap = TWO_32 % sizePages;
  const exact = sizePages <= 2 ** 26;
  return {
    count,
    next() {
      if (left === 0) return -1;
      left -= 1;
      let shifted = (high << 13) | (low >>> 19);
      low = (low ^ (low << 13)) >>> 0;
      high = (high ^ shifted) >>> 0;
      shifted = (low >>> 7) | (high << 25);
      high = (high ^ (high >>> 7)) >>> 0;
      low = (low ^ shifted) >>> 0;
      shifted = (high << 17) | (low >>> 15);
      low = (low ^ (low << 17)) >>> 0;
      high = (high ^ shifted) >>> 0;
      const page = exact
        ? ((high % sizePages) * wrap + low) % sizePages
        : Number(((BigInt(high) << 32n) | BigInt(low)) % BigInt(sizePages));
      return from + page * PAGE_BYTES;
    },
    stepBytes: 0,
    left: () => 0,
    skip: () => undefined,
  };
}
