/**
 * The knobs of /sys/kernel/mm and /proc/sys that the model obeys, with the kernel's defaults and ranges.
 *
 * Models:       mm/huge_memory.c and mm/khugepaged.c sysfs attributes, kernel/sysctl.c vm_table[],
 *               kernel/sched/debug.c, v6.1.
 * Not modelled: hugetlb, per-size THP directories (their defaults give the classic behaviour), memcg files.
 */
import type { ChoiceKnob, KnobSpec, NumberKnob } from "../../core/knobs.ts";

const THP = "transparent_hugepage/";
const DAEMON = THP + "khugepaged/";
const NUMA = "sched/numa_balancing/";
const UINT_MAX = 2 ** 32 - 1;

export function choice(
  name: string,
  choices: readonly string[],
  initial: string,
  doc: string,
  source: string,
): ChoiceKnob {
  return { name, type: "choice", choices, default: initial, doc, source };
}

export function number(
  name: string,
  unit: string,
  [min, initial, max]: readonly [min: number, initial: number, max: number],
  doc: string,
  source: string,
): NumberKnob {
  return { name, type: "number", unit, default: initial, min, max, doc, source };
}

const HUGE = "mm/huge_memory.c";
const KHUGEPAGED = "mm/khugepaged.c";
const SCHED_DEBUG = "kernel/sched/debug.c sched_init_debug()";
const SYSCTL = "kernel/sysctl.c vm_table[]";

/** Knobs that every generation has. */
export const COMMON_KNOBS: readonly KnobSpec[] = [
  choice(THP + "enabled", ["always", "madvise", "never"], "always", "Which memory may get huge pages.", HUGE),
  choice(
    THP + "defrag",
    ["always", "defer", "defer+madvise", "madvise", "never"],
    "madvise",
    "How hard a fault tries to find a huge page: stall, wake the daemons, or take what is free.",
    HUGE,
  ),
  number(THP + "use_zero_page", "bool", [0, 1, 1], "Read faults map one shared huge page of zeroes.", HUGE),
  number(
    DAEMON + "defrag",
    "bool",
    [0, 1, 1],
    "khugepaged may compact and reclaim to find a huge page.",
    KHUGEPAGED,
  ),
  number(DAEMON + "pages_to_scan", "pages", [1, 4096, UINT_MAX], "Pages looked at in one pass.", KHUGEPAGED),
  number(
    DAEMON + "scan_sleep_millisecs",
    "ms",
    [0, 10_000, UINT_MAX],
    "Pause between two passes.",
    KHUGEPAGED,
  ),
  number(
    DAEMON + "alloc_sleep_millisecs",
    "ms",
    [0, 60_000, UINT_MAX],
    "Pause after no huge page could be allocated.",
    KHUGEPAGED,
  ),
  number(
    DAEMON + "max_ptes_none",
    "pages",
    [0, 511, 511],
    "Untouched pages that a collapse may fill.",
    KHUGEPAGED,
  ),
  number(
    DAEMON + "max_ptes_swap",
    "pages",
    [0, 64, 511],
    "Swapped-out pages that a collapse may bring in.",
    KHUGEPAGED,
  ),
  number(
    DAEMON + "max_ptes_shared",
    "pages",
    [0, 256, 511],
    "Shared pages that a collapse may copy.",
    KHUGEPAGED,
  ),
  number(
    "vm.swappiness",
    "weight",
    [0, 60, 200],
    "Weight of anonymous against file memory in reclaim.",
    SYSCTL,
  ),
  number("vm.page-cluster", "log2", [0, 3, 31], "Read-ahead of swap: up to 2^n pages.", SYSCTL),
  number("vm.watermark_scale_factor", "1/10000", [1, 10, 3000], "Distance between watermarks.", SYSCTL),
  number(
    "vm.min_free_kbytes",
    "kB",
    [-1, -1, 2 ** 31 - 1],
    "Reserve; -1: as the kernel computes it.",
    SYSCTL,
  ),
  number("vm.zone_reclaim_mode", "bits", [0, 0, 7], "Reclaim locally before going to another node.", SYSCTL),
  number("vm.overcommit_memory", "mode", [0, 0, 2], "Whether mmap refuses what cannot be backed.", SYSCTL),
];

/** The knob of huge page reservations; 1 gives huge pages at the first touch, as without them. */
export function promotionThreshold(initial: number): KnobSpec {
  return number(
    THP + "promotion_threshold",
    "pages",
    [1, initial, 512],
    "Pages of a region that must have been touched before its reservation becomes a huge page.",
    "mm/huge_memory.c of the RFC of November 2018",
  );
}

/** The knob of the underused-THP shrinker (6.12+). */
export const SHRINK_UNDERUSED: KnobSpec = number(
  THP + "shrink_underused",
  "bool",
  [0, 1, 1],
  "Under memory pressure, split huge pages that are mostly zero.",
  HUGE,
);

const NUMA_SCAN = [
  ["scan_delay_ms", "ms", [0, 1000, UINT_MAX], "CPU time before a new task's first scan."],
  [
    "scan_period_min_ms",
    "ms",
    [0, 1000, UINT_MAX],
    "Shortest pause between two scans of as much memory as one scan covers.",
  ],
  ["scan_period_max_ms", "ms", [0, 60_000, UINT_MAX], "Longest pause between two scans."],
  ["scan_size_mb", "MB", [1, 256, UINT_MAX], "Memory that one scan covers; the kernel divides by it."],
] as const;

const numaScan = (prefix: string, max: number, source: string): KnobSpec[] =>
  NUMA_SCAN.map(([name, unit, [min, initial], doc]) =>
    number(prefix + name, unit, [min, initial, max], doc, source),
  );

const numaMode = (max: number, doc: string): KnobSpec =>
  number("kernel.numa_balancing", "mode", [0, 0, max], doc, "kernel/sched/core.c sysctl_numa_balancing()");

const ON_OFF = "Automatic NUMA balancing: 0 off, 1 on. A machine with several nodes boots with 1.";

/** NUMA balancing's knobs up to 5.12: plain sysctls. */
export const NUMA_KNOBS_SYSCTL: readonly KnobSpec[] = [
  numaMode(1, ON_OFF),
  ...numaScan("kernel.numa_balancing_", 2 ** 31 - 1, "kernel/sysctl.c kern_table[]"),
];

/** From 5.13 on the scanner's are in debugfs, and any number is taken. */
export const NUMA_KNOBS_DEBUGFS: readonly KnobSpec[] = [
  numaMode(1, ON_OFF),
  ...numaScan(NUMA, UINT_MAX, SCHED_DEBUG),
];

/** From 6.1 on there is a mode for slow memory. */
export const NUMA_KNOBS_TIERING: readonly KnobSpec[] = [
  numaMode(
    4,
    "Automatic NUMA balancing: 0 off, bit 1 between nodes, bit 2 from slow memory. " +
      "A machine with several nodes boots with 1.",
  ),
  ...numaScan(NUMA, UINT_MAX, SCHED_DEBUG),
  number(
    NUMA + "hot_threshold_ms",
    "ms",
    [0, 1000, UINT_MAX],
    "A page of slow memory that is used this soon after a scan is hot; no machine here has slow memory.",
    SCHED_DEBUG,
  ),
  number(
    "kernel.numa_balancing_promote_rate_limit_MBps",
    "MB/s",
    [0, 65_536, 2 ** 31 - 1],
    "Most that is promoted from slow memory; no machine here has any.",
    "kernel/sched/fair.c sched_fair_sysctls[]",
  ),
];
