/**
 * A parsed workload script (`.pw`). Sizes and addresses are bytes, times ns; ranges are offsets inside the
 * region. The language is defined in docs/workload-scripts.md.
 */
import type { Advice } from "../records.ts";

/** `to` is undefined when the range goes to the region's end. */
export interface ByteRange {
  readonly from: number;
  readonly to: number | undefined;
}

export type ScriptProt = "ro" | "rw" | "none";

/** What a process says of huge pages for itself: none, none unless advised (6.18+), or as the knobs say. */
export type ThpDisable = "on" | "except-advised" | "off";

export type Statement = { readonly line: number } & (
  | { readonly op: "cpu"; readonly cpu: number }
  | {
      readonly op: "map";
      readonly region: string;
      readonly size: number;
      readonly at: number | undefined;
      readonly align: number | undefined;
      readonly prot: ScriptProt;
      readonly shared: boolean;
      readonly populate: boolean;
    }
  | { readonly op: "unmap"; readonly region: string; readonly range: ByteRange | undefined }
  | { readonly op: "remap"; readonly region: string; readonly size: number; readonly at: number | undefined }
  | {
      readonly op: "protect";
      readonly region: string;
      readonly range: ByteRange | undefined;
      readonly prot: ScriptProt;
    }
  | {
      readonly op: "advise";
      readonly region: string;
      readonly range: ByteRange | undefined;
      readonly advice: Advice;
    }
  | {
      readonly op: "read" | "write";
      readonly region: string;
      readonly range: ByteRange | undefined;
      readonly step: number;
      /** Set for `random SEED COUNT`. */
      readonly random: { readonly seed: bigint; readonly count: number } | undefined;
    }
  | {
      readonly op: "pin";
      readonly region: string;
      readonly range: ByteRange | undefined;
      /** "ro": to read from; "rw": to write to, which copies what is shared first. */
      readonly prot: "ro" | "rw";
    }
  | { readonly op: "unpin"; readonly region: string }
  | { readonly op: "split"; readonly region: string; readonly range: ByteRange | undefined }
  | { readonly op: "thp_disable"; readonly mode: ThpDisable }
  | { readonly op: "sleep"; readonly ns: number }
  | { readonly op: "repeat"; readonly times: number; readonly body: readonly Statement[] }
  | { readonly op: "during"; readonly ns: number; readonly body: readonly Statement[] }
  | { readonly op: "fork" | "thread"; readonly name: string; readonly body: readonly Statement[] }
  | { readonly op: "join"; readonly name: string }
  | { readonly op: "snapshot"; readonly label: string }
);

/**
 * `expect FIGURE OP NUMBER`, checked against the snapshot above it. FIGURE: a counter, or `region.figure`.
 */
export interface Expectation {
  readonly line: number;
  readonly snapshot: string;
  readonly figure: string;
  readonly comparison: "==" | "!=" | "<" | "<=" | ">" | ">=";
  readonly value: number;
  /** Allowed distance from `value` (of `tolerance FIGURE NUMBER[%]` lines before it); 0 when none. */
  readonly tolerance: number;
}

export interface ScriptMachine {
  readonly nodes: number;
  readonly cpus: number;
  readonly memBytes: number;
  readonly hugeBytes: number | undefined;
  /** Swap space; undefined is none. */
  readonly swapBytes?: number | undefined;
  /** Each page of the model stands for that many. */
  readonly scale?: number;
}

export interface Script {
  readonly file: string;
  readonly machine: ScriptMachine | undefined;
  /** `set` lines in order: knob, value, line. */
  readonly settings: readonly { readonly knob: string; readonly value: string; readonly line: number }[];
  readonly body: readonly Statement[];
  readonly expectations: readonly Expectation[];
}
