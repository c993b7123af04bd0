/** Imports a text and answers with the trace as text, which is then the picture that a test compares with. */

import { UserError } from "../../src/lib/assert.ts";
import { type ImportFormat, makeImporter } from "../../src/workloads/import/detect.ts";
import type { ImportSummary } from "../../src/workloads/import/importer.ts";
import { openTrace } from "../../src/workloads/trace/reader.ts";
import type { TraceSink } from "../../src/workloads/trace/sink.ts";
import { traceAsText } from "../../src/workloads/trace/text.ts";
import { makeMemoryWriter } from "../../src/workloads/trace/writer.ts";

export interface ImportedText {
  /** The items, one a line, without the header. */
  readonly lines: readonly string[];
  readonly summary: ImportSummary;
}

/** A damaged address makes a region of 64 GiB, which as text is more than a test's memory. */
const RECORDS_MAX = 2 ** 16;

/** Hands on what a writer can tell in a text of test size. */
function bounded(writer: TraceSink): TraceSink {
  let records = 0;
  return {
    describe: (header) => writer.describe(header),
    thread: (thread) => writer.thread(thread),
    slot: (process, region) => writer.slot(process, region),
    event: (event) => writer.event(event),
    reference: (...record) => {
      records += 1;
      if (records > RECORDS_MAX) throw new UserError(`a trace of more than ${RECORDS_MAX} records`);
      writer.reference(...record);
    },
  };
}

/** Imports a text cut into chunks of that many bytes. UserError: it is too long for a test. */
export function importText(format: ImportFormat, text: string, chunkBytes = 1 << 16): ImportedText {
  const bytes = Uint8Array.from(text, (c) => c.charCodeAt(0));
  const writer = makeMemoryWriter();
  const importer = makeImporter(format, bounded(writer));
  for (let at = 0; at < bytes.length; at += chunkBytes) importer.push(bytes.subarray(at, at + chunkBytes));
  const summary = importer.end();
  writer.end();
  let all = "";
  traceAsText(openTrace(writer.bytes()), (part) => {
    all += part;
  });
  const lines = all.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return { lines, summary };
}
