/**
 * What a program does to its memory, as the engine takes it in: batches of references in columns, and events
 * (system calls and life-cycle) between them. Trace reader, script and generators all speak this; none of
 * them sees the kernel.
 *
 * Addresses inside a batch are *trace pages*: `slot × 512 + page in region`, where a slot is a dense number
 * given to each 2 MiB-aligned region of each process at its first appearance; `regions` maps a slot back to
 * its process and region. A trace page fits 32 bits, keeps the low nine bits of the page number, and makes
 * look-ups an array index.
 */

import type { Advice } from "../core/advice.ts";

/** Kinds of a reference record (`kind & REF.KIND`). */
export const REF = {
  KIND: 7,
  /** Only reads. */
  READ: 0,
  /** The first access was a write. */
  WRITE: 1,
  /** Read first, written later. */
  READ_WRITE: 2,
  /** Executed: `reads` counts instructions. */
  EXECUTE: 3,
  /**
   * First reference to this page since it was mapped (set by the importer; lets bloat be counted cheaply).
   */
  FIRST: 8,
  /**
   * The record is a fault that a real kernel took here (perf sources): it happened though the model may see
   * none.
   */
  FAULT: 16,
  /** That fault was a protection fault (error code bit 0), not a missing page. */
  PROTECTION: 32,
  /** The access was the kernel's own (copy_to_user and the like). */
  KERNEL: 64,
} as const;

/** Columns of up to `capacity` references of one thread, in order. Reused from batch to batch. */
export interface RefBatch {
  length: number;
  /** The thread, as in `TraceThread.index`. */
  thread: number;
  readonly page: Uint32Array;
  readonly reads: Uint32Array;
  readonly writes: Uint32Array;
  readonly kind: Uint8Array;
  /** Time of the thread since its previous record or event, in ns (instructions for sources without time). */
  readonly gap: Uint32Array;
  /** 1: kind, reads, writes and gap are those of the record in front, which saves looking. 0: who knows. */
  readonly alike: Uint8Array;
  /**
   * Cache lines of the page that had to come from memory, 0 to 64: generated programs know it. Without it,
   * one line a record is taken to come from memory where nodes differ.
   */
  readonly lines?: Uint8Array;
}

export function makeRefBatch(capacity: number): RefBatch {
  return {
    length: 0,
    thread: 0,
    page: new Uint32Array(capacity),
    reads: new Uint32Array(capacity),
    writes: new Uint32Array(capacity),
    kind: new Uint8Array(capacity),
    gap: new Uint32Array(capacity),
    alike: new Uint8Array(capacity),
  };
}

export type { Advice };

/** Protection bits as in mmap: 1 read, 2 write, 4 execute. */
export type Prot = number;

/** One event; byte addresses and lengths are plain numbers (< 2^48), page-aligned unless said otherwise. */
export type TraceEvent = { readonly thread: number; readonly gap: number } & (
  | {
      readonly kind: "map";
      /** Where the recorded kernel put it; for re-laid-out traces, where the source had it. */
      readonly start: number;
      readonly length: number;
      readonly prot: Prot;
      readonly shared: boolean;
      readonly fixed: boolean;
      /** MAP_STACK. */
      readonly stack: boolean;
      /** A file's mapping: no anonymous huge pages. */
      readonly file: boolean;
      readonly noreserve: boolean;
      readonly populate: boolean;
    }
  | { readonly kind: "unmap"; readonly start: number; readonly length: number }
  | {
      readonly kind: "remap";
      readonly start: number;
      readonly length: number;
      readonly newStart: number;
      readonly newLength: number;
      readonly fixed: boolean;
    }
  | { readonly kind: "protect"; readonly start: number; readonly length: number; readonly prot: Prot }
  | { readonly kind: "advise"; readonly start: number; readonly length: number; readonly advice: Advice }
  /** The heap now ends at `end`; `start` is where it began. */
  | { readonly kind: "brk"; readonly start: number; readonly end: number }
  /** `child` is the new process's first thread. */
  | { readonly kind: "fork"; readonly child: number; readonly vfork: boolean }
  | { readonly kind: "thread"; readonly child: number }
  /** The thread ends; with `process`, all of its process. */
  | { readonly kind: "exit"; readonly process: boolean }
  /** A new address space, empty. `name` is the program's file name, for people. */
  | { readonly kind: "exec"; readonly name: string }
  /** The scheduler moved the thread. */
  | { readonly kind: "cpu"; readonly cpu: number }
  /** prctl(PR_SET_THP_DISABLE): 0 cleared, 1 disabled, 3 disabled except advised. */
  | { readonly kind: "thp-disable"; readonly value: number }
  /** Attached truth: resident file pages of the thread's process, as the real kernel counted them. */
  | { readonly kind: "file-rss"; readonly pages: number }
  /** The source was cut off or lost data here; a note for people. */
  | { readonly kind: "lost"; readonly what: string }
);

/** A thread of the trace. */
export interface TraceThread {
  readonly index: number;
  /** Numbers of the source, for people. */
  readonly pid: number;
  readonly tid: number;
  /** Index of the process among the trace's processes; grows in order of appearance. */
  readonly process: number;
  readonly name: string;
}

/** Slot tables: row s is the region that trace pages s×512 … s×512+511 lie in. Grow while a trace is read. */
export interface TraceRegions {
  count: number;
  /** Process index of each slot. */
  process: Int32Array;
  /** Region number (byte address / 2 MiB) of each slot. */
  region: Float64Array;
}

export interface TraceHeader {
  /** What made the trace: "perf", "pwf", "lackey", "generator", … */
  readonly source: string;
  /** The program and its command, if known. */
  readonly program: string;
  /** Unit of every `gap`. */
  readonly timeUnit: "ns" | "instructions";
  /** Whether references are complete, folded, or only those that faulted. */
  readonly coverage: "references" | "folded" | "faults";
  /** "native": addresses are Linux's own; "relaid": they were placed anew as Linux would place them. */
  readonly layout: "native" | "relaid";
  /** THP mode of the recording, if known: whose faults `REF.FAULT` records are. */
  readonly recordedUnder: string;
  /** How it was made, for people; not there in traces that were imported. */
  readonly recording?: RecordingFacts;
}

/** What a recorder knows of the recording that it makes. */
export interface RecordingFacts {
  readonly command: readonly string[];
  /** The process that was recorded while it ran; not there when the recorder started it. */
  readonly pid?: number;
  /** The recorder's tool, with its version. */
  readonly tool: string;
  readonly machine: string;
  readonly kernel: string;
  /** What the source cannot see, a sentence each. */
  readonly misses: readonly string[];
}

/** A trace being read, in order. `next` answers with one batch or event; undefined at the end. */
export interface TraceReader {
  readonly header: TraceHeader;
  readonly threads: readonly TraceThread[];
  readonly regions: TraceRegions;
  /** The batch is the reader's own and is overwritten by the next call. */
  next(): RefBatch | TraceEvent | undefined;
}

export function isBatch(item: RefBatch | { readonly kind: string }): item is RefBatch {
  return "page" in item;
}
