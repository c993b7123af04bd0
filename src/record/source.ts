/** What every source of recordings offers: whether it works here, what it sees, and how it is started. */
import type { ImportFormat } from "../workloads/import/detect.ts";
import type { Launched } from "./launcher.ts";

/** What is to be recorded. */
export interface Subject {
  /** The program and its arguments; empty when `pid` names one that runs already. */
  readonly program: readonly string[];
  readonly pid?: number;
  /** Switch huge pages off for the program while it is recorded. */
  readonly hugePagesOff: boolean;
  /** Switch the randomization of its addresses off: where a huge page fits is the same in every run. */
  readonly fixedLayout: boolean;
}

/** A recording under way. */
export interface Capture {
  /** Text for the importer of the source's format, as it comes; ends behind `stop`, or by itself. */
  readonly text: AsyncIterable<Uint8Array>;
  /** The program, not yet let go; undefined for one that ran before. */
  readonly launched: Launched | undefined;
  /** What it does to the program meanwhile, for people. */
  readonly remarks?: readonly string[];
  /** Ends the recording; what was seen until then still comes. */
  stop(): void;
  /** What the tool complained of, its last lines; to be read when `text` has ended. */
  complaints(): readonly string[];
  /** Removes what the capture made for itself. */
  close(): void | Promise<void>;
}

export interface Source {
  readonly name: SourceName;
  readonly format: ImportFormat;
  /** What it is and what it sees, for people. */
  readonly sees: string;
  /** What it cannot see: stored in the trace. */
  readonly misses: readonly string[];
  /** Why it does not work here and what to do about it; undefined when it works. */
  missing(subject: Subject): string | undefined;
  /** The tool with its version. */
  tool(): string;
  start(subject: Subject): Promise<Capture>;
}

export type SourceName = "perf" | "valgrind" | "lackey" | "strace";

/** Keeps the last few lines of a tool's standard error. */
export function makeComplaints(): { take(piece: Buffer): void; lines(): readonly string[] } {
  let text = "";
  return {
    take(piece) {
      text = (text + piece.toString("utf8")).slice(-4096);
    },
    lines: () => text.split("\n").filter((line) => line.trim() !== ""),
  };
}
