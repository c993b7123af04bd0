/** What the time driver keeps: its runners, what each CPU does, and how far time has come. */
import type { Op, Path } from "../core/ops.ts";
import type { Mm } from "../kernel/mm/mm.ts";
import type { NumaTask } from "../kernel/numa/state.ts";
import type { Kernel } from "../kernel/state.ts";
import { type Heap, makeHeap, pushHeap } from "../lib/heap.ts";
import { type Balancer, makeBalancer } from "./balancer.ts";
import type { CpuRange } from "./cpu-range.ts";

export type RunnerState = "ready" | "running" | "blocked" | "sleeping" | "waiting" | "done";

export interface Runner {
  readonly id: number;
  readonly name: string;
  /** The address space that it runs; undefined for daemons. */
  mm: Mm | undefined;
  /** What NUMA balancing knows of a task; undefined for daemons. */
  task: NumaTask | undefined;
  /** Where it may run: nobody moves it anywhere else. */
  cpus: CpuRange;
  cpu: number;
  /** Where it wants to go on; differs from `cpu` until the driver has moved it. */
  wantedCpu: number;
  path: Path<unknown>;
  /** Paths that called the one in front of them, outermost first. */
  readonly callers: Path<unknown>[];
  state: RunnerState;
  /** What it has yielded and not been answered, because others were behind it in time. */
  pending: Op | undefined;
  /** Its clock when it last stopped. */
  clockNs: number;
  /** Until then it does nothing that others would notice, unless somebody disturbs it; see steady.ts. */
  quietUntilNs: number;
  onDone: (() => void) | undefined;
}

export interface CpuState {
  readonly id: number;
  /** Runner that has the CPU, or -1. */
  current: number;
  sliceStartNs: number;
  /** When it last became idle: nobody runs on it before. */
  freeNs: number;
  /** Runners that want it, in order. */
  readonly queue: number[];
  /** Address space whose translations it uses. */
  mm: Mm | undefined;
  /** How often another runner than before has had it. */
  switches: number;
  lastRunner: number;
}

export interface Driver {
  readonly k: Kernel;
  readonly runners: Runner[];
  readonly heap: Heap;
  readonly cpus: CpuState[];
  readonly balancer: Balancer;
  /** When somebody else's time comes: a task that computes for long yields there. */
  horizonNs: number;
  /** The same for a task that is in its program: its next tick comes in between. */
  programLimitNs: number;
  /** How far a task in its program may be ahead of the horizon: taking turns costs more than touching. */
  quantumNs: number;
  /** Largest time that any runner has reached. */
  nowNs: number;
  /** What the path that was called last returned. */
  returned: unknown;
  readonly callOp: { kind: "call"; path: Path<unknown> };
  /** The next moment at which `onSample` wants to look; it moves the mark itself. */
  sampleAtNs: number;
  onSample: ((tNs: number) => void) | undefined;
  /** Told what paths yield and when runners had their CPUs; undefined unless a run is recorded. */
  watch: Watch | undefined;
}

export interface Watch {
  /** A path yielded an op, which is answered next. */
  op(runner: Runner, op: Op): void;
  /** A runner had its CPU. */
  ran(runner: Runner, fromNs: number, toNs: number): void;
}

export function makeDriver(k: Kernel): Driver {
  return {
    k,
    runners: [],
    heap: makeHeap(64),
    cpus: Array.from({ length: k.machine.cpus }, (_, id) => ({
      id,
      current: -1,
      sliceStartNs: 0,
      freeNs: 0,
      queue: [],
      mm: undefined,
      switches: 0,
      lastRunner: -1,
    })),
    balancer: makeBalancer(k.machine.cpus),
    horizonNs: Number.POSITIVE_INFINITY,
    programLimitNs: Number.POSITIVE_INFINITY,
    quantumNs: 0,
    nowNs: 0,
    returned: undefined,
    callOp: { kind: "call", path: undefined as never },
    sampleAtNs: Number.POSITIVE_INFINITY,
    onSample: undefined,
    watch: undefined,
  };
}

export interface RunnerOptions {
  readonly name: string;
  readonly mm: Mm | undefined;
  readonly task?: NumaTask;
  /** Every CPU, unless told. */
  readonly cpus?: CpuRange;
  readonly cpu: number;
  readonly atNs: number;
  readonly path: Path<unknown>;
}

/** The runner's time comes at `atNs`. */
export function schedule(d: Driver, runner: Runner, atNs: number): void {
  pushHeap(d.heap, atNs, runner.id);
  if (atNs < d.horizonNs) d.horizonNs = atNs;
  if (atNs + d.quantumNs < d.programLimitNs) d.programLimitNs = atNs + d.quantumNs;
}
