/** Reading numbers and fields out of the bytes of a line, without making strings. */

/** A place in a line: functions that read move `at`; what could not be read leaves `ok` false. */
export interface Scan {
  bytes: Uint8Array;
  at: number;
  end: number;
  ok: boolean;
}

export function makeScan(): Scan {
  return { bytes: new Uint8Array(0), at: 0, end: 0, ok: true };
}

export const SPACE = 32;

export function isDigit(byte: number): boolean {
  return byte >= 48 && byte <= 57;
}

export function skipSpaces(s: Scan): void {
  while (s.at < s.end && (s.bytes[s.at] === SPACE || s.bytes[s.at] === 9)) s.at++;
}

/** A hexadecimal digit's value, or -1. */
export function hexDigit(byte: number): number {
  if (byte >= 48 && byte <= 57) return byte - 48;
  const letter = byte | 32;
  return letter >= 97 && letter <= 102 ? letter - 87 : -1;
}

/** Hexadecimal digits, with or without 0x. Exact below 2^53; larger values keep their size roughly. */
export function takeHex(s: Scan): number {
  const { bytes, end } = s;
  let at = s.at;
  if (at + 1 < end && bytes[at] === 48 && (bytes[at + 1]! | 32) === 120) at += 2;
  const from = at;
  let value = 0;
  while (at < end) {
    const digit = hexDigit(bytes[at]!);
    if (digit < 0) break;
    value = value * 16 + digit;
    at++;
  }
  if (at === from) s.ok = false;
  s.at = at;
  return value;
}

export function takeDecimal(s: Scan): number {
  const { bytes, end } = s;
  let at = s.at;
  const from = at;
  let value = 0;
  while (at < end && isDigit(bytes[at]!)) value = value * 10 + (bytes[at++]! - 48);
  if (at === from) s.ok = false;
  s.at = at;
  return value;
}

/** A word as bytes, made once: what `takeWord` and `seekField` compare with. */
export function wordOf(text: string): Uint8Array {
  return Uint8Array.from(text, (c) => c.charCodeAt(0));
}

export function startsWith(bytes: Uint8Array, at: number, end: number, word: Uint8Array): boolean {
  if (at + word.length > end) return false;
  for (let i = 0; i < word.length; i++) if (bytes[at + i] !== word[i]) return false;
  return true;
}

/** Goes behind the next occurrence of the word; false, and stays, when there is none. */
export function seekField(s: Scan, word: Uint8Array): boolean {
  const last = s.end - word.length;
  const first = word[0]!;
  for (let at = s.at; at <= last; at++) {
    if (s.bytes[at] === first && startsWith(s.bytes, at, s.end, word)) {
      s.at = at + word.length;
      return true;
    }
  }
  return false;
}

/** The text up to the next space, comma or end, as a string: for cold lines. */
export function takeToken(s: Scan): string {
  let text = "";
  while (s.at < s.end && s.bytes[s.at] !== SPACE && s.bytes[s.at] !== 44) {
    text += String.fromCharCode(s.bytes[s.at++]!);
  }
  return text;
}

/** A 32-bit hash of bytes, for finding a known word quickly. */
export function wordHash(bytes: Uint8Array, start: number, end: number): number {
  let hash = 0x811c9dc5;
  for (let i = start; i < end; i++) hash = Math.imul(hash ^ bytes[i]!, 0x01000193);
  return hash;
}
