/** Opens a stored trace from a file, a piece at a time. */
import { closeSync, openSync, readSync } from "node:fs";
import { UserError } from "../lib/assert.ts";
import { detectFormat } from "../workloads/import/detect.ts";
import { openTrace, type StoreReader } from "../workloads/trace/reader.ts";
import { DECOMPRESSORS } from "./input.ts";

const PIECE_BYTES = 1 << 20;

/** The reader of a stored trace; says what to do with a text that is not imported yet. */
export function openStored(file: string): StoreReader {
  const descriptor = openSync(file, "r");
  let first: Uint8Array | undefined = readPiece(descriptor);
  const format = first === undefined ? undefined : detectFormat(first);
  if (format !== "pwt") {
    closeSync(descriptor);
    const what =
      format === undefined ? "not a stored trace" : `${format} text, not a stored trace: import it first`;
    throw new UserError(`${what} (pagewise import FILE)`, { file });
  }
  let open = true;
  const read = (): Uint8Array | undefined => {
    const piece = first ?? (open ? readPiece(descriptor) : undefined);
    first = undefined;
    if (piece === undefined && open) {
      open = false;
      closeSync(descriptor);
    }
    return piece;
  };
  return openTrace({ read }, DECOMPRESSORS, file);
}

function readPiece(descriptor: number): Uint8Array | undefined {
  const piece = new Uint8Array(PIECE_BYTES);
  const length = readSync(descriptor, piece, 0, PIECE_BYTES, null);
  return length === 0 ? undefined : piece.subarray(0, length);
}
