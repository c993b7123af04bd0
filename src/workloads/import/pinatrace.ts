/**
 * Importer for the text of Intel Pin's pinatrace: one line for each data reference, in order.
 *
 *     0x7f2f2b0f9a40: R 0x7ffd9e4f3a18         the instruction's place, read or write, the address
 *     0x7f2f2b0f9a44: W 0x7ffd9e4f3a10
 *     #eof
 *
 * The text knows no threads, sizes, system calls or time: all is one thread, an access touches one page, time
 * counts references, and pages only ever appear. References fold without loss (`fold.ts`).
 */
import { decodeUtf8 } from "../trace/bytes.ts";
import type { TraceSink } from "../trace/sink.ts";
import { flushFold, foldData, makeFold } from "./fold.ts";
import {
  feedLines,
  type Importer,
  makeImportLog,
  makeLineFeed,
  noteIgnored,
  noteUnreadable,
  summarize,
  unendedLine,
} from "./importer.ts";
import { addProcess, addThread, makeRecorder, recordReference } from "./recorder.ts";
import { makeScan, SPACE, takeHex } from "./scan.ts";

const COLON = 58;
const LETTER_R = 82;
const LETTER_W = 87;
const PAGE_BYTES = 4096;

/** Starts an import of pinatrace's text into a sink. */
export function makePinatraceImporter(sink: TraceSink): Importer {
  const feed = makeLineFeed();
  const log = makeImportLog(feed);
  const scan = makeScan();
  const fold = makeFold();
  const r = makeRecorder(sink, { source: "pinatrace", timeUnit: "instructions", coverage: "references" });
  const thread = addThread(r, addProcess(r, 1, ""), 1, 0);
  let time = 0;
  let ended = false;
  const pass = (vpn: number, kind: number, reads: number, writes: number, at: number): void =>
    recordReference(r, thread, vpn, kind, reads, writes, at);
  const take = (bytes: Uint8Array, start: number, end: number): void => {
    if (start === end || bytes[start] === 35) {
      if (decodeUtf8(bytes, start, end).startsWith("#eof")) ended = true;
      noteIgnored(log, "remarks and blank lines");
      return;
    }
    scan.bytes = bytes;
    scan.at = start;
    scan.end = end;
    scan.ok = true;
    takeHex(scan);
    const letter = bytes[scan.at + 2];
    const shaped = bytes[scan.at] === COLON && bytes[scan.at + 1] === SPACE && bytes[scan.at + 3] === SPACE;
    scan.at += 4;
    const address = shaped ? takeHex(scan) : 0;
    const isRead = letter === LETTER_R;
    if (!shaped || !scan.ok || scan.at > end || address >= 2 ** 48 || (!isRead && letter !== LETTER_W)) {
      noteUnreadable(log, bytes, start, end, "0xPLACE: R 0xADDRESS, or W");
      return;
    }
    log.understoodLines++;
    time++;
    foldData(fold, Math.floor(address / PAGE_BYTES), isRead ? 1 : 0, isRead ? 0 : 1, time, pass);
  };
  return {
    push: (chunk) => feedLines(feed, chunk, take),
    end() {
      flushFold(fold, pass);
      log.notes.push("no threads, sizes or system calls: no mapping is known, and pages only ever appear");
      const cutOff = unendedLine(feed) ?? (ended ? undefined : "there is no #eof line");
      return summarize(log, "pinatrace", { records: r.records, events: r.events, cutOff });
    },
  };
}
