/**
 * The figures by which runs are compared: each declared once, with the words a person reads, the name a
 * kernel developer knows, its unit, and whether less of it is better. Table, text and HTML come from this
 * list.
 */
import { FAULT_KINDS, type FaultKind } from "../core/events.ts";
import type { Result } from "../metrics/result.ts";
import { CONTENTION } from "./figures-contention.ts";
import { NUMA_FIGURES } from "./figures-numa.ts";
import type { FigureKind } from "./format.ts";

export interface Figure {
  readonly key: string;
  readonly label: string;
  /** What it is, in one sentence. */
  readonly doc: string;
  readonly kind: FigureKind;
  readonly better: "lower" | "higher" | "neither";
  /** The base unit; undefined when the run cannot know it. */
  read(result: Result): number | undefined;
  /** Smallest difference that is called better or worse, in the base unit. */
  readonly least?: number;
  /** Left out of tables in which every column is 0 or unknown. */
  readonly rare?: boolean;
}

export interface FigureGroup {
  readonly title: string;
  readonly figures: readonly Figure[];
}

const KIB = 1024;

const MEMORY: readonly Figure[] = [
  {
    key: "touched",
    label: "memory the program touched, peak",
    doc: "Distinct 4 KiB pages that the program itself used: what it needed.",
    kind: "bytes",
    better: "neither",
    read: (r) => r.touchedPeakKb * KIB,
  },
  {
    key: "peak_rss_sum",
    label: "resident memory, peak",
    doc: "Largest sum of resident memory over all processes alive at one moment.",
    kind: "bytes",
    better: "lower",
    read: (r) => r.peakRssSumKb * KIB,
  },
  {
    key: "mean_rss_sum",
    label: "resident memory, mean",
    doc: "The same, averaged over simulated time.",
    kind: "bytes",
    better: "lower",
    read: (r) => r.meanRssSumKb * KIB,
  },
  {
    key: "peak_rss",
    label: "largest process, peak",
    doc: "Largest resident memory of one process, as getrusage reports it.",
    kind: "bytes",
    better: "lower",
    read: (r) => r.peakRssKb * KIB,
  },
  {
    key: "peak_bloat",
    label: "bloat (never touched), peak",
    doc: "Memory that is resident though the program never touched it.",
    kind: "bytes",
    better: "lower",
    read: (r) => r.peakBloatKb * KIB,
  },
  {
    key: "final_bloat",
    label: "bloat at the end",
    doc: "The same at the end of the run.",
    kind: "bytes",
    better: "lower",
    read: (r) => r.finalBloatKb * KIB,
  },
  {
    key: "cow_copied",
    label: "copied after fork",
    doc: "Bytes copied because parent and child wrote to memory they shared.",
    kind: "bytes",
    better: "lower",
    read: (r) => r.cowCopiedKb * KIB,
    rare: true,
  },
];

const HUGE: readonly Figure[] = [
  {
    key: "huge_from_fault",
    label: "given at first touch",
    doc: "Huge pages that a page fault allocated (thp_fault_alloc).",
    kind: "count",
    better: "neither",
    read: (r) => r.hugeFromFault,
  },
  {
    key: "huge_collapsed",
    label: "made later (khugepaged)",
    doc: "Huge pages that khugepaged or MADV_COLLAPSE made of small ones (thp_collapse_alloc).",
    kind: "count",
    better: "neither",
    read: (r) => r.hugeCollapsed,
  },
  {
    key: "huge_promoted",
    label: "promoted from reservations",
    doc: "Reservations that became huge pages in place (res_pages_collapsed, thp_res_promoted_fault).",
    kind: "count",
    better: "neither",
    read: (r) => (r.vmstat.res_pages_collapsed ?? 0) + (r.vmstat.thp_res_promoted_fault ?? 0),
    rare: true,
  },
  {
    key: "huge_reserved",
    label: "reservations made",
    doc: "Blocks held back for a region at its first touch (thp_res_alloc).",
    kind: "count",
    better: "neither",
    read: (r) => r.vmstat.thp_res_alloc ?? 0,
    rare: true,
  },
  {
    key: "huge_split",
    label: "broken up again",
    doc: "Huge mappings that became small ones (thp_split_pmd).",
    kind: "count",
    better: "lower",
    read: (r) => r.hugeSplit,
  },
  {
    key: "huge_fallback",
    label: "wanted, not available",
    doc: "Faults that had to fall back to a small page (thp_fault_fallback).",
    kind: "count",
    better: "lower",
    read: (r) => r.hugeFallback,
  },
  {
    key: "peak_anon_huge",
    label: "memory under huge pages, peak",
    doc: "Largest amount of anonymous memory mapped by huge pages (AnonHugePages).",
    kind: "bytes",
    better: "neither",
    read: (r) => r.peakAnonHugeKb * KIB,
  },
  {
    key: "huge_share_mean",
    label: "share under huge pages, mean",
    doc: "Share of anonymous memory that huge pages map, averaged over simulated time.",
    kind: "share",
    better: "higher",
    read: (r) => r.hugeShareMean,
  },
];

const FAULT_LABELS: Readonly<Record<FaultKind, string>> = {
  "anon-4k": "new small page",
  "anon-huge": "new huge page",
  "zero-4k": "read of a new small page (zero page)",
  "zero-huge": "read of a new huge page (zero page)",
  "cow-copy": "copy on write",
  "cow-reuse": "write to a page no longer shared",
  "cow-huge": "write to a shared huge page",
  "swap-in": "back from swap",
  file: "file page",
  "hint-4k": "NUMA hint, small page",
  "hint-huge": "NUMA hint, huge page",
  spurious: "already there",
  failed: "refused (SIGSEGV or out of memory)",
};

/** One row for each kind of fault. */
const FAULT_KIND_FIGURES: readonly Figure[] = FAULT_KINDS.map((kind) => ({
  key: "faults_" + kind.replaceAll("-", "_"),
  label: "· " + FAULT_LABELS[kind],
  doc: `Faults of the kind ${kind}.`,
  kind: "count" as const,
  better: "neither" as const,
  read: (r: Result) => r.faults[kind]?.count ?? 0,
  rare: true,
}));

const FAULTS: readonly Figure[] = [
  {
    key: "page_faults",
    label: "page faults",
    doc: "How often the program had to wait for the kernel to give it a page (pgfault).",
    kind: "count",
    better: "lower",
    read: (r) => r.vmstat.pgfault ?? 0,
  },
  ...FAULT_KIND_FIGURES,
  {
    key: "fault_time",
    label: "fault time, total",
    doc: "Time that all page faults took together.",
    kind: "ns",
    better: "lower",
    read: (r) => r.faultsAll.totalNs,
  },
  {
    key: "fault_p50",
    label: "one fault, p50",
    doc: "Half of the faults are at most this long.",
    kind: "ns",
    better: "lower",
    read: (r) => r.faultsAll.p50Ns,
  },
  {
    key: "fault_p99",
    label: "one fault, p99",
    doc: "99 of 100 faults are at most this long.",
    kind: "ns",
    better: "lower",
    read: (r) => r.faultsAll.p99Ns,
  },
  {
    key: "fault_p999",
    label: "one fault, p99.9",
    doc: "999 of 1000 faults are at most this long.",
    kind: "ns",
    better: "lower",
    read: (r) => r.faultsAll.p999Ns,
  },
  {
    key: "fault_max",
    label: "one fault, longest",
    doc: "The longest fault of the run.",
    kind: "ns",
    better: "lower",
    read: (r) => r.faultsAll.maxNs,
  },
];

const TRANSLATION: readonly Figure[] = [
  {
    key: "tlb_misses",
    label: "TLB misses",
    doc: "References whose translation no TLB level held, so that the page table was walked.",
    kind: "count",
    better: "lower",
    read: (r) => (r.referencesComplete ? r.tlb.walks : undefined),
  },
  {
    key: "tlb_miss_share",
    label: "TLB misses per 1000 references",
    doc: "The same in relation to all references.",
    kind: "per-thousand",
    better: "lower",
    read: (r) => (r.referencesComplete && r.tlb.references > 0 ? r.tlb.walks / r.tlb.references : undefined),
  },
  {
    key: "walk_time",
    label: "page-walk time",
    doc: "Time that those walks took.",
    kind: "ns",
    better: "lower",
    read: (r) => (r.referencesComplete ? r.tlb.walkNs : undefined),
  },
];

/** Below ten microseconds in a whole run nobody changes a setting. */
const LEAST_NS = 10_000;

const KERNEL_WORK: readonly Figure[] = [
  {
    key: "khugepaged_time",
    label: "khugepaged time",
    doc: "CPU time of the thread that makes huge pages in the background.",
    kind: "ns",
    better: "lower",
    least: LEAST_NS,
    read: (r) => r.khugepagedNs,
  },
  {
    key: "compaction_time",
    label: "compaction time",
    doc: "Time spent moving pages to make room for huge ones.",
    kind: "ns",
    better: "lower",
    least: LEAST_NS,
    read: (r) => r.compactionNs,
  },
  {
    key: "reclaim_time",
    label: "reclaim time",
    doc: "Time spent freeing memory under pressure.",
    kind: "ns",
    better: "lower",
    least: LEAST_NS,
    read: (r) => r.reclaimNs,
    rare: true,
  },
  {
    key: "shootdown_interrupts",
    label: "TLB shootdown interrupts",
    doc: "Interrupts sent to other CPUs so that they forget a translation.",
    kind: "count",
    better: "lower",
    read: (r) => r.shootdowns.interrupts,
    rare: true,
  },
  {
    key: "lock_wait",
    label: "waiting for locks",
    doc: "Time that paths of the kernel waited for each other.",
    kind: "ns",
    better: "lower",
    least: LEAST_NS,
    read: (r) => r.locks.reduce((sum, lock) => sum + lock.waitTotalNs, 0),
    rare: true,
  },
  {
    key: "run_time",
    label: "simulated run time",
    doc: "How long the workload took in simulated time.",
    kind: "ns",
    better: "lower",
    read: (r) => r.runNs,
  },
];

export const FIGURE_GROUPS: readonly FigureGroup[] = [
  { title: "memory", figures: MEMORY },
  { title: "huge pages", figures: HUGE },
  { title: "page faults", figures: FAULTS },
  { title: "address translation", figures: TRANSLATION },
  { title: "memory on several nodes", figures: NUMA_FIGURES },
  { title: "contention", figures: CONTENTION },
  { title: "the kernel's work", figures: KERNEL_WORK },
];
