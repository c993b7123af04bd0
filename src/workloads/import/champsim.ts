/**
 * Importer for ChampSim's binary traces: 64 bytes for each instruction, little-endian, nothing else. They
 * usually come as .xz, which must be undone first (`xz -dc trace.xz | pagewise import --format champsim -`).
 *
 *     byte 0   ip                       u64
 *     byte 8   is_branch, branch_taken  u8 each
 *     byte 10  destination registers    u8 × 2
 *     byte 12  source registers         u8 × 4
 *     byte 16  destination memory       u64 × 2, 0 for none: written
 *     byte 32  source memory            u64 × 4, 0 for none: read
 *
 * One thread, no system calls, no sizes: pages only ever appear. Memory is read before it is written.
 * References fold without loss (`fold.ts`).
 */
import type { TraceSink } from "../trace/sink.ts";
import { flushFold, foldCode, foldData, makeFold } from "./fold.ts";
import {
  type Importer,
  joinBytes,
  makeImportLog,
  makeLineFeed,
  noteUnreadable,
  summarize,
} from "./importer.ts";
import { addProcess, addThread, makeRecorder, recordReference } from "./recorder.ts";

const RECORD_BYTES = 64;
const PAGE_BYTES = 4096;
const WRITTEN = [16, 24];
const READ = [32, 40, 48, 56];
/** High half of an address that no user page has: 2^48 and up. */
const HIGH_MAX = 0x10000;

/** Starts an import of a ChampSim trace into a sink. */
export function makeChampsimImporter(sink: TraceSink): Importer {
  const feed = makeLineFeed();
  const log = makeImportLog(feed);
  const fold = makeFold();
  const r = makeRecorder(sink, { source: "champsim", timeUnit: "instructions", coverage: "references" });
  const thread = addThread(r, addProcess(r, 1, ""), 1, 0);
  let carry: Uint8Array = new Uint8Array(0);
  const pass = (vpn: number, kind: number, reads: number, writes: number, at: number): void =>
    recordReference(r, thread, vpn, kind, reads, writes, at);
  const data = (view: DataView, at: number, reads: number): void => {
    const high = view.getUint32(at + 4, true);
    const low = view.getUint32(at, true);
    if (high === 0 && low === 0) return;
    foldData(
      fold,
      (high * 2 ** 32 + low - (low % PAGE_BYTES)) / PAGE_BYTES,
      reads,
      1 - reads,
      feed.line,
      pass,
    );
  };
  const instruction = (bytes: Uint8Array, view: DataView, at: number): void => {
    feed.line++;
    const sound =
      bytes[at + 8]! <= 1 &&
      bytes[at + 9]! <= 1 &&
      [0, ...WRITTEN, ...READ].every((field) => view.getUint32(at + field + 4, true) < HIGH_MAX);
    if (!sound) noteUnreadable(log, bytes, at, at + RECORD_BYTES, "a ChampSim instruction of 64 bytes");
    else {
      log.understoodLines++;
      const low = view.getUint32(at, true);
      const place = view.getUint32(at + 4, true) * 2 ** 32 + low - (low % PAGE_BYTES);
      foldCode(fold, place / PAGE_BYTES, feed.line, pass);
      for (const field of READ) data(view, at + field, 1);
      for (const field of WRITTEN) data(view, at + field, 0);
    }
    feed.byteOffset += RECORD_BYTES;
  };
  return {
    push(chunk) {
      const bytes = carry.length > 0 ? joinBytes(carry, chunk) : chunk;
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
      let at = 0;
      for (; at + RECORD_BYTES <= bytes.length; at += RECORD_BYTES) instruction(bytes, view, at);
      carry = bytes.slice(at);
    },
    end() {
      flushFold(fold, pass);
      log.notes.push("one thread and no system calls: no mapping is known, and pages only ever appear");
      const rest = carry.length;
      const cutOff = rest === 0 ? undefined : `its last ${rest} bytes are not a whole instruction of 64`;
      return summarize(log, "champsim", { records: r.records, events: r.events, cutOff });
    },
  };
}
