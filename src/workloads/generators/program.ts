/**
 * What a generated program says: each thread is a generator that yields batches of references and calls, and
 * goes on when the engine has carried them out.
 *
 *     main ─▶ map, batch, spawn ─▶ batch, barrier, batch … ─▶ join ─▶ end
 *                       └─▶ a thread: batch, barrier, batch …
 *
 * The engine writes the moment and a call's answer into `Self` before it resumes the thread. A program may
 * use nothing else: then the same answers give the same items, whichever engine asks.
 */
import type { Prng } from "../../lib/prng.ts";
import type { RefBatch, TraceEvent } from "../records.ts";
import type { Space } from "./space.ts";

/** The machine, as far as a program can see it. */
export interface ProgramMachine {
  readonly nodes: number;
  readonly cpus: number;
  readonly memBytes: number;
  readonly hugeBytes: number;
}

/** Where a thread may run: anywhere, on one node's CPUs, or on one CPU. */
export type Affinity = "any" | { readonly node: number } | { readonly cpu: number };

/** Threads that wait for each other: nobody passes before `parties` of them have come. */
export interface Barrier {
  readonly parties: number;
  /** Threads that wait, in order of arrival: kept by the engine. */
  readonly waiting: number[];
  /** How often it has opened: kept by the engine. */
  rounds: number;
}

export function makeBarrier(parties: number): Barrier {
  return { parties, waiting: [], rounds: 0 };
}

/** System calls with the addresses that a trace would give; `thread` and `gap` are not looked at. */
export type MemoryCall = Extract<
  TraceEvent,
  { readonly kind: "unmap" | "remap" | "protect" | "advise" | "brk" | "thp-disable" }
>;

/** Calls that only programs make, each with its answer in `self.result`. */
export type ProgramCall =
  /** mmap of anonymous memory where the kernel puts it: the address, or an errno negated. */
  | {
      readonly kind: "mmap";
      readonly bytes: number;
      readonly shared: boolean;
      readonly noreserve: boolean;
      readonly populate: boolean;
    }
  /** A child process, or a thread of this one: its number, or an errno negated. */
  | {
      readonly kind: "spawn";
      readonly as: "process" | "thread";
      readonly name: string;
      readonly affinity: Affinity;
      readonly body: Body;
    }
  /** Waits for the end of a thread or process of that number. */
  | { readonly kind: "join"; readonly thread: number }
  | { readonly kind: "barrier"; readonly barrier: Barrier }
  /** set_mempolicy of itself: memory from one node alone (MPOL_BIND), or the default, undefined. */
  | { readonly kind: "mempolicy"; readonly node: number | undefined }
  /** sched_setaffinity of itself. */
  | { readonly kind: "bind"; readonly affinity: Affinity }
  /** Waits without using its CPU. */
  | { readonly kind: "sleep"; readonly ns: number }
  /** A figure of the program's own for the result: told once, under a name in snake_case. */
  | { readonly kind: "tell"; readonly figure: string; readonly value: number }
  /** Computes without touching memory. */
  | { readonly kind: "compute"; readonly ns: number };

export type Item = RefBatch | MemoryCall | ProgramCall;

/** A running program. */
export type Program = Generator<Item, void, void>;

/** What a thread does. */
export type Body = (self: Self) => Program;

/** A thread, as its program sees it. */
export interface Self {
  /** Its number; grows in order of birth, the first thread's is 0. */
  readonly index: number;
  readonly machine: ProgramMachine;
  /** Random numbers of its own, from the run's seed and its number. */
  readonly random: Prng;
  /** The memory of its process; threads share it. */
  readonly space: Space;
  /** Simulated time at which it was last resumed. */
  nowNs: number;
  /** Answer of its last call: an address, a number, or an errno negated. */
  result: number;
  /** What its references are written into; used again from batch to batch. */
  readonly batch: RefBatch;
}
