import { describe, expect, test } from "vitest";
import {
  bigOf,
  fillRandomPages,
  fillSplitmixBits,
  makeSplitmix64,
  makeXorshift64,
  remainder64,
  stepSplitmix64,
  stepXorshift64,
  unit64,
} from "./bits.ts";

const SEEDS = [0n, 1n, 42n, 0xffff_ffffn, 0x1234_5678_9abc_def0n, 2n ** 64n - 1n];
const cut = (x: bigint) => BigInt.asUintN(64, x);

function* slowSplitmix64(seed: bigint): Generator<bigint, never> {
  for (let s = seed; ; ) {
    s = cut(s + 0x9e3779b97f4a7c15n);
    let z = s;
    z = cut((z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n);
    z = cut((z ^ (z >> 27n)) * 0x94d049bb133111ebn);
    yield z ^ (z >> 31n);
  }
}

function* slowXorshift64(seed: bigint): Generator<bigint, never> {
  for (let x = cut(seed * 0x9e3779b97f4a7c15n + 1n); ; ) {
    x ^= cut(x << 13n);
    x ^= x >> 7n;
    x ^= cut(x << 17n);
    yield x;
  }
}

describe("bits", () => {
  test("splitmix64 begins as its author's reference does for seed 1234567", () => {
    const r = makeSplitmix64(1234567n);
    const outputs = [0, 1, 2].map(() => {
      stepSplitmix64(r);
      return bigOf(r);
    });
    expect(outputs).toEqual([6457827717110365317n, 3203168211198807973n, 9817491932198370423n]);
  });

  test.each(SEEDS)("splitmix64 agrees with 64-bit arithmetic (seed %d)", (seed) => {
    const r = makeSplitmix64(seed);
    const slow = slowSplitmix64(seed);
    for (let i = 0; i < 2000; i++) {
      stepSplitmix64(r);
      const x = slow.next().value;
      expect(bigOf(r)).toBe(x);
      expect(unit64(r)).toBe(Number(x >> 11n) / 2 ** 53);
    }
  });

  test.each(SEEDS)("xorshift64 agrees with 64-bit arithmetic, its remainders too (seed %d)", (seed) => {
    const r = makeXorshift64(seed);
    const slow = slowXorshift64(seed);
    for (let i = 0; i < 2000; i++) {
      stepXorshift64(r);
      const x = slow.next().value;
      expect(bigOf(r)).toBe(x);
      for (const n of [1, 3, 512, 1_000_003, 2 ** 32 - 5, 2 ** 37 - 25]) {
        expect(remainder64(r, n)).toBe(Number(x % BigInt(n)));
      }
    }
  });

  test.each([1, 7, 512, 513, 16384, 2 ** 31, 2 ** 32 - 1])("random pages of a range of %d", (n) => {
    const slow = slowXorshift64(7n);
    const pages = new Uint32Array(300);
    const r = makeXorshift64(7n);
    fillRandomPages(r, n, pages, 100);
    fillRandomPages(r, n, pages.subarray(100), 200);
    expect([...pages]).toEqual(Array.from({ length: 300 }, () => Number(slow.next().value % BigInt(n))));
  });

  test.each([1, 6, 24, 31, 32])("the low %d bits of a splitmix64 stream", (bits) => {
    const slow = slowSplitmix64(42n);
    const out = new Uint32Array(300);
    fillSplitmixBits(makeSplitmix64(42n), bits, out, 300);
    expect([...out]).toEqual(
      Array.from({ length: 300 }, () => Number(BigInt.asUintN(bits, slow.next().value))),
    );
  });
});
