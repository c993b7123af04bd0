/**
 * The result of a run: what reports are made of. Plain data; figures carry their unit in their name.
 * A run of one generation on one workload gives one Result; `compare` sets several side by side.
 */
import type { FaultKind, FlushCause } from "../core/events.ts";
import type { ZoneFigures } from "../kernel/buddy/figures.ts";

/** A distribution of latencies. Buckets are log-linear: see `lib/histogram.ts`. */
export interface Distribution {
  readonly count: number;
  readonly totalNs: number;
  readonly p50Ns: number;
  readonly p99Ns: number;
  readonly p999Ns: number;
  readonly maxNs: number;
  /** Non-empty buckets: lower bound in ns, and how many. */
  readonly buckets: readonly (readonly [lowNs: number, count: number])[];
}

/**
 * Memory over simulated time; all arrays have the same length. Sums over the processes that live at that
 * moment.
 */
export interface MemorySeries {
  readonly tNs: readonly number[];
  readonly rssKb: readonly number[];
  readonly anonKb: readonly number[];
  /** Mapped by PMD. */
  readonly anonHugeKb: readonly number[];
  readonly touchedKb: readonly number[];
  /** Resident but never touched. */
  readonly bloatKb: readonly number[];
  /** Huge pages so far: from faults, from khugepaged or MADV_COLLAPSE. */
  readonly hugeFaults: readonly number[];
  readonly hugeCollapses: readonly number[];
  /**
   * Cache lines that programs have fetched from memory so far, of the CPU's node and of others. Known of
   * generated programs, and wherever nodes differ.
   */
  readonly localLines: readonly number[];
  readonly remoteLines: readonly number[];
}

/** See `MOVE_FAILURES`. */
export interface FailedMoves {
  readonly refused: number;
  readonly noRoom: number;
  readonly notIsolated: number;
  readonly noMemory: number;
  readonly busy: number;
}

/** What a machine of several nodes adds. */
export interface NumaResult {
  readonly nodes: number;
  readonly localLines: number;
  readonly remoteLines: number;
  /** What fetching took longer because the memory was on another node, over all CPUs. */
  readonly remoteNs: number;
  /** What fetching waited because the memory was busy, over all CPUs. */
  readonly memoryWaitNs: number;
  /** All hint faults together, moving the page included. */
  readonly hintNs: number;
  /** Time in which pages could not be used because they moved, or were to. */
  readonly moveNs: number;
  /** Faults that waited for a page on its way, and how long. */
  readonly moveWaits: number;
  readonly moveWaitNs: number;
  /** Pages that hint faults wanted to move and could not, by reason; a huge page counts once. */
  readonly failedMoves: FailedMoves;
  /** Passes of the scanner, and their time. */
  readonly scans: number;
  readonly scanNs: number;
  /** Tasks that the load balancer took to another CPU of their node, and to another node. */
  readonly tasksWithinNode: number;
  readonly tasksBetweenNodes: number;
  /** Only of AutoNUMA. */
  readonly autonuma?: AutonumaResult;
}

/** AutoNUMA's own counters: the first three are files in its sysfs folder. */
export interface AutonumaResult {
  /** Passes over all address spaces, and what they called progress, in pages. */
  readonly fullScans: number;
  readonly pagesScanned: number;
  /** Pages that were to be moved, whatever became of them; that moved; that could not. */
  readonly pagesMigrated: number;
  readonly movedPages: number;
  readonly failedPages: number;
  /** Pages whose entry the scanner marked. */
  readonly markedPages: number;
  /** Queues: pages that came, that were called back, that could not be isolated; the longest there was. */
  readonly queuedPages: number;
  readonly cancelledPages: number;
  readonly lostPages: number;
  readonly queuePeakPages: number;
}

export interface ProcessResult {
  readonly pid: number;
  readonly name: string;
  readonly peakRssKb: number;
  readonly peakAnonHugeKb: number;
}

export interface TlbResult {
  readonly references: number;
  readonly firstLevelHits: number;
  readonly secondLevelHits: number;
  readonly walks: number;
  readonly walkReferences: number;
  readonly walkNs: number;
}

export interface LockResult {
  readonly lockClass: string;
  readonly acquisitions: number;
  readonly waits: number;
  readonly waitTotalNs: number;
  readonly waitMaxNs: number;
}

/** How many there were, and how long they lasted. */
export interface Spans {
  readonly count: number;
  readonly totalNs: number;
  readonly longestNs: number;
}

/** What NUMA balancing did to others: see `BalancingTally`. */
export interface BalancingResult {
  /** Pages that the scanner looked at, and base pages' worth of entries that it marked. */
  readonly scanPages: number;
  readonly markedPages: number;
  /** From a hint fault until others can use the page; where the entry is restored first: from unmapping. */
  readonly outOfReachBase: Spans;
  readonly outOfReachHuge: Spans;
  /** Faults that waited for a page on its way. */
  readonly waits: Spans;
}

/** A call that failed, and how often. */
export interface FailedCall {
  readonly call: string;
  /** Positive, as in errno.h. */
  readonly errno: number;
  readonly count: number;
}

export interface Result {
  readonly schema: 1;
  readonly generation: string;
  readonly machine: string;
  /** Each page of the model stands for that many; memory and pages below are the model's. Left out: 1. */
  readonly scale?: number;
  readonly hardware: string;
  readonly seed: number;
  readonly workload: string;
  /** Knobs that differ from the generation's defaults. */
  readonly settings: Readonly<Record<string, string>>;
  readonly outcome: "finished" | "oom";
  /** Calls of a script or of a generated program that the kernel refused; left out when there are none. */
  readonly failedCalls?: readonly FailedCall[];
  /** Whether TLB figures mean anything: false when the trace holds faults alone. */
  readonly referencesComplete: boolean;
  /** Counters that changed, under their /proc/vmstat names, in kernel order. */
  readonly vmstat: Readonly<Record<string, number>>;
  readonly touchedPeakKb: number;
  /** Largest peak of one process, as getrusage has it. */
  readonly peakRssKb: number;
  /** Peak of the sum over processes. */
  readonly peakRssSumKb: number;
  readonly meanRssSumKb: number;
  readonly peakAnonHugeKb: number;
  readonly peakBloatKb: number;
  readonly finalBloatKb: number;
  /** Bytes copied because of fork (copy on write). */
  readonly cowCopiedKb: number;
  readonly hugeFromFault: number;
  readonly hugeCollapsed: number;
  readonly hugeSplit: number;
  readonly hugeFallback: number;
  /** Time-weighted mean share of anonymous memory under huge pages, 0..1. */
  readonly hugeShareMean: number;
  readonly faults: Readonly<Partial<Record<FaultKind, Distribution>>>;
  readonly faultsAll: Distribution;
  readonly tlb: TlbResult;
  readonly shootdowns: {
    readonly rounds: number;
    readonly interrupts: number;
    /** Interrupts by what the flush was for; causes without any are left out. */
    readonly byCause: Readonly<Partial<Record<FlushCause, number>>>;
    /** Time of those who sent interrupts and waited, and of the CPUs that were interrupted. */
    readonly senderNs: number;
    readonly interruptedNs: number;
  };
  /** Left out on a machine of one node. */
  readonly numa?: NumaResult;
  readonly balancing: BalancingResult;
  readonly khugepagedNs: number;
  readonly compactionNs: number;
  readonly reclaimNs: number;
  readonly runNs: number;
  readonly series: MemorySeries;
  readonly processes: readonly ProcessResult[];
  /** Contention, by class of lock. */
  readonly locks: readonly LockResult[];
  /** Free memory when the run was over, zone by zone and order by order: how fragmented it was left. */
  readonly zones: readonly ZoneFigures[];
  /** Figures of the workload's own, by name; absent when it tells none. */
  readonly told?: Readonly<Record<string, number>>;
  /** What the workload assumes where its source is silent; absent when nothing. */
  readonly assumes?: readonly string[];
}
