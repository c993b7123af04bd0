/**
 * Writes the trace store: takes items from an importer or generator, codes them into blocks, hands finished
 * bytes on.
 *
 *     reference / event ──▶ item bytes ──▶ block (256 KiB) ──▶ hash, compress ──▶ `write`
 *
 * Memory stays bounded: one block and one small state for each thread.
 */
import { assert } from "../../lib/assert.ts";
import { REF, type TraceEvent, type TraceHeader, type TraceThread } from "../records.ts";
import { type ByteBuffer, encodeUtf8, makeBuffer, putByte, putString, putU32, putVarint } from "./bytes.ts";
import {
  BATCH_RECORDS_MAX,
  BLOCK,
  BLOCK_BYTES,
  CODEC,
  type CodecName,
  enterBlock,
  ITEM,
  MAGIC,
  makeRecordState,
  putEvent,
  type RecordingEnd,
  type RecordState,
  TAG,
  type TraceTotals,
  UNKNOWN_HEADER,
} from "./format.ts";
import { type Hash64, hash64, hashText } from "./hash.ts";
import type { TraceSink } from "./sink.ts";

export interface WriterOptions {
  /** Takes the file's bytes in order; each call's bytes are its own. */
  readonly write: (bytes: Uint8Array) => void;
  readonly codec?: CodecName;
  /** Needed unless the codec is "none". */
  readonly compress?: (bytes: Uint8Array) => Uint8Array;
  /** Contents of a block, before compression. Tests use small ones. */
  readonly blockBytes?: number;
}

export interface TraceWriter extends TraceSink {
  /** Writes what there is by now as a block: whoever is killed after it has lost nothing before it. */
  flush(): void;
  /** Writes the last block and the end block. Nothing may follow. */
  end(recorded?: RecordingEnd): TraceTotals;
  /**
   * After a `write` that threw: ends the trace behind the last block that was taken. What came later is left
   * out, of the totals too.
   */
  abandon(recorded?: RecordingEnd): TraceTotals;
}

/** Longest record: tag, four bytes of page, flags, three varints of 32 bits. */
const RECORD_BYTES_MAX = 1 + 4 + 1 + 3 * 5;

const NOTHING_TAKEN: TraceTotals = {
  records: 0,
  reads: 0,
  writes: 0,
  executed: 0,
  events: 0,
  threads: 0,
  slots: 0,
  rawBytes: 0,
  hash: hashText({ low: 0, high: 0 }),
};

interface WriterState {
  readonly options: WriterOptions;
  readonly blockBytes: number;
  header: TraceHeader;
  started: boolean;
  ended: boolean;
  readonly block: ByteBuffer;
  blockNumber: number;
  hash: Hash64;
  readonly states: RecordState[];
  /** Thread of the open batch, or -1. */
  openThread: number;
  openRecords: number;
  threads: number;
  slots: number;
  records: number;
  reads: number;
  writes: number;
  executed: number;
  events: number;
  rawBytes: number;
  /** The counts when the last block had been taken. */
  taken: TraceTotals;
}

export function makeTraceWriter(options: WriterOptions): TraceWriter {
  const w: WriterState = {
    options,
    blockBytes: options.blockBytes ?? BLOCK_BYTES,
    header: UNKNOWN_HEADER,
    started: false,
    ended: false,
    block: makeBuffer((options.blockBytes ?? BLOCK_BYTES) + 4096),
    blockNumber: 0,
    hash: { low: 0, high: 0 },
    states: [],
    openThread: -1,
    openRecords: 0,
    threads: 0,
    slots: 0,
    records: 0,
    reads: 0,
    writes: 0,
    executed: 0,
    events: 0,
    rawBytes: 0,
    taken: NOTHING_TAKEN,
  };
  return {
    describe(header) {
      if (w.started) return false;
      w.header = { ...w.header, ...header };
      return true;
    },
    thread: (thread) => writeThread(w, thread),
    slot: (process, region) => writeSlot(w, process, region),
    reference: (thread, page, kind, reads, writes, gap) =>
      writeReference(w, thread, page, kind, reads, writes, gap),
    event: (event) => writeEvent(w, event),
    flush() {
      betweenItems(w);
      if (w.block.length > 0) flushBlock(w);
    },
    end: (recorded) => writeEnd(w, recorded),
    abandon: (recorded) => abandon(w, recorded),
  };
}

/** Ends the open batch and, when the block is full, the block: between items only. */
function betweenItems(w: WriterState): void {
  assert(!w.ended, "nothing is written after the end of a trace");
  if (w.openThread >= 0) {
    putByte(w.block, TAG.END);
    w.openThread = -1;
  }
  if (w.block.length >= w.blockBytes) flushBlock(w);
}

function writeThread(w: WriterState, thread: Omit<TraceThread, "index">): number {
  betweenItems(w);
  putByte(w.block, ITEM.THREAD);
  putVarint(w.block, thread.pid);
  putVarint(w.block, thread.tid);
  putVarint(w.block, thread.process);
  putString(w.block, thread.name);
  w.states.push(makeRecordState());
  return w.threads++;
}

function writeSlot(w: WriterState, process: number, region: number): number {
  betweenItems(w);
  putByte(w.block, ITEM.SLOT);
  putVarint(w.block, process);
  putVarint(w.block, region);
  return w.slots++;
}

function writeEvent(w: WriterState, event: TraceEvent): void {
  betweenItems(w);
  assert(event.thread < w.threads, "an event belongs to a thread that was announced");
  putByte(w.block, ITEM.EVENT);
  putEvent(w.block, event);
  w.events++;
}

function openBatch(w: WriterState, thread: number): void {
  betweenItems(w);
  assert(thread >= 0 && thread < w.threads, "a record belongs to a thread that was announced");
  enterBlock(w.states[thread]!, w.blockNumber);
  putByte(w.block, ITEM.BATCH);
  putVarint(w.block, thread);
  w.openThread = thread;
  w.openRecords = 0;
}

function writeReference(
  w: WriterState,
  thread: number,
  page: number,
  kind: number,
  reads: number,
  writes: number,
  gap: number,
): void {
  const full = w.openRecords >= BATCH_RECORDS_MAX || w.block.length >= w.blockBytes;
  if (w.openThread !== thread || full) openBatch(w, thread);
  w.openRecords++;
  putRecord(w.block, w.states[thread]!, page, kind, reads, writes, gap);
  w.records++;
  if ((kind & REF.KIND) === REF.EXECUTE) w.executed += reads;
  else w.reads += reads;
  w.writes += writes;
}

/** One record: tag, page distance, flags, counts, gap; each of the last three only where it differs. */
function putRecord(
  b: ByteBuffer,
  s: RecordState,
  page: number,
  kind: number,
  reads: number,
  writes: number,
  gap: number,
): void {
  if (b.length + RECORD_BYTES_MAX > b.bytes.length) growFor(b);
  const bytes = b.bytes;
  const tagAt = b.length;
  let at = tagAt + 1;
  const use = kind & REF.KIND;
  assert(use < 4, "a record reads, writes, both, or executes");
  const delta = (page - s.page) | 0;
  let tag = use << TAG.KIND_SHIFT;
  if (delta === 1) tag |= TAG.PLUS_ONE;
  else if (delta === -1) tag |= TAG.MINUS_ONE;
  else if (delta === 0) tag |= TAG.SAME;
  else {
    const size = delta >= -128 && delta < 128 ? 1 : delta >= -32768 && delta < 32768 ? 2 : byteSize(delta);
    tag |= size;
    for (let i = 0; i < size; i++) bytes[at++] = delta >> (8 * i);
  }
  s.page = page;
  const flags = kind >> 3;
  if (flags !== s.flags) {
    tag |= TAG.FLAGS;
    bytes[at++] = flags;
    s.flags = flags;
  }
  if (reads !== s.counts[2 * use] || writes !== s.counts[2 * use + 1]) {
    tag |= TAG.COUNTS;
    at = putVarint32(bytes, at, reads);
    at = putVarint32(bytes, at, writes);
    s.counts[2 * use] = reads;
    s.counts[2 * use + 1] = writes;
  }
  if (gap !== s.gap) {
    tag |= TAG.GAP;
    at = putVarint32(bytes, at, gap);
    s.gap = gap;
  }
  bytes[tagAt] = tag;
  b.length = at;
}

/** Three or four bytes for a distance that does not fit two. */
function byteSize(delta: number): number {
  return delta >= -0x800000 && delta < 0x800000 ? 3 : 4;
}

function growFor(b: ByteBuffer): void {
  const grown = new Uint8Array(b.bytes.length * 2);
  grown.set(b.bytes.subarray(0, b.length));
  b.bytes = grown;
}

function putVarint32(bytes: Uint8Array, at: number, value: number): number {
  while (value >= 128) {
    bytes[at++] = (value & 127) | 128;
    value >>>= 7;
  }
  bytes[at++] = value;
  return at;
}

function flushBlock(w: WriterState): void {
  start(w);
  emitBlock(w, BLOCK.DATA, w.block.bytes.subarray(0, w.block.length));
  w.block.length = 0;
}

function start(w: WriterState): void {
  if (w.started) return;
  w.started = true;
  w.options.write(MAGIC.slice());
  emitBlock(w, BLOCK.HEADER, encodeUtf8(JSON.stringify(w.header)));
}

/** Head and contents of one block. Its hash starts from that of the blocks before, so order counts. */
function emitBlock(w: WriterState, type: number, contents: Uint8Array): void {
  const codec = w.options.codec ?? "none";
  const compress = w.options.compress;
  assert(codec === "none" || compress !== undefined, "a compressing codec comes with its function");
  const packed = codec === "none" || type !== BLOCK.DATA ? contents : compress!(contents);
  const smaller = packed.length < contents.length;
  const stored = smaller ? packed : contents;
  const hash = hash64(contents, w.hash);
  const out = makeBuffer(stored.length + 20);
  putByte(out, type);
  putByte(out, smaller ? CODEC[codec] : CODEC.none);
  putByte(out, 0);
  putByte(out, 0);
  putU32(out, contents.length);
  putU32(out, stored.length);
  putU32(out, hash.low);
  putU32(out, hash.high);
  out.bytes.set(stored, out.length);
  w.options.write(out.bytes);
  // Only now it counts: a write that throws leaves the state of the blocks before it.
  w.hash = hash;
  w.rawBytes += contents.length;
  w.blockNumber++;
  w.taken = totalsOf(w);
}

function totalsOf(w: WriterState): TraceTotals {
  return {
    records: w.records,
    reads: w.reads,
    writes: w.writes,
    executed: w.executed,
    events: w.events,
    threads: w.threads,
    slots: w.slots,
    rawBytes: w.rawBytes,
    hash: hashText(w.hash),
  };
}

function writeEnd(w: WriterState, recorded: RecordingEnd | undefined): TraceTotals {
  betweenItems(w);
  if (w.block.length > 0) flushBlock(w);
  start(w);
  return emitEnd(w, totalsOf(w), recorded);
}

function abandon(w: WriterState, recorded: RecordingEnd | undefined): TraceTotals {
  start(w);
  return emitEnd(w, w.taken, recorded);
}

function emitEnd(w: WriterState, totals: TraceTotals, recorded: RecordingEnd | undefined): TraceTotals {
  w.ended = true;
  const whole = recorded === undefined ? totals : { ...totals, recorded };
  emitBlock(w, BLOCK.END, encodeUtf8(JSON.stringify(whole)));
  return whole;
}

/** Writes into memory; `bytes` is the whole file once the writer has ended. */
export function makeMemoryWriter(options: Omit<WriterOptions, "write"> = {}): TraceWriter & {
  bytes(): Uint8Array;
} {
  const parts: Uint8Array[] = [];
  const writer = makeTraceWriter({ ...options, write: (bytes) => parts.push(bytes) });
  return {
    ...writer,
    bytes() {
      const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
      let at = 0;
      for (const part of parts) {
        whole.set(part, at);
        at += part.length;
      }
      return whole;
    },
  };
}
