/**
 * The file that a recording grows in. It appears under its name at the end; when the disk is full, what was
 * stored until then is ended properly and kept.
 */
import { closeSync, constants, ftruncateSync, openSync, rmSync, writeSync } from "node:fs";
import { UserError } from "../lib/assert.ts";
import type { RecordingEnd, TraceTotals } from "../workloads/trace/format.ts";
import type { TraceSink } from "../workloads/trace/sink.ts";
import { makeTraceWriter, type WriterOptions } from "../workloads/trace/writer.ts";

const { O_WRONLY, O_CREAT, O_TRUNC, O_APPEND } = constants;

/** Where the bytes go until the end; as `beginFile` of the command line makes it. */
export interface PendingFile {
  readonly temporary: string;
  keep(): void;
  drop(): void;
}

export interface TraceFile {
  readonly sink: TraceSink;
  /** Why storing ended early, once it has. */
  readonly failure: string | undefined;
  bytes(): number;
  /** Puts what has come by now on the disk. */
  flush(): void;
  end(recorded: RecordingEnd): TraceTotals;
  drop(): void;
}

/** Space kept back beside the file, given up when the disk is full: the end block needs some. */
const RESERVE_BYTES = 64 * 1024;

const NOTHING: TraceSink = {
  describe: () => false,
  thread: () => 0,
  slot: () => 0,
  reference: () => {},
  event: () => {},
};

type Packing = Pick<WriterOptions, "codec" | "compress">;

/** Opens the file. `name` is what it will be called, for messages. */
export function openTraceFile(pending: PendingFile, name: string, packing: Packing): TraceFile {
  const { descriptor, reserve } = openPending(pending, name);
  let reserved = reserve;
  const giveReserve = (): void => {
    if (reserved !== undefined) closeSync(reserved);
    reserved = undefined;
  };
  let bytes = 0;
  let failure: string | undefined;
  const write = (piece: Uint8Array): void => {
    try {
      for (let at = 0; at < piece.length; ) at += writeSync(descriptor, piece, at);
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      failure = code === "ENOSPC" ? "the disk is full" : message;
      giveReserve();
      ftruncateSync(descriptor, bytes);
      throw error;
    }
    bytes += piece.length;
  };
  const writer = makeTraceWriter({ write, ...packing });
  return {
    // Whatever comes after a failure is lost, and said to be.
    sink: untilFailure(writer, () => failure !== undefined),
    get failure() {
      return failure === undefined ? undefined : `${name}: ${failure}; what was recorded until then is kept`;
    },
    bytes: () => bytes,
    flush() {
      if (failure !== undefined) return;
      try {
        writer.flush();
      } catch (error) {
        if (failure === undefined) throw error;
      }
    },
    end(recorded) {
      const totals = endTrace(writer, recorded, () => failure);
      closeSync(descriptor);
      giveReserve();
      pending.keep();
      return totals;
    },
    drop() {
      closeSync(descriptor);
      giveReserve();
      pending.drop();
    },
  };
}

/** The file itself, and what is kept back beside it unless it is a pipe or a device. */
function openPending(pending: PendingFile, name: string) {
  try {
    // Appending: after a write that failed half-way and was cut off again, the next one goes to the new end.
    const descriptor = openSync(pending.temporary, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND);
    const isFile = pending.temporary !== name;
    return { descriptor, reserve: isFile ? openReserve(`${pending.temporary}.reserve`) : undefined };
  } catch (error) {
    pending.drop();
    const { code, message } = error as NodeJS.ErrnoException;
    const why = code === "ENOSPC" ? "the disk is full" : message;
    throw new UserError(`cannot be written: ${why}`, { file: name });
  }
}

/** Takes space on the disk that is free again when the descriptor is closed, or its process killed. */
function openReserve(path: string): number {
  const descriptor = openSync(path, O_WRONLY | O_CREAT | O_TRUNC);
  try {
    writeSync(descriptor, new Uint8Array(RESERVE_BYTES));
    return descriptor;
  } catch (error) {
    closeSync(descriptor);
    throw error;
  } finally {
    rmSync(path, { force: true });
  }
}

type Writer = ReturnType<typeof makeTraceWriter>;

/** Ends the trace where its writing failed, if it has: then the trace says so. */
function endTrace(writer: Writer, recorded: RecordingEnd, failed: () => string | undefined): TraceTotals {
  if (failed() === undefined) {
    try {
      return writer.end(recorded);
    } catch (error) {
      if (failed() === undefined) throw error;
    }
  }
  return writer.abandon({ ...recorded, endedEarly: failed()! });
}

/** Passes items on until one fails; from then on they go nowhere. */
function untilFailure(sink: TraceSink, hasFailed: () => boolean): TraceSink {
  const guarded = <A extends unknown[], R>(work: (...args: A) => R, instead: (...args: A) => R) => {
    return (...args: A): R => {
      if (hasFailed()) return instead(...args);
      try {
        return work(...args);
      } catch (error) {
        if (!hasFailed()) throw error;
        return instead(...args);
      }
    };
  };
  // The hot call takes its numbers without gathering them.
  const reference: TraceSink["reference"] = (thread, page, kind, reads, writes, gap) => {
    if (hasFailed()) return;
    try {
      sink.reference(thread, page, kind, reads, writes, gap);
    } catch (error) {
      if (!hasFailed()) throw error;
    }
  };
  return {
    describe: guarded(sink.describe, NOTHING.describe),
    thread: guarded(sink.thread, NOTHING.thread),
    slot: guarded(sink.slot, NOTHING.slot),
    event: guarded(sink.event, NOTHING.event),
    reference,
  };
}
