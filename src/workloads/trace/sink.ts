/**
 * Where importers and generators put a trace, item by item in global order: the store writer, usually.
 * Threads and slots are announced before their first use.
 */
import type { TraceEvent, TraceHeader, TraceThread } from "../records.ts";

export interface TraceSink {
  /**
   * Facts about the whole; may be called again as long as nothing has been written out. False: too late, not
   * taken.
   */
  describe(header: Partial<TraceHeader>): boolean;
  /** A new thread; answers its index, which counts from 0. */
  thread(thread: Omit<TraceThread, "index">): number;
  /** A new slot for that process's 2 MiB region; answers its number, which counts from 0. */
  slot(process: number, region: number): number;
  /** One record of references: columns as in `RefBatch`. */
  reference(thread: number, page: number, kind: number, reads: number, writes: number, gap: number): void;
  event(event: TraceEvent): void;
}

/** Pages in a slot: a slot is a 2 MiB-aligned region of a process. */
export const SLOT_PAGES = 512;
/** Bytes in a slot's region. */
export const SLOT_BYTES = SLOT_PAGES * 4096;
