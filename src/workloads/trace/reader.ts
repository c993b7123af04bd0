/**
 * Reads the trace store: block by block, each checked against its hash before a byte of it is believed.
 */
import { UserError } from "../../lib/assert.ts";
import {
  makeRefBatch,
  type RefBatch,
  type TraceEvent,
  type TraceHeader,
  type TraceReader,
  type TraceRegions,
  type TraceThread,
} from "../records.ts";
import { type ByteCursor, decodeUtf8, takeString, takeVarint } from "./bytes.ts";
import { decodeRecords } from "./decode.ts";
import {
  BATCH_RECORDS_MAX,
  BLOCK,
  BLOCK_BYTES_MAX,
  BLOCK_HEAD_BYTES,
  CODEC,
  type CodecName,
  enterBlock,
  FORMAT_VERSION,
  ITEM,
  MAGIC,
  makeRecordState,
  type RecordState,
  type TraceTotals,
  takeEvent,
} from "./format.ts";
import { type Hash64, hash64 } from "./hash.ts";

/** Bytes of a file, from its start, in pieces of any size; undefined at the end. */
export interface ByteSource {
  read(): Uint8Array | undefined;
}

/** Decompression for the codecs that a face has. The result has exactly `rawBytes` bytes. */
export type Decompressors = Partial<
  Record<Exclude<CodecName, "none">, (bytes: Uint8Array, rawBytes: number) => Uint8Array>
>;

export interface StoreReader extends TraceReader {
  /** What the end block said; undefined until `next` has answered undefined. */
  readonly totals: TraceTotals | undefined;
  /**
   * Of a trace that is opened to save what there is: why it ended early; undefined until `next` found out.
   */
  readonly cutOff: string | undefined;
}

export interface OpenTraceOptions {
  /**
   * A file that ends too early is read up to its last whole block instead of being refused: what a recorder
   * leaves that was killed.
   */
  readonly salvage?: boolean;
}

interface ReaderState {
  readonly source: ByteSource;
  readonly decompressors: Decompressors;
  readonly file: string | undefined;
  /** Bytes read from the source and not yet used. */
  pending: Uint8Array;
  /** Offset of `pending` in the file. */
  offset: number;
  blockNumber: number;
  hash: Hash64;
  readonly cursor: ByteCursor;
  readonly threads: TraceThread[];
  readonly states: RecordState[];
  readonly regions: TraceRegions;
  readonly batch: RefBatch;
  /** The batch's records go on: it was longer than the columns. */
  batchGoesOn: boolean;
  totals: TraceTotals | undefined;
  readonly salvage: boolean;
  cutOff: string | undefined;
}

/** Opens a trace: reads its header at once, everything else as `next` asks for it. */
export function openTrace(
  input: Uint8Array | ByteSource,
  decompressors: Decompressors = {},
  file?: string,
  options: OpenTraceOptions = {},
): StoreReader {
  const r: ReaderState = {
    source: input instanceof Uint8Array ? onePiece(input) : input,
    decompressors,
    file,
    pending: new Uint8Array(0),
    offset: 0,
    blockNumber: 0,
    hash: { low: 0, high: 0 },
    cursor: { bytes: new Uint8Array(0), at: 0, end: 0 },
    threads: [],
    states: [],
    regions: { count: 0, process: new Int32Array(64), region: new Float64Array(64) },
    batch: makeRefBatch(BATCH_RECORDS_MAX),
    batchGoesOn: false,
    totals: undefined,
    salvage: options.salvage === true,
    cutOff: undefined,
  };
  readMagic(r);
  const first = readBlock(r);
  if (first === undefined) throw cutError(r, r.cutOff!);
  if (first.type !== BLOCK.HEADER) fail(r, "the first block is not a header");
  const header = parseJson(r, first.contents) as TraceHeader;
  return {
    header,
    threads: r.threads,
    regions: r.regions,
    get totals() {
      return r.totals;
    },
    get cutOff() {
      return r.cutOff;
    },
    next: () => nextItem(r),
  };
}

function onePiece(bytes: Uint8Array): ByteSource {
  let given = false;
  return {
    read() {
      if (given) return undefined;
      given = true;
      return bytes;
    },
  };
}

function fail(r: ReaderState, message: string, byteOffset = r.offset): never {
  throw new UserError(message, r.file === undefined ? { byteOffset } : { file: r.file, byteOffset });
}

/** The next `count` bytes of the file, or fewer at its end. */
function takeBytes(r: ReaderState, count: number): Uint8Array {
  while (r.pending.length < count) {
    const more = r.source.read();
    if (more === undefined) break;
    if (r.pending.length === 0) {
      r.pending = more;
      continue;
    }
    const joined = new Uint8Array(r.pending.length + more.length);
    joined.set(r.pending);
    joined.set(more, r.pending.length);
    r.pending = joined;
  }
  const taken = r.pending.subarray(0, count);
  r.pending = r.pending.subarray(taken.length);
  r.offset += taken.length;
  return taken;
}

function readMagic(r: ReaderState): void {
  const found = takeBytes(r, MAGIC.length);
  if (found.length >= 3 && found[0] === MAGIC[0] && found[1] === MAGIC[1] && found[2] === MAGIC[2]) {
    const version = found[3];
    if (version !== undefined && version !== FORMAT_VERSION) {
      fail(r, `a trace of format version ${version}; this program reads version ${FORMAT_VERSION}`, 3);
    }
  }
  for (let i = 0; i < MAGIC.length; i++) {
    if (found[i] !== MAGIC[i]) fail(r, "not a Pagewise trace: it does not begin with the magic bytes", i);
  }
}

function cutError(r: ReaderState, what: string): UserError {
  const place = r.file === undefined ? {} : { file: r.file };
  return new UserError(`the trace is ${what} ("pagewise import" saves what stands before)`, {
    ...place,
    byteOffset: r.offset,
  });
}

/** The file ends too early. */
function cutShort(r: ReaderState, missing: string): undefined {
  const what = `cut off in block ${r.blockNumber}: ${missing}`;
  if (!r.salvage) throw cutError(r, what);
  r.cutOff = what;
  return undefined;
}

/**
 * One block, checked. Its hash starts from the hash of the blocks before it. Undefined: the file is cut off,
 * and is being saved.
 */
function readBlock(r: ReaderState): { type: number; contents: Uint8Array } | undefined {
  const at = r.offset;
  const head = takeBytes(r, BLOCK_HEAD_BYTES).slice();
  if (head.length < BLOCK_HEAD_BYTES) return cutShort(r, "its end block is missing");
  const view = new DataView(head.buffer, head.byteOffset);
  const type = head[0]!;
  const rawBytes = view.getUint32(4, true);
  const storedBytes = view.getUint32(8, true);
  const known = type === BLOCK.HEADER || type === BLOCK.DATA || type === BLOCK.END;
  if (
    !known ||
    head[2] !== 0 ||
    head[3] !== 0 ||
    rawBytes > BLOCK_BYTES_MAX ||
    storedBytes > BLOCK_BYTES_MAX
  ) {
    fail(r, `block ${r.blockNumber} is damaged: its head makes no sense`, at);
  }
  const stored = takeBytes(r, storedBytes);
  if (stored.length < storedBytes) {
    return cutShort(r, `${storedBytes - stored.length} of its ${storedBytes} bytes are missing`);
  }
  const contents = unpack(r, head[1]!, stored, rawBytes, at);
  const hash = hash64(contents, r.hash);
  if (hash.low !== view.getUint32(12, true) || hash.high !== view.getUint32(16, true)) {
    fail(r, `block ${r.blockNumber} is damaged: its contents do not match its hash`, at);
  }
  r.hash = hash;
  r.blockNumber++;
  return { type, contents };
}

function unpack(r: ReaderState, codec: number, stored: Uint8Array, rawBytes: number, at: number): Uint8Array {
  if (codec === CODEC.none) {
    if (stored.length !== rawBytes) fail(r, `block ${r.blockNumber} is damaged: its head makes no sense`, at);
    return stored;
  }
  const name = codec === CODEC.gzip ? "gzip" : codec === CODEC.zstd ? "zstd" : undefined;
  if (name === undefined) fail(r, `block ${r.blockNumber} uses codec ${codec}, which nobody defined`, at);
  const decompress = r.decompressors[name];
  if (decompress === undefined)
    fail(
      r,
      `block ${r.blockNumber} is ${name}-compressed, which this program has no decompressor for here`,
      at,
    );
  let contents: Uint8Array;
  try {
    contents = decompress(stored, rawBytes);
  } catch {
    // Whatever the decompressor says, the reason is that the block is not what was written.
    return fail(r, `block ${r.blockNumber} is damaged: it does not decompress`, at);
  }
  if (contents.length !== rawBytes) fail(r, `block ${r.blockNumber} is damaged: it has the wrong length`, at);
  return contents;
}

function parseJson(r: ReaderState, contents: Uint8Array): unknown {
  try {
    return JSON.parse(decodeUtf8(contents, 0, contents.length));
  } catch {
    return fail(r, `block ${r.blockNumber - 1} is not the JSON text that it should be`);
  }
}

/** Goes to the next data block; false at the end of the trace. */
function nextBlock(r: ReaderState): boolean {
  const block = readBlock(r);
  if (block === undefined) return false;
  const { type, contents } = block;
  if (type === BLOCK.HEADER) fail(r, `block ${r.blockNumber - 1} is a second header`);
  if (type === BLOCK.END) {
    r.totals = parseJson(r, contents) as TraceTotals;
    if (takeBytes(r, 1).length > 0) fail(r, "bytes follow the end of the trace", r.offset - 1);
    return false;
  }
  r.cursor.bytes = contents;
  r.cursor.at = 0;
  r.cursor.end = contents.length;
  return true;
}

function nextItem(r: ReaderState): RefBatch | TraceEvent | undefined {
  const c = r.cursor;
  if (r.batchGoesOn && readBatch(r).length > 0) return r.batch;
  for (;;) {
    if (r.totals !== undefined || r.cutOff !== undefined) return undefined;
    if (c.at >= c.end) {
      if (!nextBlock(r)) return undefined;
      continue;
    }
    const item = c.bytes[c.at++]!;
    if (item === ITEM.BATCH) {
      const thread = takeVarint(c);
      if (thread >= r.threads.length)
        fail(r, `block ${r.blockNumber - 1} names thread ${thread} before it exists`);
      r.batch.thread = thread;
      enterBlock(r.states[thread]!, r.blockNumber - 1);
      const batch = readBatch(r);
      if (batch.length > 0) return batch;
    } else if (item === ITEM.EVENT) {
      const event = takeEvent(c);
      if (event === undefined || c.at > c.end) fail(r, `block ${r.blockNumber - 1} holds an unknown event`);
      return event;
    } else if (item === ITEM.THREAD) readThread(r);
    else if (item === ITEM.SLOT) readSlot(r);
    else fail(r, `block ${r.blockNumber - 1} holds an unknown item ${item}`);
  }
}

function readBatch(r: ReaderState): RefBatch {
  const c = r.cursor;
  r.batchGoesOn = decodeRecords(c, r.states[r.batch.thread]!, r.batch);
  if (c.at > c.end || (r.batchGoesOn && c.at === c.end)) {
    fail(r, `block ${r.blockNumber - 1} ends inside a batch`);
  }
  return r.batch;
}

function readThread(r: ReaderState): void {
  const c = r.cursor;
  const pid = takeVarint(c);
  const tid = takeVarint(c);
  const process = takeVarint(c);
  r.threads.push({ index: r.threads.length, pid, tid, process, name: takeString(c) });
  r.states.push(makeRecordState());
}

function readSlot(r: ReaderState): void {
  const g = r.regions;
  if (g.count === g.process.length) {
    const process = new Int32Array(g.count * 2);
    process.set(g.process);
    const region = new Float64Array(g.count * 2);
    region.set(g.region);
    g.process = process;
    g.region = region;
  }
  g.process[g.count] = takeVarint(r.cursor);
  g.region[g.count] = takeVarint(r.cursor);
  g.count++;
}
