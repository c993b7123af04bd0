/** The compressions of the trace store, in a browser. */
import { gunzipSync, gzipSync } from "fflate";
import { decompress } from "fzstd";
import type { Decompressors } from "../workloads/trace/reader.ts";

export const DECOMPRESSORS: Decompressors = {
  gzip: (bytes) => gunzipSync(bytes),
  zstd: (bytes, rawBytes) => decompress(bytes, new Uint8Array(rawBytes)),
};

/** How a text that was imported is kept in memory: quick rather than small. */
export const MEMORY_PACKING = {
  codec: "gzip",
  compress: (bytes: Uint8Array) => gzipSync(bytes, { level: 1 }),
} as const;
