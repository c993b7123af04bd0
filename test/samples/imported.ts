/** Imports a text and answers with the trace as text, which is then the picture that a test compares with. */

import { type ImportFormat, makeImporter } from "../../src/workloads/import/detect.ts";
import type { ImportSummary } from "../../src/workloads/import/importer.ts";
import { openTrace } from "../../src/workloads/trace/reader.ts";
import { traceAsText } from "../../src/workloads/trace/text.ts";
import { makeMemoryWriter } from "../../src/workloads/trace/writer.ts";

export interface ImportedText {
  /** The items, one a line, without the header. */
  readonly lines: readonly string[];
  readonly summary: ImportSummary;
}

/** Imports a text cut into chunks of that many bytes. */
export function importText(format: ImportFormat, text: string, chunkBytes = 1 << 16): ImportedText {
  const bytes = Uint8Array.from(text, (c) => c.charCodeAt(0));
  const writer = makeMemoryWriter();
  const importer = makeImporter(format, writer);
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
