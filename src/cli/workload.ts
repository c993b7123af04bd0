/**
 * Opens what the user names: a script, a stored trace, or a text that is imported on the way. What it is
 * shows in its first bytes, not in its name; gzip and zstd are undone first.
 */
import { closeSync, openSync, readFileSync, readSync } from "node:fs";
import { basename } from "node:path";
import { UserError } from "../lib/assert.ts";
import { workloadByName } from "../workloads/generators/index.ts";
import type { NamedWorkload } from "../workloads/generators/workload.ts";
import {
  DETECT_BYTES,
  detectFormat,
  type ImportFormat,
  makeImporter,
  unknownFormat,
} from "../workloads/import/detect.ts";
import type { ImportSummary } from "../workloads/import/importer.ts";
import type { TraceReader } from "../workloads/records.ts";
import type { Script } from "../workloads/script/ast.ts";
import { looksLikeScript, parseScript } from "../workloads/script/parse.ts";
import { openTrace } from "../workloads/trace/reader.ts";
import { makeMemoryWriter } from "../workloads/trace/writer.ts";
import { demandFile } from "./host.ts";
import { DECOMPRESSORS, type Input, MEMORY_PACKING, openInput, STDIN_NAME } from "./input.ts";
import { openStored } from "./stored.ts";

export interface ScriptWorkload {
  readonly kind: "script";
  readonly name: string;
  readonly script: Script;
}

export interface TraceWorkload {
  readonly kind: "trace";
  readonly name: string;
  /** Reads the trace from its start; every column of a comparison does. */
  open(): TraceReader;
  /** How much of it the last reader has read, 0 to 1; undefined where nobody counts. */
  readonly readShare?: () => number;
  /** What was understood only in part; empty when all was. */
  readonly warnings: readonly string[];
}

/** A program that comes along: see `pagewise workloads`. */
export interface ProgramWorkload {
  readonly kind: "program";
  readonly name: string;
  readonly program: NamedWorkload;
}

export type Workload = ScriptWorkload | TraceWorkload | ProgramWorkload;

/** The workloads of `--workload`. */
export function namedWorkload(text: string): ProgramWorkload {
  const program = workloadByName(text, "--workload");
  return { kind: "program", name: program.name, program };
}

function warningsOf({ name, cutOff }: Input, summary: ImportSummary): string[] {
  const warnings: string[] = [];
  const cut = summary.cutOff ?? cutOff();
  if (cut !== undefined) warnings.push(`${name} is cut off: ${cut}; replayed up to there`);
  if (summary.unreadableLines > 0) {
    const first = summary.unreadable[0];
    const where = first === undefined ? "" : `, first line ${first.line}: expected ${first.expected}`;
    warnings.push(`${name}: ${summary.unreadableLines} lines could not be read${where}`);
  }
  return warnings;
}

/** Imports into memory, compressed: a trace is read again for each column. */
async function importText(input: Input, format: ImportFormat): Promise<TraceWorkload> {
  const writer = makeMemoryWriter(MEMORY_PACKING);
  const importer = makeImporter(format, writer);
  for await (const piece of input.pieces) importer.push(piece);
  const summary = importer.end();
  writer.end();
  const bytes = writer.bytes();
  return {
    kind: "trace",
    name: basename(input.name),
    open: () => openTrace(bytes, DECOMPRESSORS, input.name),
    warnings: warningsOf(input, summary),
  };
}

async function wholeOf(input: Input): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for await (const piece of input.pieces) pieces.push(piece);
  return Buffer.concat(pieces);
}

function scriptWorkload(name: string, text: string): ScriptWorkload {
  return { kind: "script", name: basename(name), script: parseScript(text, name) };
}

async function openText(path: string): Promise<Workload> {
  const input = await openInput(path, DETECT_BYTES);
  const format = detectFormat(input.head);
  if (format === "pwt") {
    // From standard input, or compressed once more: it cannot be read from its file again for each column.
    const bytes = await wholeOf(input);
    return {
      kind: "trace",
      name: basename(input.name),
      open: () => openTrace(bytes, DECOMPRESSORS, input.name),
      warnings: [],
    };
  }
  if (format !== undefined) return importText(input, format);
  if (!looksLikeScript(input.head)) {
    throw unknownFormat(input.head, input.name);
  }
  return scriptWorkload(input.name, (await wholeOf(input)).toString("utf8"));
}

/** A file's first bytes: enough to know a stored trace by. */
function headOf(path: string): Uint8Array {
  const descriptor = openSync(path, "r");
  try {
    const bytes = new Uint8Array(16);
    return bytes.subarray(0, readSync(descriptor, bytes, 0, bytes.length, null));
  } finally {
    closeSync(descriptor);
  }
}

/** Opens a script or a trace; `-` is standard input. Throws `UserError` when it is neither. */
export async function openWorkload(path: string): Promise<Workload> {
  try {
    if (path === STDIN_NAME) return await openText(path);
    demandFile(path);
    if (path.endsWith(".pw")) return scriptWorkload(path, readFileSync(path, "utf8"));
    if (detectFormat(headOf(path)) !== "pwt") return await openText(path);
    let share = 0;
    const open = () =>
      openStored(path, (read) => {
        share = read;
      });
    return { kind: "trace", name: basename(path), open, readShare: () => share, warnings: [] };
  } catch (error) {
    if (!(error instanceof UserError) || error.place.file !== undefined) throw error;
    throw new UserError(error.message, { ...error.place, file: path === STDIN_NAME ? "stdin" : path });
  }
}

/** What is to be run: a file or a named workload (`--workload`), not both. */
export async function demandWorkload(file: string | undefined, named: string | undefined): Promise<Workload> {
  if (named === undefined) {
    if (file !== undefined) return openWorkload(file);
    throw new UserError("expected a file, or --workload NAME");
  }
  if (file === undefined) return namedWorkload(named);
  throw new UserError(`expected either --workload or a file, found '${file}' too`, { file: "--workload" });
}
