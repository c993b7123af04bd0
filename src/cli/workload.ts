/**
 * Opens what the user names: a script, a stored trace, or a text that is imported on the way. What it is shows in its
 * first bytes, not in its name; gzip and zstd are undone first.
 */
import { closeSync, createReadStream, openSync, readFileSync, readSync } from "node:fs";
import { basename } from "node:path";
import { Readable } from "node:stream";
import { createGunzip, createZstdDecompress, gunzipSync, zstdDecompressSync } from "node:zlib";
import { UserError } from "../lib/assert.ts";
import {
  DETECT_BYTES,
  detectFormat,
  type ImportFormat,
  makeImporter,
  unknownFormat,
} from "../workloads/import/detect.ts";
import type { ImportSummary } from "../workloads/import/importer.ts";
import type { TraceReader } from "../workloads/records.ts";
import type { Script } from "../workloads/script/ast.ts";
import { parseScript } from "../workloads/script/parse.ts";
import { type ByteSource, type Decompressors, openTrace } from "../workloads/trace/reader.ts";
import { makeMemoryWriter } from "../workloads/trace/writer.ts";
import { demandFile } from "./host.ts";

export interface ScriptWorkload {
  readonly kind: "script";
  readonly name: string;
  readonly script: Script;
}

export interface TraceWorkload {
  readonly kind: "trace";
  readonly name: string;
  /** Reads the trace from its start; every column of a comparison does. */
  open(): TraceReader;
  /** What was understood only in part; empty when all was. */
  readonly warnings: readonly string[];
}

export type Workload = ScriptWorkload | TraceWorkload;

const STDIN = "-";
const GZIP = [0x1f, 0x8b];
const ZSTD = [0x28, 0xb5, 0x2f, 0xfd];
const startsWith = (bytes: Uint8Array, magic: readonly number[]): boolean =>
  bytes.length >= magic.length && magic.every((byte, i) => bytes[i] === byte);

const DECOMPRESSORS: Decompressors = {
  gzip: (bytes) => gunzipSync(bytes),
  zstd: (bytes) => zstdDecompressSync(bytes),
};

/** The first bytes of a file. */
function headOf(path: string, count: number): Uint8Array {
  const descriptor = openSync(path, "r");
  try {
    const bytes = new Uint8Array(count);
    let length = 0;
    for (let n = 1; n > 0 && length < count; length += n)
      n = readSync(descriptor, bytes, length, count - length, null);
    return bytes.subarray(0, length);
  } finally {
    closeSync(descriptor);
  }
}

/** A file's bytes, piece by piece; closed at its end. */
function fileSource(path: string): ByteSource {
  const descriptor = openSync(path, "r");
  return {
    read() {
      const piece = new Uint8Array(1 << 20);
      const length = readSync(descriptor, piece, 0, piece.length, null);
      if (length > 0) return piece.subarray(0, length);
      closeSync(descriptor);
      return undefined;
    },
  };
}

/** The file as a stream of bytes without its compression. */
function plainStream(path: string): Readable {
  const head = headOf(path, 4);
  const file = createReadStream(path, { highWaterMark: 1 << 20 });
  const undo = startsWith(head, GZIP)
    ? createGunzip()
    : startsWith(head, ZSTD)
      ? createZstdDecompress()
      : undefined;
  if (undo === undefined) return file;
  file.on("error", (error) => undo.destroy(error));
  return file.pipe(undo);
}

/** Standard input, whole: it can be read only once, but each column of a comparison reads the workload again. */
function standardInput(): Uint8Array {
  const bytes = readFileSync(0);
  if (startsWith(bytes, GZIP)) return gunzipSync(bytes);
  return startsWith(bytes, ZSTD) ? zstdDecompressSync(bytes) : bytes;
}

interface Contents {
  readonly head: Uint8Array;
  /** All of it, head included. */
  readonly pieces: AsyncIterable<Uint8Array>;
}

async function contentsOf(path: string): Promise<Contents> {
  if (path === STDIN) {
    const bytes = standardInput();
    return { head: bytes, pieces: Readable.from([bytes]) };
  }
  const pieces = plainStream(path)[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>;
  const held: Uint8Array[] = [];
  for (let bytes = 0; bytes < DETECT_BYTES; ) {
    const piece = await pieces.next();
    if (piece.done === true) break;
    held.push(piece.value);
    bytes += piece.value.length;
  }
  const head = Buffer.concat(held);
  async function* all(): AsyncGenerator<Uint8Array> {
    yield head;
    for (let piece = await pieces.next(); piece.done !== true; piece = await pieces.next()) yield piece.value;
  }
  return { head, pieces: all() };
}

function warningsOf(path: string, summary: ImportSummary): string[] {
  const warnings: string[] = [];
  if (summary.cutOff !== undefined) warnings.push(`${path}: ${summary.cutOff}: replayed up to there`);
  if (summary.unreadableLines > 0) {
    const first = summary.unreadable[0];
    const where = first === undefined ? "" : `; the first is line ${first.line}: expected ${first.expected}`;
    warnings.push(`${path}: ${summary.unreadableLines} lines could not be read${where}`);
  }
  return warnings;
}

async function importText(path: string, format: ImportFormat, contents: Contents): Promise<TraceWorkload> {
  const writer = makeMemoryWriter();
  const importer = makeImporter(format, writer);
  for await (const piece of contents.pieces) importer.push(piece);
  const summary = importer.end();
  writer.end();
  const bytes = writer.bytes();
  return {
    kind: "trace",
    name: basename(path),
    open: () => openTrace(bytes, {}, path),
    warnings: warningsOf(path, summary),
  };
}

/** Text that people write is short, has no zero byte, and says so in its name or its first word. */
function looksLikeScript(path: string, head: Uint8Array): boolean {
  if (path.endsWith(".pw")) return true;
  const text = Buffer.from(head).toString("latin1");
  return /^(\s*(#.*)?\n)*\s*(machine|set|cpu|map)\s/.test(text) && !text.includes("\0");
}

/** Mistakes inside a text are found by parts that do not know the file's name. */
function named(error: unknown, path: string): unknown {
  if (!(error instanceof UserError) || error.place.file !== undefined) return error;
  return new UserError(error.message, { ...error.place, file: path });
}

async function openText(path: string): Promise<Workload> {
  try {
    const contents = await contentsOf(path);
    const format = detectFormat(contents.head);
    if (format === undefined && looksLikeScript(path, contents.head)) {
      return scriptWorkload(path, Buffer.from(contents.head).toString("utf8"));
    }
    if (format === undefined) throw unknownFormat(contents.head, path);
    if (format !== "pwt") return await importText(path, format, contents);
    if (path !== STDIN)
      throw new UserError("a stored trace is compressed inside: decompress this file first");
    return {
      kind: "trace",
      name: "stdin",
      open: () => openTrace(contents.head, DECOMPRESSORS, "stdin"),
      warnings: [],
    };
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    // What zlib says of damaged data is the user's business.
    if (code?.startsWith("Z_") || code?.startsWith("ZSTD_"))
      throw new UserError(`damaged: ${message}`, { file: path });
    throw named(error, path === STDIN ? "stdin" : path);
  }
}

function scriptWorkload(path: string, text: string): ScriptWorkload {
  const file = path === STDIN ? "stdin" : path;
  return { kind: "script", name: basename(file), script: parseScript(text, file) };
}

/** Opens a script or a trace; `-` is standard input. Throws `UserError` when it is neither. */
export async function openWorkload(path: string): Promise<Workload> {
  if (path === STDIN) return openText(path);
  demandFile(path);
  if (path.endsWith(".pw")) return scriptWorkload(path, readFileSync(path, "utf8"));
  if (detectFormat(headOf(path, 16)) !== "pwt") return openText(path);
  const open = (): TraceReader => openTrace(fileSource(path), DECOMPRESSORS, path);
  return { kind: "trace", name: basename(path), open, warnings: [] };
}
