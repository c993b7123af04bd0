/**
 * Texts to import, from files or standard input, plain or compressed: what they are shows in their first
 * bytes. A stream that ends in the middle of its compression is given up to there, and says so.
 */
import { createReadStream } from "node:fs";
import type { Readable } from "node:stream";
import zlib from "node:zlib";
import { UserError } from "../lib/assert.ts";
import type { CodecName } from "../workloads/trace/format.ts";
import type { Decompressors } from "../workloads/trace/reader.ts";

/** The name of standard input on the command line. */
export const STDIN_NAME = "-";

export interface Input {
  /** For messages. */
  readonly name: string;
  /** Up to `headBytes` of what the input begins with, decompressed. */
  readonly head: Uint8Array;
  /** All of it, head included. Can be walked once. */
  readonly pieces: AsyncIterable<Uint8Array>;
  /** Why the input ended too early, once it has been walked; undefined when it did not. */
  cutOff(): string | undefined;
}

const GZIP = [0x1f, 0x8b];
const ZSTD = [0x28, 0xb5, 0x2f, 0xfd];
const PIECE_BYTES = 1 << 20;

type Decompressor = zlib.Gunzip | zlib.ZstdDecompress;

/** Node has zstd from 22.15 on; what needs none of it runs on older ones too. */
export const hasZstd = typeof zlib.createZstdDecompress === "function";

function demandZstd(): void {
  if (hasZstd) return;
  throw new UserError(
    `zstd compression needs Node 22.15 or newer, this is ${process.versions.node}: use gzip, or that Node`,
  );
}

/** What the store's blocks are packed and unpacked with. */
export const DECOMPRESSORS: Decompressors = {
  gzip: (bytes) => zlib.gunzipSync(bytes),
  ...(hasZstd ? { zstd: (bytes: Uint8Array) => zlib.zstdDecompressSync(bytes) } : {}),
};

export const COMPRESSORS: Readonly<Record<Exclude<CodecName, "none">, (bytes: Uint8Array) => Uint8Array>> = {
  gzip: (bytes) => zlib.gzipSync(bytes, { level: 6 }),
  zstd: (bytes) => {
    demandZstd();
    return zlib.zstdCompressSync(bytes);
  },
};

/** How a trace is packed that is kept in memory for a while: with the faster one, if it is there. */
export const MEMORY_PACKING = hasZstd
  ? ({ codec: "zstd", compress: COMPRESSORS.zstd } as const)
  : ({ codec: "gzip", compress: COMPRESSORS.gzip } as const);

/** Opens a file, or standard input for "-". */
export async function openInput(path: string, headBytes: number): Promise<Input> {
  const name = path === STDIN_NAME ? "stdin" : path;
  const raw: Readable =
    path === STDIN_NAME ? process.stdin : createReadStream(path, { highWaterMark: PIECE_BYTES });
  const state = { cutOff: undefined as string | undefined };
  const pieces = plainPieces(name, raw, state);
  const held: Uint8Array[] = [];
  let bytes = 0;
  while (bytes < headBytes) {
    const piece = await pieces.next();
    if (piece.done === true) break;
    held.push(piece.value);
    bytes += piece.value.length;
  }
  const head = Buffer.concat(held);
  async function* all(): AsyncGenerator<Uint8Array> {
    if (head.length > 0) yield head;
    yield* pieces;
  }
  return { name, head: head.subarray(0, headBytes), pieces: all(), cutOff: () => state.cutOff };
}

async function* plainPieces(
  name: string,
  raw: Readable,
  state: { cutOff: string | undefined },
): AsyncGenerator<Uint8Array> {
  const source = raw[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>;
  let start = Buffer.alloc(0);
  while (start.length < ZSTD.length) {
    const piece = await source.next();
    if (piece.done === true) break;
    start = Buffer.concat([start, piece.value]);
  }
  const undo = decompressorOf(start);
  if (undo === undefined) {
    if (start.length > 0) yield start;
    for (let piece = await source.next(); piece.done !== true; piece = await source.next()) yield piece.value;
    return;
  }
  const codec = compressionOf(start)!;
  // Compressed bytes go in as the decompressor takes them, while its results are being walked.
  void pump(start, source, undo);
  let given = 0;
  try {
    for await (const piece of undo as AsyncIterable<Uint8Array>) {
      given += piece.length;
      yield piece;
    }
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === undefined || !/^(Z_|ZSTD_)/.test(code)) throw error;
    if (given === 0)
      throw new UserError(`damaged: its ${codec} compression does not open (${message})`, { file: name });
    state.cutOff = `its ${codec} compression ends too early or is damaged (${message})`;
  }
}

/** What the bytes are compressed with, by the first of them. */
export function compressionOf(start: Uint8Array): "gzip" | "zstd" | undefined {
  if (beginsWith(start, GZIP)) return "gzip";
  return beginsWith(start, ZSTD) ? "zstd" : undefined;
}

function decompressorOf(start: Uint8Array): Decompressor | undefined {
  const codec = compressionOf(start);
  if (codec === undefined) return undefined;
  if (codec === "gzip") return zlib.createGunzip();
  demandZstd();
  return zlib.createZstdDecompress();
}

async function pump(start: Uint8Array, source: AsyncIterator<Uint8Array>, undo: Decompressor): Promise<void> {
  try {
    for (let piece: Uint8Array | undefined = start; piece !== undefined; ) {
      if (undo.destroyed) return;
      if (!undo.write(piece)) await new Promise((go) => undo.once("drain", go).once("close", go));
      const next: IteratorResult<Uint8Array> = await source.next();
      piece = next.done === true ? undefined : next.value;
    }
    undo.end();
  } catch (error) {
    undo.destroy(error as Error);
  }
}

function beginsWith(bytes: Uint8Array, magic: readonly number[]): boolean {
  return bytes.length >= magic.length && magic.every((byte, i) => bytes[i] === byte);
}
