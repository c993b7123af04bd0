/** Opens a stored trace from a file, a piece at a time. */
import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { UserError } from "../lib/assert.ts";
import { detectFormat, type ImportFormat } from "../workloads/import/detect.ts";
import { type OpenTraceOptions, openTrace, type StoreReader } from "../workloads/trace/reader.ts";
import { compressionOf, DECOMPRESSORS } from "./input.ts";

const PIECE_BYTES = 1 << 20;

/**
 * The reader of a stored trace; `share` is told how much of the file has been read, 0 to 1. It says what to
 * do with a text that is not imported yet.
 */
export function openStored(
  file: string,
  share?: (share: number) => void,
  options: OpenTraceOptions = {},
): StoreReader {
  const descriptor = openSync(file, "r");
  let first: Uint8Array | undefined = readPiece(descriptor);
  const format = first === undefined ? undefined : detectFormat(first);
  if (format !== "pwt") {
    closeSync(descriptor);
    throw new UserError(mistakeOf(format, first), { file });
  }
  const { size } = fstatSync(descriptor);
  let readBytes = 0;
  let open = true;
  const read = (): Uint8Array | undefined => {
    const piece = first ?? (open ? readPiece(descriptor) : undefined);
    first = undefined;
    readBytes += piece?.length ?? 0;
    if (size > 0) share?.(Math.min(1, readBytes / size));
    if (piece === undefined && open) {
      open = false;
      closeSync(descriptor);
    }
    return piece;
  };
  return openTrace({ read }, DECOMPRESSORS, file, options);
}

/** What to do with a file that is no stored trace. */
function mistakeOf(format: ImportFormat | undefined, first: Uint8Array | undefined): string {
  if (format !== undefined)
    return `${format} text, not a stored trace: import it first (pagewise import FILE)`;
  const codec = first === undefined ? undefined : compressionOf(first);
  if (codec === undefined) return "not a stored trace (pagewise import FILE)";
  return (
    `compressed with ${codec}: expected a stored trace, which is compressed inside; undo it first ` +
    "(a text: pagewise import FILE)"
  );
}

/** Whether the file begins as a stored trace does. */
export function isStored(file: string): boolean {
  const descriptor = openSync(file, "r");
  try {
    const head = readPiece(descriptor);
    return head !== undefined && detectFormat(head) === "pwt";
  } finally {
    closeSync(descriptor);
  }
}

function readPiece(descriptor: number): Uint8Array | undefined {
  const piece = new Uint8Array(PIECE_BYTES);
  const length = readSync(descriptor, piece, 0, PIECE_BYTES, null);
  return length === 0 ? undefined : piece.subarray(0, length);
}
