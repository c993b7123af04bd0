/**
 * The reader's hot loop: record bytes into columns. Flat on purpose: one call fills a batch, everything that
 * it needs for a record is a local variable.
 */
import type { RefBatch } from "../records.ts";
import type { ByteCursor } from "./bytes.ts";
import { type RecordState, TAG } from "./format.ts";

/**
 * Decodes records until the batch's end tag, the columns are full, or the bytes end. True when the batch goes
 * on. Reading past the end gives zeros, which end the loop by `at >= end`; the caller checks `c.at <= c.end`.
 */
export function decodeRecords(c: ByteCursor, s: RecordState, batch: RefBatch): boolean {
  const { bytes, end } = c;
  const { page: pages, reads: readsOf, writes: writesOf, kind: kinds, gap: gaps } = batch;
  const counts = s.counts;
  const capacity = pages.length;
  let at = c.at;
  let page = s.page;
  let gap = s.gap;
  let flags = s.flags << 3;
  let n = 0;
  let goesOn = true;
  while (n < capacity && at < end) {
    const tag = bytes[at++]!;
    const delta = tag & TAG.DELTA;
    if (delta === TAG.THREE_BYTES) {
      page += ((bytes[at]! << 8) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 24)) >> 8;
      at += 3;
    } else if (delta === TAG.PLUS_ONE) {
      page += 1;
    } else if (delta === TAG.TWO_BYTES) {
      page += ((bytes[at]! << 16) | (bytes[at + 1]! << 24)) >> 16;
      at += 2;
    } else if (delta === TAG.ONE_BYTE) {
      page += (bytes[at]! << 24) >> 24;
      at += 1;
    } else if (delta === TAG.MINUS_ONE) {
      page -= 1;
    } else if (delta === TAG.FOUR_BYTES) {
      page += bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
      at += 4;
    } else if (delta === TAG.END) {
      goesOn = false;
      break;
    }
    page |= 0;
    const use = (tag >> TAG.KIND_SHIFT) & 3;
    if (tag >= TAG.COUNTS) {
      if ((tag & TAG.FLAGS) !== 0) flags = (bytes[at++]! & 31) << 3;
      if ((tag & TAG.COUNTS) !== 0) at = takeCounts(bytes, at, counts, 2 * use);
      if ((tag & TAG.GAP) !== 0) {
        gap = bytes[at]! & 127;
        for (let shift = 7; bytes[at++]! >= 128 && shift < 35; shift += 7) gap |= (bytes[at]! & 127) << shift;
      }
    }
    pages[n] = page;
    kinds[n] = use | flags;
    readsOf[n] = counts[2 * use]!;
    writesOf[n] = counts[2 * use + 1]!;
    gaps[n] = gap;
    n++;
  }
  c.at = at;
  s.page = page;
  s.gap = gap;
  s.flags = flags >> 3;
  batch.length = n;
  return goesOn;
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
