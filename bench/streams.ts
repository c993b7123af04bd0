/**
 * The three reference streams by which TLB models are compared, over 1 GiB from address 2^40: `seq` goes
 * through it line by line, `rand` takes any line, `zipf` takes pages by Zipf's law (Gray et al., as YCSB
 * has it, θ = 0.99), scattered over the range. Random numbers are splitmix64's with seed 42. bench/tlb.c
 * makes the same streams in C.
 */
import { makeSplitmix64, stepSplitmix64, unit64 } from "../src/lib/bits.ts";
import { REF, type TraceReader } from "../src/workloads/records.ts";
import { openTrace } from "../src/workloads/trace/reader.ts";
import { makeTraceWriter } from "../src/workloads/trace/writer.ts";

export type StreamName = "seq" | "rand" | "zipf";
export const STREAM_NAMES: readonly StreamName[] = ["seq", "rand", "zipf"];

/** References of a whole stream: each line of 64 bytes of 1 GiB once, on average. */
export const STREAM_REFERENCES = 2 ** 24;
const SPAN_PAGES = 2 ** 18;
const BASE_BYTES = 2 ** 40;
const SLOT_BYTES = 2 ** 21;

/** The page, counted from the start of the range, of each of the first `count` references. */
export function streamPages(name: StreamName, count: number): Uint32Array {
  const pages = new Uint32Array(count);
  const random = makeSplitmix64(42n);
  if (name === "zipf") return zipfPages(pages);
  for (let i = 0; i < count; i += 1) {
    if (name === "rand") stepSplitmix64(random);
    const line = name === "seq" ? i : random.lo & (STREAM_REFERENCES - 1);
    pages[i] = (line >>> 6) & (SPAN_PAGES - 1);
  }
  return pages;
}

function zipfPages(pages: Uint32Array): Uint32Array {
  const theta = 0.99;
  let zetaN = 0;
  for (let i = 1; i <= SPAN_PAGES; i += 1) zetaN += i ** -theta;
  const alpha = 1 / (1 - theta);
  const eta = (1 - (2 / SPAN_PAGES) ** (1 - theta)) / (1 - (1 + 2 ** -theta) / zetaN);
  const random = makeSplitmix64(42n);
  for (let i = 0; i < pages.length; i += 1) {
    stepSplitmix64(random);
    const u = unit64(random);
    const uz = u * zetaN;
    const far = Math.min(SPAN_PAGES - 1, Math.floor(SPAN_PAGES * (eta * u - eta + 1) ** alpha));
    const rank = uz < 1 ? 0 : uz < 1 + 0.5 ** theta ? 1 : far;
    stepSplitmix64(random); // The line within the page, which no TLB sees.
    pages[i] = Math.imul(rank, 2654435761) & (SPAN_PAGES - 1);
  }
  return pages;
}

/** A trace in memory and how many references it has. */
export interface StoredStream {
  readonly bytes: Uint8Array;
  readonly references: number;
  readonly records: number;
}

export interface StreamOptions {
  /** Pages of the mapping, which every page below lies in. */
  readonly mappedPages: number;
  /** Touched one by one, in front of everything else, and not measured: see `timedReader`. */
  readonly before: Uint32Array;
  readonly pages: Uint32Array;
}

/**
 * Stores a stream: neighbouring references to one page become one record, as importers do it. All are writes.
 */
export function storeStream(options: StreamOptions): StoredStream {
  const pieces: Uint8Array[] = [];
  const writer = makeTraceWriter({ write: (bytes) => pieces.push(bytes) });
  writer.describe({
    source: "generator",
    program: "stream",
    timeUnit: "ns",
    coverage: "references",
    layout: "native",
  });
  const thread = writer.thread({ pid: 1, tid: 1, process: 0, name: "stream" });
  const slots = Math.ceil(options.mappedPages / 512);
  for (let slot = 0; slot < slots; slot += 1) writer.slot(0, BASE_BYTES / SLOT_BYTES + slot);
  writer.event({
    kind: "map",
    thread,
    gap: 0,
    start: BASE_BYTES,
    length: options.mappedPages * 4096,
    prot: 3,
    shared: false,
    fixed: true,
    stack: false,
    file: false,
    noreserve: true,
    populate: false,
  });
  for (const page of options.before) writer.reference(thread, page, REF.WRITE, 0, 1, 0);
  // What is measured begins at this event: see `timedReader`.
  writer.event({ kind: "cpu", thread, gap: 0, cpu: 0 });
  let records = 0;
  const { pages } = options;
  for (let i = 0, run = 0; i < pages.length; i += run, records += 1) {
    run = 1;
    while (i + run < pages.length && pages[i + run] === pages[i]) run += 1;
    writer.reference(thread, pages[i]!, REF.WRITE, 0, run, 0);
  }
  writer.end();
  return { bytes: concatenate(pieces), references: pages.length, records };
}

function concatenate(pieces: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
}

/** One write to each of the first `count` pages, `step` pages apart. */
export function everyPage(count: number, step = 1): Uint32Array {
  return Uint32Array.from({ length: count }, (_, i) => i * step);
}

/**
 * A reader that calls `begin` at the event in front of what is measured, and `end` when the trace is over.
 */
export function timedReader(stream: StoredStream, begin: () => void, end: () => void): TraceReader {
  const reader = openTrace(stream.bytes);
  const { header, threads, regions } = reader;
  return {
    header,
    threads,
    regions,
    next() {
      const item = reader.next();
      if (item === undefined) end();
      else if (!("page" in item) && item.kind === "cpu") begin();
      return item;
    },
  };
}
