/** From a file to columns: opens a trace, a script or a text to import, and simulates every column. */
import { Decompress } from "fzstd";
import { columnsOf } from "../engine/plan.ts";
import { isScript, simulate } from "../engine/simulation.ts";
import { GENERATIONS } from "../generations/index.ts";
import { HARDWARE } from "../hardware/index.ts";
import { UserError } from "../lib/assert.ts";
import { demandNamed } from "../lib/suggest.ts";
import type { Column } from "../report/table.ts";
import {
  DETECT_BYTES,
  detectFormat,
  type ImportFormat,
  makeImporter,
  unknownFormat,
} from "../workloads/import/detect.ts";
import type { TraceReader } from "../workloads/records.ts";
import type { Script } from "../workloads/script/ast.ts";
import { looksLikeScript, parseScript } from "../workloads/script/parse.ts";
import { type ByteSource, openTrace } from "../workloads/trace/reader.ts";
import { makeMemoryWriter } from "../workloads/trace/writer.ts";
import { DECOMPRESSORS, MEMORY_PACKING } from "./codecs.ts";
import type { RunPlan } from "./protocol.ts";

type Told = (text: string, share: number | undefined) => void;

interface Workload {
  /** Opens it from its start; `share` is told how much of it has been read. */
  open(share: (share: number) => void): Script | TraceReader;
  readonly warnings: readonly string[];
}

const PIECE_BYTES = 1 << 18;

/** A store's bytes in pieces, so that progress can be told. */
function inPieces(bytes: Uint8Array, share: (share: number) => void): ByteSource {
  let at = 0;
  return {
    read() {
      if (at >= bytes.length) return undefined;
      const piece = bytes.subarray(at, at + PIECE_BYTES);
      at += piece.length;
      share(at / bytes.length);
      return piece;
    },
  };
}

const begins = (bytes: Uint8Array, ...magic: number[]): boolean =>
  magic.every((byte, i) => bytes[i] === byte);

/** Bytes of a file as they come, without their compression. */
async function* plainPieces(file: Blob, name: string): AsyncGenerator<Uint8Array> {
  const head = new Uint8Array(await file.slice(0, 4).arrayBuffer());
  if (begins(head, 0x28, 0xb5, 0x2f, 0xfd)) {
    yield* unzstd(file, name);
    return;
  }
  const gzip = begins(head, 0x1f, 0x8b);
  const stream = gzip ? file.stream().pipeThrough(new DecompressionStream("gzip")) : file.stream();
  const reader = stream.getReader();
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) yield next.value;
  } catch (error) {
    throw new UserError(`damaged or cut off: its gzip compression does not open (${String(error)})`, {
      file: name,
    });
  }
}

async function* unzstd(file: Blob, name: string): AsyncGenerator<Uint8Array> {
  const ready: Uint8Array[] = [];
  const stream = new Decompress((piece) => ready.push(piece));
  const reader = file.stream().getReader();
  for (;;) {
    const next = await reader.read();
    try {
      stream.push(next.value ?? new Uint8Array(0), next.done);
    } catch (error) {
      throw new UserError(`damaged or cut off: its zstd compression does not open (${String(error)})`, {
        file: name,
      });
    }
    yield* ready.splice(0);
    if (next.done) return;
  }
}

/** Reads a text into a store in memory: it is read again for each column. */
async function importText(
  pieces: AsyncIterable<Uint8Array>,
  format: ImportFormat,
  name: string,
): Promise<Workload> {
  const writer = makeMemoryWriter(MEMORY_PACKING);
  const importer = makeImporter(format, writer);
  for await (const piece of pieces) importer.push(piece);
  const summary = importer.end();
  writer.end();
  const bytes = writer.bytes();
  const warnings: string[] = [];
  if (summary.cutOff !== undefined) warnings.push(`${name} is cut off: ${summary.cutOff}`);
  if (summary.unreadableLines > 0)
    warnings.push(`${name}: ${summary.unreadableLines} lines could not be read`);
  return { open: (share) => openTrace(inPieces(bytes, share), DECOMPRESSORS, name), warnings };
}

async function headOf(pieces: AsyncGenerator<Uint8Array>): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let length = 0;
  while (length < DETECT_BYTES) {
    const next = await pieces.next();
    if (next.done === true) break;
    parts.push(next.value);
    length += next.value.length;
  }
  return joined(parts);
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

async function openWorkload(file: File, told: Told): Promise<Workload> {
  const { name } = file;
  if (file.size === 0) throw new UserError("it is empty (0 bytes)", { file: name });
  told("reading", undefined);
  const pieces = plainPieces(file, name);
  const head = await headOf(pieces);
  const format = detectFormat(head);
  if (format === "pwt") {
    const bytes = new Uint8Array(await file.arrayBuffer());
    return { open: (share) => openTrace(inPieces(bytes, share), DECOMPRESSORS, name), warnings: [] };
  }
  async function* all(): AsyncGenerator<Uint8Array> {
    yield head;
    yield* pieces;
  }
  if (format !== undefined) return importText(all(), format, name);
  if (!looksLikeScript(head) && !name.endsWith(".pw")) throw unknownFormat(head, name);
  const parts: Uint8Array[] = [];
  for await (const piece of all()) parts.push(piece);
  const script = parseScript(new TextDecoder().decode(joined(parts)), name);
  return { open: () => script, warnings: [] };
}

/** Simulates every column of a plan. Throws `UserError` for what the person can mend. */
export async function runFile(
  file: File,
  plan: RunPlan,
  told: Told,
): Promise<{ columns: Column[]; warnings: readonly string[] }> {
  const generations = plan.generations.map((name) => demandNamed(GENERATIONS, name, "kernel"));
  const hardware = demandNamed(HARDWARE, plan.hardware, "hardware");
  const todo = columnsOf(generations, plan.settings.trim() === "" ? undefined : plan.settings, () => []);
  const workload = await openWorkload(file, told);
  const columns = todo.map(({ name, generation, settings }, i): Column => {
    let part = 0;
    const label = `${name} (${i + 1} of ${todo.length})`;
    const share = (): number => (i + part) / todo.length;
    told(label, share());
    const input = workload.open((read) => {
      part = read;
    });
    const program = isScript(input) ? "" : input.header.program;
    const { result, recording } = simulate(input, {
      generation,
      hardware,
      settings: Object.fromEntries(settings),
      record: true,
      name: program === "" ? file.name : `${program} (${file.name})`,
      onProgress: (text) => told(`${label}: ${text}`, share()),
    });
    return { name, result, recording };
  });
  return { columns, warnings: workload.warnings };
}

/** The buffers of all typed arrays in plain data: they change hands instead of being copied. */
export function buffersIn(value: unknown, found = new Set<ArrayBuffer>()): ArrayBuffer[] {
  if (ArrayBuffer.isView(value)) found.add(value.buffer as ArrayBuffer);
  else if (typeof value === "object" && value !== null) {
    for (const each of Object.values(value)) {
      if (typeof each === "object") buffersIn(each, found);
    }
  }
  return [...found];
}
