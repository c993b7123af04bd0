/**
 * The words of a script's line and what single words mean: sizes, times, addresses, ranges, counts, names.
 * Each reader takes a `Line` at its cursor and fails with the place, what was found and what was expected.
 */
import { UserError } from "../../lib/assert.ts";
import { didYouMean } from "../../lib/suggest.ts";
import type { ByteRange } from "./ast.ts";

export interface Word {
  readonly text: string;
  /** From 1. */
  readonly column: number;
}

/** One line of a script without its comment, and a cursor over its words. */
export interface Line {
  readonly file: string;
  readonly number: number;
  readonly words: readonly Word[];
  /** Column behind the last word: where a missing word would stand. */
  readonly endColumn: number;
  at: number;
}

/** Cuts a line into words; `#` starts a comment. */
export function lineOf(text: string, file: string, number: number): Line {
  const hash = text.indexOf("#");
  const code = hash === -1 ? text : text.slice(0, hash);
  const words: Word[] = [];
  for (const match of code.matchAll(/\S+/g)) words.push({ text: match[0], column: match.index + 1 });
  const last = words.at(-1);
  const endColumn = last === undefined ? 1 : last.column + last.text.length;
  return { file, number, words, endColumn, at: 0 };
}

/** A mistake at a word of the line, or behind its end when there is no such word. */
export function mistake(line: Line, word: Word | undefined, message: string): UserError {
  const column = word === undefined ? line.endColumn : word.column;
  return new UserError(message, { file: line.file, line: line.number, column });
}

/** "expected X, found Y" at the cursor. */
export function expected(line: Line, what: string, candidates: readonly string[] = []): UserError {
  const word = line.words[line.at];
  const found = word === undefined ? "the line ends here" : `found '${word.text}'`;
  const advice = word === undefined ? "" : didYouMean(word.text, candidates);
  return mistake(line, word, `expected ${what}, ${found}${advice}`);
}

/** The word at the cursor, left there. */
export function peek(line: Line): string | undefined {
  return line.words[line.at]?.text;
}

/** Takes the word at the cursor if it is this one. */
export function takeIf(line: Line, text: string): boolean {
  if (peek(line) !== text) return false;
  line.at += 1;
  return true;
}

/** Takes any word. */
export function takeWord(line: Line, what: string): string {
  const word = peek(line);
  if (word === undefined) throw expected(line, what);
  line.at += 1;
  return word;
}

/** Takes one of a closed set of words. */
export function takeOneOf<T extends string>(line: Line, choices: readonly T[], what: string): T {
  const word = peek(line);
  const choice = choices.find((each) => each === word);
  if (choice === undefined) throw expected(line, `${what} (${choices.join(", ")})`, choices);
  line.at += 1;
  return choice;
}

/** Nothing may follow. */
export function endOfLine(line: Line, options: readonly string[] = []): void {
  if (line.at === line.words.length) return;
  const what = options.length === 0 ? "the end of the line" : `${options.join(", ")} or the end of the line`;
  throw expected(line, what, options);
}

const NAME = /^[A-Za-z_][A-Za-z0-9_-]*$/;

/** Takes the name of a region, child or thread. */
export function takeName(line: Line, what: string): string {
  const word = peek(line);
  if (word === undefined || !NAME.test(word)) {
    throw expected(line, `${what} (letters, digits, '_' and '-', a letter first)`);
  }
  line.at += 1;
  return word;
}

/** A whole number of the largest values that a plain number holds exactly. */
function wholeNumber(text: string): number | undefined {
  if (!/^(0x[0-9a-f]+|\d+)$/i.test(text)) return undefined;
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : undefined;
}

/** Takes a whole number of at least `min`. */
export function takeCount(line: Line, what: string, min: number): number {
  const value = wholeNumber(peek(line) ?? "");
  if (value === undefined || value < min) {
    throw expected(line, `${what} (a whole number${min > 0 ? ` of at least ${min}` : ""})`);
  }
  line.at += 1;
  return value;
}

/** Takes a 64-bit seed. */
export function takeSeed(line: Line): bigint {
  const word = peek(line) ?? "";
  if (!/^(0x[0-9a-f]+|\d+)$/i.test(word) || BigInt(word) >= 1n << 64n) {
    throw expected(line, "the seed (a whole number below 2^64)");
  }
  line.at += 1;
  return BigInt(word);
}

const SIZE_UNITS: Readonly<Record<string, number>> = {
  "": 1,
  K: 2 ** 10,
  M: 2 ** 20,
  G: 2 ** 30,
  T: 2 ** 40,
};

/** The bytes that `4096`, `64K`, `2M`, `1G` mean, or undefined. */
export function parseSize(text: string): number | undefined {
  const match = /^(\d+)([KMGT]?)$/i.exec(text);
  if (match === null) return undefined;
  const bytes = Number(match[1]) * SIZE_UNITS[match[2]!.toUpperCase()]!;
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}

const TIME_UNITS: Readonly<Record<string, number>> = { us: 1_000, ms: 1_000_000, s: 1_000_000_000 };

/** The nanoseconds that `500us`, `20ms`, `3s` mean, or undefined. */
export function parseTime(text: string): number | undefined {
  const match = /^(\d+)(us|ms|s)$/.exec(text);
  if (match === null) return undefined;
  const ns = Number(match[1]) * TIME_UNITS[match[2]!]!;
  return Number.isSafeInteger(ns) ? ns : undefined;
}

const SIZE_HELP = "(such as 4096, 64K, 2M or 1G)";

/** Takes a size of at least `min` bytes. */
export function takeSize(line: Line, what: string, min = 0): number {
  const bytes = parseSize(peek(line) ?? "");
  if (bytes === undefined) throw expected(line, `${what} ${SIZE_HELP}`);
  if (bytes < min) throw expected(line, `${what} of at least ${min} bytes`);
  line.at += 1;
  return bytes;
}

/** Takes a time. */
export function takeTime(line: Line, what: string): number {
  const ns = parseTime(peek(line) ?? "");
  if (ns === undefined) throw expected(line, `${what} (such as 500us, 20ms or 3s)`);
  line.at += 1;
  return ns;
}

/** Takes an address: hexadecimal, below 2^48. */
export function takeAddress(line: Line): number {
  const word = peek(line) ?? "";
  const address = /^0x[0-9a-f]+$/i.test(word) ? Number(word) : Number.NaN;
  if (!(address < 2 ** 48)) throw expected(line, "an address (0x… below 2^48)");
  line.at += 1;
  return address;
}

/**
 * Takes `FROM..TO` or `FROM..` if the word at the cursor is meant as a range; undefined is the whole region.
 */
export function takeRange(line: Line): ByteRange | undefined {
  const word = peek(line);
  if (word === undefined || !/^\d/.test(word)) return undefined;
  const match = /^([^.]+)\.\.([^.]*)$/.exec(word);
  const from = match === null ? undefined : parseSize(match[1]!);
  const to = match === null || match[2] === "" ? undefined : parseSize(match[2]!);
  const bad = from === undefined || (match![2] !== "" && to === undefined);
  if (bad) throw expected(line, "a range FROM..TO (such as 0..2M, or 1M.. for the rest)");
  if (to !== undefined && to < from) throw expected(line, "a range that does not end before it begins");
  line.at += 1;
  return { from, to };
}
