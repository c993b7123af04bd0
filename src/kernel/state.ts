/**
 * The kernel's state, as mechanisms see it. Nothing that a run can change lives outside of it. Hot state is
 * columns (frames, page tables, TLBs); what comes in hundreds (VMAs, address spaces) is plain objects of
 * fixed shape.
 *
 * `cpu` and `nowNs` belong to whoever drives the paths: it sets both before it resumes one and reads `nowNs`
 * after.
 */
import type { EventCode, KernelListener } from "../core/events.ts";
import type { Geometry } from "../core/geometry.ts";
import type { Knobs } from "../core/knobs.ts";
import type { CpuId } from "../core/units.ts";
import type { Prng } from "../lib/prng.ts";
import type { Behaviours } from "./behaviours.ts";
import type { Buddy } from "./buddy/state.ts";
import type { Costs } from "./costs.ts";
import type { KhugepagedState } from "./khugepaged/state.ts";
import type { Locks } from "./locks.ts";
import type { MachineSpec } from "./machine.ts";
import type { Blocks, Frames } from "./mm/frames.ts";
import type { Mm, Totals } from "./mm/mm.ts";
import type { PageTables } from "./mm/page-table.ts";
import type { RmapState } from "./mm/rmap.ts";
import type { NumaState } from "./numa/state.ts";
import type { Lru } from "./reclaim/state.ts";
import type { Swap } from "./reclaim/swap.ts";
import type { Reservations } from "./reservation/state.ts";
import type { ThpState } from "./thp/state.ts";
import type { Tlb } from "./tlb/tlb.ts";
import type { Traffic } from "./traffic.ts";
import type { Tunables } from "./tunables.ts";
import type { Witness } from "./witness.ts";

export interface Kernel {
  readonly machine: MachineSpec;
  readonly geometry: Geometry;
  readonly behaviours: Behaviours;
  readonly costs: Costs;
  readonly knobs: Knobs;
  /** Knob values that hot paths read, kept in step with `knobs`. */
  readonly tunables: Tunables;
  /** Counters: `k.vmstat[C.pgfault]`. */
  readonly vmstat: Float64Array;
  readonly frames: Frames;
  readonly blocks: Blocks;
  readonly pt: PageTables;
  readonly buddy: Buddy;
  readonly lru: Lru;
  readonly tlb: Tlb;
  readonly traffic: Traffic;
  readonly rmap: RmapState;
  readonly swap: Swap;
  readonly thp: ThpState;
  readonly khugepaged: KhugepagedState;
  readonly numa: NumaState;
  readonly reservations: Reservations;
  readonly locks: Locks;
  /** Pages (heads) on their way to another frame: their hint entries are migration entries. */
  readonly moving: Set<number>;
  readonly prng: Prng;
  /** Time that TLB shootdowns have taken so far: of their senders, of the CPUs that were interrupted. */
  readonly shootdowns: { senderNs: number; interruptedNs: number };
  /** Frames with a long-lived pin, and how many. */
  readonly pins: Map<number, number>;
  /** Address spaces by id; undefined when gone. */
  readonly mms: (Mm | undefined)[];
  readonly totals: Totals;
  /** CPU that the current path runs on. */
  cpu: CpuId;
  /** That CPU's clock. Paths move it with `spend`. */
  nowNs: number;
  /**
   * Time that interrupts took on each CPU since its path was last resumed: the driver adds it to the CPU's
   * clock.
   */
  readonly stolenNs: Float64Array;
  listener: KernelListener | undefined;
  /** Told which function of the kernel a path has come to, by its name there; for step-by-step recordings. */
  onEnter: ((kernelFunction: string) => void) | undefined;
  /** The explorer, when it drives the paths. */
  witness: Witness | undefined;
}

/** The current path used that much CPU time. */
export function spend(k: Kernel, ns: number): void {
  k.nowNs += ns;
}

/** The path has come to what the kernel does in that function. Costs a branch when nobody records steps. */
export function enter(k: Kernel, kernelFunction: string): void {
  if (k.onEnter !== undefined) k.onEnter(kernelFunction);
}

/** Tells the listener, if there is one. */
export function emit(k: Kernel, code: EventCode, a: number, b = 0, c = 0, d = 0): void {
  if (k.listener !== undefined) k.listener(code, k.nowNs, k.cpu, a, b, c, d);
}
