/**
 * The reader's hot loop: record bytes into columns. Flat on purpose: one call fills a batch, everything that
 * it needs for a record is a local variable.
 */
import type { RefBatch } from "../records.ts";
import type { ByteCursor } from "./bytes.ts";
import { type RecordState, TAG } from "./format.ts";

// Own constants: V8 folds a module's own ones into the code, but reads imported ones each time.
const { COUNTS: TAG_COUNTS, DELTA: TAG_DELTA, END: TAG_END, KIND_SHIFT: TAG_KIND_SHIFT } = TAG;

/**
 * Records that the inner loop takes at a time: V8 compiles short-lived calls better than one endless loop.
 */
const STRIDE_RECORDS = 1024;

/** A tag and what follows it in a short record are at most this long. */
const SHORT_BYTES_MAX = 5;

/**
 * What the tag of a short record (nothing follows but the page) says, so that no branch has to guess it:
 * bits 0–4 how far to shift the next four bytes left and right again, 8–10 how many of them are the
 * record's, 13–15 what else to add to the page, and the sign whether any are.
 */
const SHORT_FORMS = Int32Array.from({ length: TAG.COUNTS }, (_, tag) => {
  const delta = tag & TAG.DELTA;
  if (delta === TAG.PLUS_ONE) return 1 << 13;
  if (delta === TAG.MINUS_ONE) return 7 << 13;
  if (delta === TAG.SAME || delta === TAG.END) return 0;
  return (1 << 31) | (delta << 8) | (32 - 8 * delta);
});

/**
 * Decodes short records into the columns from `n` on, until one is not short, or too near to the end of the
 * bytes, or for a stride. Answers how many records there are now.
 */
function decodeShort(c: ByteCursor, s: RecordState, batch: RefBatch, from: number): number {
  const last = Math.min(from + STRIDE_RECORDS, batch.page.length);
  const { bytes, end } = c;
  const { page: pages, reads: readsOf, writes: writesOf, kind: kinds, gap: gaps, alike } = batch;
  const { counts, gap } = s;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const flags = s.flags << 3;
  let { at } = c;
  let { page } = s;
  let n = from;
  let before = -1;
  for (; n < last && at + SHORT_BYTES_MAX <= end; n++) {
    const tag = bytes[at]!;
    if (tag >= TAG_COUNTS || (tag & TAG_DELTA) === TAG_END) break;
    const form = SHORT_FORMS[tag]!;
    const delta = (view.getInt32(at + 1, true) << (form & 31)) >> (form & 31);
    page = (page + (delta & (form >> 31)) + ((form << 16) >> 29)) | 0;
    at += 1 + ((form >> 8) & 7);
    const use = tag >> TAG_KIND_SHIFT;
    alike[n] = use === before ? 1 : 0;
    before = use;
    pages[n] = page;
    kinds[n] = use | flags;
    readsOf[n] = counts[2 * use]!;
    writesOf[n] = counts[2 * use + 1]!;
    gaps[n] = gap;
  }
  c.at = at;
  s.page = page;
  return n;
}

/**
 * Decodes records until the batch's end tag, the columns are full, or the bytes end. True when the batch goes
 * on. Reading past the end gives zeros, which end the loop by `at >= end`; the caller checks `c.at <= c.end`.
 */
export function decodeRecords(c: ByteCursor, s: RecordState, batch: RefBatch): boolean {
  const capacity = batch.page.length;
  let goesOn = true;
  let n = 0;
  while (goesOn && n < capacity && c.at < c.end) {
    const before = n;
    n = decodeShort(c, s, batch, n);
    if (n !== before) continue;
    goesOn = decodeOne(c, s, batch, n);
    if (goesOn) n += 1;
  }
  batch.length = n;
  return goesOn;
}

/** Decodes a record of any form into row n. False: it was the batch's end. */
function decodeOne(c: ByteCursor, s: RecordState, batch: RefBatch, n: number): boolean {
  const { bytes } = c;
  const { counts } = s;
  let { at } = c;
  const tag = bytes[at++]!;
  const delta = tag & TAG_DELTA;
  if (delta === TAG_END) {
    c.at = at;
    return false;
  }
  const form = SHORT_FORMS[delta]!;
  if (form < 0) {
    let value = 0;
    for (let k = 0; k < delta; k++) value |= bytes[at++]! << (8 * k);
    s.page += (value << (form & 31)) >> (form & 31);
  } else s.page += (form << 16) >> 29;
  s.page |= 0;
  const use = (tag >> TAG_KIND_SHIFT) & 3;
  if ((tag & TAG.FLAGS) !== 0) s.flags = bytes[at++]! & 31;
  if ((tag & TAG_COUNTS) !== 0) at = takeCounts(bytes, at, counts, 2 * use);
  if ((tag & TAG.GAP) !== 0) {
    s.gap = bytes[at]! & 127;
    for (let shift = 7; bytes[at++]! >= 128 && shift < 35; shift += 7) s.gap |= (bytes[at]! & 127) << shift;
  }
  c.at = at;
  batch.alike[n] = 0;
  batch.page[n] = s.page;
  batch.kind[n] = use | (s.flags << 3);
  batch.reads[n] = counts[2 * use]!;
  batch.writes[n] = counts[2 * use + 1]!;
  batch.gap[n] = s.gap;
  return true;
}

/** Reads and writes of a record, and of those like it that follow. Answers where the next field begins. */
function takeCounts(bytes: Uint8Array, at: number, counts: Uint32Array, row: number): number {
  for (let k = 0; k < 2; k++) {
    let value = bytes[at]! & 127;
    for (let shift = 7; bytes[at++]! >= 128 && shift < 35; shift += 7) value |= (bytes[at]! & 127) << shift;
    counts[row + k] = value;
  }
  return at;
}
