/**
 * What NUMA balancing remembers: of each address space, each task, each group of tasks, and each page.
 *
 *     tick ─▶ pass over the address space: marks entries ─▶ hint faults ─▶ faults[node] ─▶ preferred node
 *                    ▲                                                          └─▶ period of the next pass
 *                    └────────────────────────────────────────────────────────────────┘
 *
 * Models:       struct task_struct, mm_struct and numa_group as far as kernel/sched/fair.c uses them for
 *               NUMA balancing; page->_last_cpupid, v6.1.
 * Not modelled: slow memory tiers, the load of CPUs.
 */
import type { NodeId } from "../../core/units.ts";
import { MS_NS, NO_NODE } from "../../core/units.ts";
import type { Mm } from "../mm/mm.ts";
import type { Vma } from "../mm/vma.ts";
import type { Kernel } from "../state.ts";
import type { AreaNuma } from "./area.ts";
import type { EarlyNuma } from "./early/state.ts";

/** A timer tick, with HZ=250. The kernel counts time in these where it says jiffies. */
export const JIFFY_NS = 4 * MS_NS;

/** Balancing's state of an address space; fork copies it. */
export interface MmNuma {
  /** No pass before that jiffy; 0: none has been planned yet. */
  nextScan: number;
  /** Where the next pass goes on, as a page number. */
  offsetVpn: number;
  /** Passes that reached the end. */
  scanSeq: number;
  /** The pass in which its threads' stacks were last marked, plus one; 0: never. See stack.ts. */
  stacksMarked: number;
}

export function makeMmNuma(): MmNuma {
  return { nextScan: 0, offsetVpn: 0, scanSeq: 0, stacksMarked: 0 };
}

/** Kinds of fault sums: averages of memory and CPU, and what came in since the last placement. */
export const FAULTS = { MEM: 0, CPU: 1, MEM_BUFFER: 2, CPU_BUFFER: 3 } as const;

/** Index into `locality`. */
export const LOCALITY = { REMOTE: 0, LOCAL: 1, FAILED: 2 } as const;

/** Tasks that share memory, and the sums of their faults. */
export interface NumaGroup {
  readonly id: number;
  tasks: number;
  /** MEM and CPU sums: see `faultIndex`. */
  readonly faults: Float64Array;
  totalFaults: number;
  activeNodes: number;
  /** CPU faults on the node that has most of them. */
  maxCpuFaults: number;
}

/** Balancing's state of a task. Only the task itself changes it, but for its group's sums. */
export interface NumaTask {
  /** Its low eight bits mark pages. */
  readonly pid: number;
  mm: Mm | undefined;
  /** The one node that its memory may come from (set_mempolicy), or NO_NODE. */
  memoryNode: NodeId;
  /** CPU time until it last stopped, and since when it runs. */
  ranNs: number;
  resumedNs: number;
  running: boolean;
  /** The next tick that may find it running. */
  tickAtNs: number;
  /** A pass has been asked for and runs at the next return to the program. */
  workQueued: boolean;
  /** CPU time from which the period counts. */
  nodeStampNs: number;
  scanSeq: number;
  scanPeriodMs: number;
  scanPeriodMaxMs: number;
  preferred: NodeId;
  /** No attempt to move the task before that jiffy. */
  migrateRetry: number;
  /** Made at the first fault that counts: see `faultIndex`. */
  faults: Float64Array | undefined;
  totalFaults: number;
  /** Pages by how their fault went: see `LOCALITY`. */
  readonly locality: [remote: number, local: number, failed: number];
  pagesMigrated: number;
  group: NumaGroup | undefined;
  lastPlacementNs: number;
  lastRuntimeNs: number;
  /** Where its stack is: where it first ran for a while; NO_NODE before that. See stack.ts. */
  stackNode: NodeId;
  /** The mark of its stack (`stacksMarked`) that it has come upon last. */
  stackTouched: number;
}

/** Where the current task could run. */
export interface TaskSeats {
  /** Tasks that a CPU runs, or that wait for it; daemons do not count. */
  readonly tasksOn: (cpu: number) => number;
  /** Whether the current task may run there, and whether the one that runs there may run here. */
  readonly mayGo: (cpu: number) => boolean;
  readonly mayCome: (cpu: number) => boolean;
  /** The current task goes on there. */
  readonly go: (cpu: number) => void;
}

export interface NumaState {
  /**
   * Who used each page last, plus one, so that zero means nobody: (cpu << 8 | pid & 255) + 1. Made when the
   * first page is marked; heads only, for huge pages.
   */
  cpupid: Int32Array | undefined;
  /** What the scanner knows of areas (6.4+): see area.ts. */
  readonly areas: WeakMap<Vma, AreaNuma>;
  /** The task that each CPU runs. */
  readonly running: (NumaTask | undefined)[];
  nextPid: number;
  nextGroup: number;
  /**
   * Moves the current task to a CPU of that node if it may run there and one is idle; the node where it is to
   * run afterwards. Given by whoever drives the tasks.
   */
  place: ((task: NumaTask, node: NodeId) => NodeId) | undefined;
  /**
   * The current task and the one that runs on that CPU change places, if both may; true if they do. Given by
   * whoever drives the tasks.
   */
  exchange: ((cpu: number) => boolean) | undefined;
  /** The CPUs as the current task's scheduler sees them: given by whoever drives the tasks. */
  seats: TaskSeats | undefined;
  /** What the designs of 2012 remember: made by the first that asks. */
  early: EarlyNuma | undefined;
}

/** The first program's number: assumed, those before it belong to the system. */
const FIRST_PID = 1000;

export function makeNuma(cpus: number): NumaState {
  return {
    cpupid: undefined,
    areas: new WeakMap(),
    running: new Array<NumaTask | undefined>(cpus).fill(undefined),
    nextPid: FIRST_PID,
    nextGroup: 1,
    place: undefined,
    exchange: undefined,
    seats: undefined,
    early: undefined,
  };
}

/** A task as exec leaves it, but for its parent's traits. Forks and threads: see `fork.ts`. */
export function makeNumaTask(k: Kernel, mm: Mm | undefined): NumaTask {
  return {
    pid: k.numa.nextPid++,
    mm,
    memoryNode: NO_NODE,
    ranNs: 0,
    resumedNs: 0,
    running: false,
    tickAtNs: 0,
    workQueued: false,
    nodeStampNs: 0,
    scanSeq: 0,
    scanPeriodMs: k.tunables.numaScanDelayMs,
    scanPeriodMaxMs: 0,
    preferred: NO_NODE,
    migrateRetry: 0,
    faults: undefined,
    totalFaults: 0,
    locality: [0, 0, 0],
    pagesMigrated: 0,
    group: undefined,
    lastPlacementNs: 0,
    lastRuntimeNs: 0,
    stackNode: NO_NODE,
    stackTouched: mm?.numa.stacksMarked ?? 0,
  };
}

/** The task that runs on the current CPU. */
export function currentTask(k: Kernel): NumaTask | undefined {
  return k.numa.running[k.cpu];
}

/** The number of the tick before this moment. */
export function jiffies(k: Kernel): number {
  return Math.floor(k.nowNs / JIFFY_NS);
}

export function msToJiffies(ms: number): number {
  return Math.ceil((ms * MS_NS) / JIFFY_NS);
}

/** CPU time that a task has used. */
export function cpuTimeNs(k: Kernel, task: NumaTask): number {
  return task.running ? task.ranNs + (k.nowNs - task.resumedNs) : task.ranNs;
}

/** The driver: a task (or a daemon, which is none) goes on at this moment on the current CPU. */
export function taskRuns(k: Kernel, task: NumaTask | undefined): void {
  const fresh = k.numa.running[k.cpu] !== task;
  k.numa.running[k.cpu] = task;
  if (task === undefined) return;
  task.running = true;
  task.resumedNs = k.nowNs;
  // Ticks that passed while it did not run did not find it.
  if (fresh && task.tickAtNs <= k.nowNs) task.tickAtNs = (jiffies(k) + 1) * JIFFY_NS;
}

/** The driver: a task stops at this moment; it may go on at once. */
export function taskStops(k: Kernel, task: NumaTask): void {
  task.ranNs = cpuTimeNs(k, task);
  task.running = false;
}

/** Index into `faults`; `isPrivate` is 1 for faults on pages that nobody else uses, else 0. */
export function faultIndex(k: Kernel, kind: number, node: number, isPrivate: number): number {
  return (kind * k.machine.nodes + node) * 2 + isPrivate;
}
