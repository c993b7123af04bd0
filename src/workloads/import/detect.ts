/** Which format a text is in, from its first bytes. */
import { UserError } from "../../lib/assert.ts";
import { decodeUtf8 } from "../trace/bytes.ts";
import { MAGIC } from "../trace/format.ts";
import type { TraceSink } from "../trace/sink.ts";
import { makeChampsimImporter } from "./champsim.ts";
import { makeDamonImporter } from "./damon.ts";
import { makeDrmemtraceImporter } from "./drmemtrace.ts";
import type { Importer } from "./importer.ts";
import { makeLackeyImporter } from "./lackey.ts";
import { makePerfImporter } from "./perf.ts";
import { makePinatraceImporter } from "./pinatrace.ts";
import { makePwfImporter } from "./pwf.ts";
import { makeStraceImporter } from "./strace.ts";

/** Formats that can be imported, with what each is. */
export const IMPORT_FORMATS = {
  perf: "text of `perf script`: page faults, best with exceptions, syscalls, sched and rss_stat tracepoints",
  pwf: "PWF1, folded valgrind text",
  lackey: "text of valgrind --tool=lackey --trace-mem=yes, best with --trace-syscalls=yes --trace-sched=yes",
  strace: "text of `strace -f -ttt -e trace=memory,process`: mappings and processes alone",
  drmemtrace: "text of DynamoRIO's `-t drmemtrace -tool view`: every reference of every thread",
  pinatrace: "text of Intel Pin's pinatrace: every data reference of one thread",
  damon: "text of `damo report raw`, or perf script of damon:damon_aggregated: heat of regions",
  champsim: "ChampSim's binary trace, undone from .xz; never told by its bytes: say --format champsim",
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
const DAMON_LINE = /damon:damon_aggregated: target_id=|^monitoring_start:\s/;
const PINATRACE_LINE = /^0x[0-9a-f]+: [RW] 0x[0-9a-f]+$/;
const DRMEMTRACE_LINE = /^\s*\d+\s+\d+:\s+(W\d+\.)?T\d+ (<marker:|ifetch |read |write )/;

/** The format of a text that begins so, or undefined. */
export function detectFormat(head: Uint8Array): TraceFormat | undefined {
  if (MAGIC.subarray(0, 3).every((byte, i) => head[i] === byte)) return "pwt";
  const text = decodeUtf8(head, 0, Math.min(head.length, DETECT_BYTES));
  if (text.startsWith("#pwf ")) return "pwf";
  if (LACKEY_ACCESS.test(text)) return "lackey";
  const lines = text.split("\n", 200);
  if (lines.some((line) => DAMON_LINE.test(line))) return "damon";
  if (lines.some((line) => PERF_LINE.test(line))) return "perf";
  if (lines.some((line) => LACKEY_LINE.test(line))) return "lackey";
  if (lines.some((line) => PINATRACE_LINE.test(line))) return "pinatrace";
  if (lines.some((line) => DRMEMTRACE_LINE.test(line))) return "drmemtrace";
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
    case "drmemtrace":
      return makeDrmemtraceImporter(sink);
    case "pinatrace":
      return makePinatraceImporter(sink);
    case "damon":
      return makeDamonImporter(sink);
    case "champsim":
      return makeChampsimImporter(sink);
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
