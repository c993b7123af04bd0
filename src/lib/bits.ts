/**
 * The 64-bit generators that scripts and recorded streams are defined by, exactly, without BigInt: a 64-bit
 * number is two unsigned 32-bit words. (Our own randomness is `prng.ts`; these exist to agree with other
 * programs.)
 *
 *     splitmix64   s += 0x9e3779b97f4a7c15; z = s; z = (z ^ z>>30)·0xbf58476d1ce4e5b9;
 *                  z = (z ^ z>>27)·0x94d049bb133111eb; output z ^ z>>31
 *     xorshift64   x ^= x<<13; x ^= x>>7; x ^= x<<17; output x
 *
 * all modulo 2^64, with shifts that bring in zeros.
 */

const TWO_32 = 2 ** 32;
const GOLDEN_GAMMA = 0x9e3779b97f4a7c15n;
const GAMMA_HI = 0x9e3779b9;
const GAMMA_LO = 0x7f4a7c15;

/** A 64-bit generator: the words of its state, and those of its last output. */
export interface Rng64 {
  stateHi: number;
  stateLo: number;
  hi: number;
  lo: number;
}

function rngOf(state: bigint): Rng64 {
  const word = BigInt.asUintN(64, state);
  return { stateHi: Number(word >> 32n), stateLo: Number(word & 0xffff_ffffn), hi: 0, lo: 0 };
}

/** splitmix64 whose state starts at `seed`, as the TLB streams use it. */
export function makeSplitmix64(seed: bigint): Rng64 {
  return rngOf(seed);
}

/** xorshift64 as `random SEED COUNT` of a workload script starts it: x = SEED · 0x9E3779B97F4A7C15 + 1. */
export function makeXorshift64(seed: bigint): Rng64 {
  return rngOf(seed * GOLDEN_GAMMA + 1n);
}

/** The upper word of the 64-bit product of two words, from four products of half words. */
function productHi(a: number, b: number): number {
  const aHi = a >>> 16;
  const aLo = a & 0xffff;
  const bHi = b >>> 16;
  const bLo = b & 0xffff;
  const middle = aHi * bLo + ((aLo * bLo) >>> 16);
  const carried = aLo * bHi + (middle & 0xffff);
  // `middle` and `carried` are below 2^32: (2^16 - 1)^2 + 2^16 - 1 = 2^32 - 2^16. Their upper halves are
  // shifts.
  return (aHi * bHi + (middle >>> 16) + (carried >>> 16)) >>> 0;
}

/** Moves on and leaves the output in `r.hi`, `r.lo`. */
export function stepSplitmix64(r: Rng64): void {
  const sumLo = r.stateLo + GAMMA_LO;
  const sLo = sumLo >>> 0;
  const sHi = (r.stateHi + GAMMA_HI + (sumLo >= TWO_32 ? 1 : 0)) >>> 0;
  r.stateHi = sHi;
  r.stateLo = sLo;
  let hi = (sHi ^ (sHi >>> 30)) >>> 0;
  let lo = (sLo ^ ((sLo >>> 30) | (sHi << 2))) >>> 0;
  let upper = productHi(lo, 0x1ce4e5b9) + Math.imul(hi, 0x1ce4e5b9) + Math.imul(lo, 0xbf58476d);
  lo = Math.imul(lo, 0x1ce4e5b9) >>> 0;
  hi = upper >>> 0;
  lo = (lo ^ ((lo >>> 27) | (hi << 5))) >>> 0;
  hi = (hi ^ (hi >>> 27)) >>> 0;
  upper = productHi(lo, 0x133111eb) + Math.imul(hi, 0x133111eb) + Math.imul(lo, 0x94d049bb);
  lo = Math.imul(lo, 0x133111eb) >>> 0;
  hi = upper >>> 0;
  r.lo = (lo ^ ((lo >>> 31) | (hi << 1))) >>> 0;
  r.hi = (hi ^ (hi >>> 31)) >>> 0;
}

/** Moves on and leaves the output, which is also the state, in `r.hi`, `r.lo`. */
export function stepXorshift64(r: Rng64): void {
  let hi = r.stateHi;
  let lo = r.stateLo;
  hi ^= (hi << 13) | (lo >>> 19);
  lo ^= lo << 13;
  lo ^= (lo >>> 7) | (hi << 25);
  hi ^= hi >>> 7;
  hi ^= (hi << 17) | (lo >>> 15);
  lo ^= lo << 17;
  r.stateHi = hi >>> 0;
  r.stateLo = lo >>> 0;
  r.hi = r.stateHi;
  r.lo = r.stateLo;
}

/** The last output modulo n, for n up to 2^37: exact, because every step stays below 2^53. */
export function remainder64(r: Rng64, n: number): number {
  const upper = r.hi % n;
  const middle = (upper * 65536 + (r.lo >>> 16)) % n;
  return (middle * 65536 + (r.lo & 0xffff)) % n;
}

/** The upper 53 bits of the last output as a number in [0, 1): (x >> 11) · 2^-53. */
export function unit64(r: Rng64): number {
  return (r.hi * 2 ** 21 + (r.lo >>> 11)) / 2 ** 53;
}

/** The last output as BigInt. For tests and slow paths. */
export function bigOf(r: Rng64): bigint {
  return (BigInt(r.hi) << 32n) | BigInt(r.lo);
}

/** Fills `out` with the pages that `random` touches: successive xorshift64 outputs modulo n. */
export function fillRandomPages(r: Rng64, n: number, out: Uint32Array, count: number): void {
  // Ranges are nearly always a power of two of pages: then the remainder is the low bits.
  const mask = n <= TWO_32 && Number.isInteger(Math.log2(n)) ? n - 1 : -1;
  for (let i = 0; i < count; i++) {
    stepXorshift64(r);
    out[i] = mask >= 0 ? r.lo & mask : remainder64(r, n);
  }
}

/** Fills `out` with the low `bits` bits (up to 32) of successive splitmix64 outputs. */
export function fillSplitmixBits(r: Rng64, bits: number, out: Uint32Array, count: number): void {
  const mask = bits === 32 ? -1 : (1 << bits) - 1;
  for (let i = 0; i < count; i++) {
    stepSplitmix64(r);
    out[i] = r.lo & mask;
  }
}
