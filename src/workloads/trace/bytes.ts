/** Growing byte buffers and the variable-length numbers of the trace store. */
import { assert } from "../../lib/assert.ts";

/** Bytes being written: `bytes` has room, `length` of them are used. */
export interface ByteBuffer {
  bytes: Uint8Array;
  length: number;
}

export function makeBuffer(capacity: number): ByteBuffer {
  return { bytes: new Uint8Array(capacity), length: 0 };
}

/** Makes room for `more` bytes; doubles, so that growing costs a constant per byte. */
export function reserve(b: ByteBuffer, more: number): void {
  if (b.length + more <= b.bytes.length) return;
  const grown = new Uint8Array(Math.max(b.bytes.length * 2, b.length + more));
  grown.set(b.bytes.subarray(0, b.length));
  b.bytes = grown;
}

export function putByte(b: ByteBuffer, value: number): void {
  reserve(b, 1);
  b.bytes[b.length++] = value;
}

export function putBytes(b: ByteBuffer, from: Uint8Array): void {
  reserve(b, from.length);
  b.bytes.set(from, b.length);
  b.length += from.length;
}

/**
 * A whole number from 0 to 2^53 − 1, seven bits a byte, low bits first; the top bit says that more follow.
 */
export function putVarint(b: ByteBuffer, value: number): void {
  assert(value >= 0 && value <= Number.MAX_SAFE_INTEGER, "a varint is a whole number from 0 to 2^53 - 1");
  reserve(b, 8);
  while (value >= 128) {
    b.bytes[b.length++] = (value % 128) | 128;
    value = Math.floor(value / 128);
  }
  b.bytes[b.length++] = value;
}

/** Four bytes, low first. */
export function putU32(b: ByteBuffer, value: number): void {
  reserve(b, 4);
  for (let shift = 0; shift < 32; shift += 8) b.bytes[b.length++] = value >>> shift;
}

/** UTF-8 text with its length in bytes before it. */
export function putString(b: ByteBuffer, text: string): void {
  const bytes = encodeUtf8(text);
  putVarint(b, bytes.length);
  putBytes(b, bytes);
}

/** Bytes being read. Reading past `end` gives zeros; who reads checks `at <= end` afterwards. */
export interface ByteCursor {
  bytes: Uint8Array;
  at: number;
  end: number;
}

export function takeVarint(c: ByteCursor): number {
  let value = 0;
  let scale = 1;
  for (let i = 0; i < 8; i++) {
    const byte = c.at < c.end ? c.bytes[c.at]! : 0;
    c.at++;
    value += (byte & 127) * scale;
    if (byte < 128) break;
    scale *= 128;
  }
  return value;
}

export function takeString(c: ByteCursor): string {
  const length = takeVarint(c);
  const text = decodeUtf8(c.bytes, c.at, Math.min(c.at + length, c.end));
  c.at += length;
  return text;
}

/** UTF-8 by hand: the pure folders know no TextEncoder. A lone surrogate becomes U+FFFD. */
export function encodeUtf8(text: string): Uint8Array {
  const out: number[] = [];
  for (const character of text) {
    let code = character.codePointAt(0)!;
    if (code >= 0xd800 && code <= 0xdfff) code = 0xfffd;
    if (code < 0x80) out.push(code);
    else if (code < 0x800) out.push(0xc0 | (code >> 6), 0x80 | (code & 63));
    else if (code < 0x10000) out.push(0xe0 | (code >> 12), 0x80 | ((code >> 6) & 63), 0x80 | (code & 63));
    else {
      out.push(0xf0 | (code >> 18), 0x80 | ((code >> 12) & 63));
      out.push(0x80 | ((code >> 6) & 63), 0x80 | (code & 63));
    }
  }
  return Uint8Array.from(out);
}

/** UTF-8 from bytes; what is not UTF-8 becomes U+FFFD, so that any log line can be shown. */
export function decodeUtf8(bytes: Uint8Array, from: number, to: number): string {
  let text = "";
  for (let i = from; i < to; ) {
    const first = bytes[i]!;
    const size = first < 0x80 ? 1 : first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc2 ? 2 : 0;
    let code = size === 0 ? -1 : size === 1 ? first : first & (0xff >> (size + 1));
    for (let k = 1; k < size && code >= 0; k++) {
      const next = i + k < to ? bytes[i + k]! : 0;
      code = (next & 0xc0) === 0x80 ? code * 64 + (next & 63) : -1;
    }
    const valid = code >= 0 && code <= 0x10ffff && !(code >= 0xd800 && code <= 0xdfff);
    text += valid ? String.fromCodePoint(code) : "\ufffd";
    i += valid ? size : 1;
  }
  return text;
}
