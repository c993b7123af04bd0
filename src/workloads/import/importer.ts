/**
 * Importers are push parsers over bytes: a face feeds chunks of a text of any length, the importer writes
 * items to a sink. Nothing is kept but the rest of a line that a chunk cut in two.
 */
import { UserError } from "../../lib/assert.ts";
import { decodeUtf8 } from "../trace/bytes.ts";

/** A line that an importer could not read. */
export interface UnreadableLine {
  readonly line: number;
  readonly byteOffset: number;
  /** What stands there, shortened. */
  readonly found: string;
  readonly expected: string;
}

export interface ImportSummary {
  readonly format: string;
  readonly lines: number;
  /**
   * Lines that meant nothing to the model (other events, headers): expected, and counted by what they were.
   */
  readonly ignored: Readonly<Record<string, number>>;
  readonly unreadableLines: number;
  /** The first few of them. */
  readonly unreadable: readonly UnreadableLine[];
  readonly records: number;
  readonly events: number;
  /** Why the importer believes that the text was cut off, or undefined. */
  readonly cutOff: string | undefined;
  /** What people should know of how the text was understood. */
  readonly notes: readonly string[];
}

export interface Importer {
  push(chunk: Uint8Array): void;
  /** Throws `UserError` when nothing was understood. Does not end the sink. */
  end(): ImportSummary;
}

/** Takes one line: bytes from `start` to `end`, without its line end. */
export type LineTaker = (bytes: Uint8Array, start: number, end: number) => void;

/** Cuts chunks into lines. `line` and `byteOffset` say where the line being taken stands. */
export interface LineFeed {
  line: number;
  byteOffset: number;
  carry: Uint8Array;
}

export function makeLineFeed(): LineFeed {
  return { line: 0, byteOffset: 0, carry: new Uint8Array(0) };
}

const NEWLINE = 10;

/** Lines longer than this are not lines; a binary file has been given. */
const LINE_BYTES_MAX = 1 << 20;

export function feedLines(feed: LineFeed, chunk: Uint8Array, take: LineTaker): void {
  let at = 0;
  if (feed.carry.length > 0) {
    const newline = chunk.indexOf(NEWLINE);
    const joined = joinBytes(feed.carry, chunk.subarray(0, newline < 0 ? chunk.length : newline + 1));
    if (newline < 0) {
      feed.carry = joined;
      if (joined.length > LINE_BYTES_MAX) tooLong(feed);
      return;
    }
    feed.carry = new Uint8Array(0);
    takeLine(feed, joined, 0, joined.length - 1, take);
    at = newline + 1;
  }
  for (;;) {
    const newline = chunk.indexOf(NEWLINE, at);
    if (newline < 0) break;
    takeLine(feed, chunk, at, newline, take);
    at = newline + 1;
  }
  feed.carry = chunk.slice(at);
  if (feed.carry.length > LINE_BYTES_MAX) tooLong(feed);
}

function takeLine(feed: LineFeed, bytes: Uint8Array, start: number, end: number, take: LineTaker): void {
  feed.line++;
  take(bytes, start, end > start && bytes[end - 1] === 13 ? end - 1 : end);
  feed.byteOffset += end + 1 - start;
}

function tooLong(feed: LineFeed): never {
  throw new UserError("a line of more than a megabyte: this is not a text that this program can import", {
    line: feed.line + 1,
    byteOffset: feed.byteOffset,
  });
}

export function joinBytes(a: Uint8Array, b: Uint8Array): Uint8Array {
  const joined = new Uint8Array(a.length + b.length);
  joined.set(a);
  joined.set(b, a.length);
  return joined;
}

/** Keeps the books of an import: what was ignored, what could not be read. */
export interface ImportLog {
  readonly feed: LineFeed;
  readonly ignored: Map<string, number>;
  readonly unreadable: UnreadableLine[];
  unreadableLines: number;
  understoodLines: number;
  readonly notes: string[];
}

export function makeImportLog(feed: LineFeed): ImportLog {
  return { feed, ignored: new Map(), unreadable: [], unreadableLines: 0, understoodLines: 0, notes: [] };
}

/** Unreadable lines that a summary shows. */
const UNREADABLE_SHOWN = 5;

export function noteIgnored(log: ImportLog, what: string): void {
  log.ignored.set(what, (log.ignored.get(what) ?? 0) + 1);
}

export function noteUnreadable(
  log: ImportLog,
  bytes: Uint8Array,
  start: number,
  end: number,
  expected: string,
): void {
  log.unreadableLines++;
  if (log.unreadable.length >= UNREADABLE_SHOWN) return;
  const text = decodeUtf8(bytes, start, Math.min(end, start + 80));
  // Control characters would act on the terminal that shows the message.
  const found = Array.from(text, (c) => (c < " " || (c >= "\x7f" && c < "\xa0") ? "\ufffd" : c)).join("");
  log.unreadable.push({
    line: log.feed.line,
    byteOffset: log.feed.byteOffset,
    found: end - start > 80 ? found + "…" : found,
    expected,
  });
}

/** Why a text whose last line has no end is cut off; undefined when it has one. */
export function unendedLine({ carry, byteOffset }: LineFeed): string | undefined {
  if (carry.length === 0) return undefined;
  return `the last line has no line end: ${carry.length} bytes from byte ${byteOffset} on are left out`;
}

/** The summary's common part; throws when no line meant anything. */
export function summarize(
  log: ImportLog,
  format: string,
  counts: { readonly records: number; readonly events: number; readonly cutOff: string | undefined },
): ImportSummary {
  if (log.understoodLines === 0) {
    const first = log.unreadable[0];
    if (first === undefined) throw new UserError(`no ${format} text: nothing in it can be understood`);
    throw new UserError(
      `no line of this can be understood as ${format}; found "${first.found}", expected ${first.expected}`,
      { line: first.line, byteOffset: first.byteOffset },
    );
  }
  return {
    format,
    lines: log.feed.line,
    ignored: Object.fromEntries([...log.ignored].sort(([a], [b]) => (a < b ? -1 : 1))),
    unreadableLines: log.unreadableLines,
    unreadable: log.unreadable,
    notes: log.notes,
    ...counts,
  };
}

/** A text of which each line says something by itself. */
export interface LineText {
  readonly format: string;
  /** Where its items go; knows how many there are. */
  readonly r: { readonly records: number; readonly events: number };
  /** What a line looks like that can be read. */
  readonly expected: string;
  /** What lines are that say nothing about memory. */
  readonly ignoredAs: string;
  readonly note: string;
  /** True: understood. False: cannot be read. Undefined: says nothing about memory. */
  take(line: string): boolean | undefined;
  /** Called behind the last line. */
  finish?(): void;
}

export function makeTextImporter(text: LineText): Importer {
  const feed = makeLineFeed();
  const log = makeImportLog(feed);
  log.notes.push(text.note);
  const take = (bytes: Uint8Array, start: number, end: number): void => {
    const understood = text.take(decodeUtf8(bytes, start, end));
    if (understood === undefined) noteIgnored(log, text.ignoredAs);
    else if (understood) log.understoodLines++;
    else noteUnreadable(log, bytes, start, end, text.expected);
  };
  return {
    push: (chunk) => feedLines(feed, chunk, take),
    end() {
      text.finish?.();
      const { records, events } = text.r;
      return summarize(log, text.format, { records, events, cutOff: unendedLine(feed) });
    },
  };
}
