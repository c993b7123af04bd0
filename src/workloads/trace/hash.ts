/**
 * A 64-bit hash for content: two pairs of 32-bit lanes of multiply and rotate, mixed at the end. It detects
 * damage and names a trace; it is no protection against forgery. Defined byte by byte in
 * docs/trace-format.md.
 */

export interface Hash64 {
  readonly low: number;
  readonly high: number;
}

const P1 = 0x9e3779b1;
const P2 = 0x85ebca77;
const P3 = 0xc2b2ae3d;
const P4 = 0x27d4eb2f;

function mix(x: number): number {
  x = Math.imul(x ^ (x >>> 15), P2);
  x = Math.imul(x ^ (x >>> 13), P3);
  return x ^ (x >>> 16);
}

/** Hashes bytes, starting from another hash: chaining block hashes gives the hash of the whole. */
export function hash64(bytes: Uint8Array, seed: Hash64 = { low: 0, high: 0 }): Hash64 {
  let a = (seed.low + P1) | 0;
  let b = (seed.high + P2) | 0;
  let c = (seed.low ^ P3) | 0;
  let d = (seed.high ^ P4) | 0;
  const n = bytes.length;
  const view = new DataView(bytes.buffer, bytes.byteOffset, n);
  let i = 0;
  for (; i + 16 <= n; i += 16) {
    a = Math.imul(a ^ view.getInt32(i, true), P1);
    b = Math.imul(b ^ view.getInt32(i + 4, true), P2);
    c = Math.imul(c ^ view.getInt32(i + 8, true), P3);
    d = Math.imul(d ^ view.getInt32(i + 12, true), P1);
    a ^= a >>> 15;
    b ^= b >>> 13;
    c ^= c >>> 14;
    d ^= d >>> 16;
  }
  for (; i < n; i++) {
    a = Math.imul(a ^ bytes[i]!, P1);
    a = (a << 11) | (a >>> 21);
  }
  const low = mix(a ^ ((b << 7) | (b >>> 25)) ^ Math.imul(n, P3));
  const high = mix(c ^ ((d << 9) | (d >>> 23)) ^ Math.imul(low, P4));
  return { low: (low ^ mix(high + b)) >>> 0, high: high >>> 0 };
}

/** Sixteen hexadecimal digits. */
export function hashText(hash: Hash64): string {
  return hash.high.toString(16).padStart(8, "0") + hash.low.toString(16).padStart(8, "0");
}
