/** Which format a text is in, from its first bytes. */
import { UserError } from "../../lib/assert.ts";
import { decodeUtf8 } from "../trace/bytes.ts";
import { MAGIC } from "../trace/format.ts";
import type { TraceSink } from "../trace/sink.ts";
import type { Importer } from "./importer.ts";
import { makeLackeyImporter } from "./lackey.ts";
import { makePerfImporter } from "./perf.ts";
import { makePwfImporter } from "./pwf.ts";
import { makeStraceImporter } from "./strace.ts";

/** Formats that can be imported, with what each is. */
export const IMPORT_FORMATS = {
  perf: "text of `perf script`: page faults, best with exceptions, syscalls, sched and rss_stat tracepoints",
  pwf: "PWF1, folded valgrind text",
  lackey: "text of valgrind --tool=lackey --trace-mem=yes, best with --trace-syscalls=yes --trace-sched=yes",
  strace: "text of `strace -f -ttt -e trace=memory,process`: mappings and processes alone",
} as const;

export type ImportFormat = keyof typeof IMPORT_FORMATS;
/** `pwt` is our own store: nothing to import. */
export type TraceFormat = ImportFormat | "pwt";

/** Bytes that `detectFormat` wants to see; fewer when the text is shorter. */
export const DETECT_BYTES = 64 * 1024;

const LACKEY_LINE = /^(==\d+== |--\d+-- |I {2}| [LSM] |[LSM] )/;
const LACKEY_ACCESS = /^ ?[ILSM] {1,2}[0-9a-fA-F]+,\d+\r?$/m;
const PERF_LINE = /\s(\d+\/)?\d+\s+(\[\d+\]\s+)?\d+\.\d{6,9}:\s/;
const STRACE_LINE =
  /^(\[pid\s+\d+\] |\d+ +)?(\d[\d:.]+ )?(execve|brk|mmap|munmap|clone3?|fork|vfork)\(.*\) += /;

/** The format of a text that begins so, or undefined. */
export function detectFormat(head: Uint8Array): TraceFormat | undefined {
  if (MAGIC.subarray(0, 3).every((byte, i) => head[i] === byte)) return "pwt";
  const text = decodeUtf8(head, 0, Math.min(head.length, DETECT_BYTES));
  if (text.startsWith("#pwf ")) return "pwf";
  if (LACKEY_ACCESS.test(text)) return "lackey";
  const lines = text.split("\n", 200);
  if (lines.some((line) => PERF_LINE.test(line))) return "perf";
  if (lines.some((line) => LACKEY_LINE.test(line))) return "lackey";
  if (lines.some((line) => STRACE_LINE.test(line))) return "strace";
  return undefined;
}

export function makeImporter(format: ImportFormat, sink: TraceSink): Importer {
  switch (format) {
    case "perf":
      return makePerfImporter(sink);
    case "pwf":
      return makePwfImporter(sink);
    case "lackey":
      return makeLackeyImporter(sink);
    case "strace":
      return makeStraceImporter(sink);
  }
}

/** For texts that no format claims. */
export function unknownFormat(head: Uint8Array, file: string): UserError {
  const perfData = decodeUtf8(head, 0, Math.min(8, head.length)) === "PERFILE2";
  const start = Array.from(decodeUtf8(head, 0, Math.min(40, head.length)), (c) =>
    c < " " ? "\ufffd" : c,
  ).join("");
  const found = perfData ? "a perf.data file: run `perf script` on it and import its text" : `"${start}"`;
  const expected = Object.values(IMPORT_FORMATS).join("; ");
  return new UserError(`cannot tell the format; found ${found}, expected one of: ${expected}`, {
    file,
    byteOffset: 0,
  });
}
