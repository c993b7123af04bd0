/**
 * The knobs of the kernels of 2012: what 3.7 had of today's, and what each design of NUMA balancing added.
 *
 * Models:       mm/huge_memory.c, kernel/sysctl.c and kernel/sched/features.h of v3.7 and v3.8;
 *               /sys/kernel/mm/autonuma of AutoNUMA 14 to 28; numa/core's sysctls.
 * Not modelled: hugetlb.
 */
import type { KnobSpec } from "../../core/knobs.ts";
import { KNOB as AN, nameIn28 } from "../numa/autonuma/of.ts";
import { KNOB as BN } from "../numa/balancenuma/scan.ts";
import { KNOB as NC } from "../numa/numacore/scan.ts";
import { COMMON_KNOBS, choice, number } from "./knob-list.ts";

const INT_MAX = 2 ** 31 - 1;
const UINT_MAX = 2 ** 32 - 1;
const HUGE = "mm/huge_memory.c, v3.7";
const SYSCTL = "kernel/sysctl.c, v3.8";
const FEATURES = "kernel/sched/features.h, v3.8";
const NUMACORE = "kernel/sysctl.c, numa/core";
const AUTONUMA = "mm/autonuma.c sysfs attributes, AutoNUMA";

const KEPT = [
  "transparent_hugepage/enabled",
  "transparent_hugepage/khugepaged/defrag",
  "transparent_hugepage/khugepaged/pages_to_scan",
  "transparent_hugepage/khugepaged/scan_sleep_millisecs",
  "transparent_hugepage/khugepaged/alloc_sleep_millisecs",
  "transparent_hugepage/khugepaged/max_ptes_none",
  "vm.min_free_kbytes",
  "vm.zone_reclaim_mode",
  "vm.overcommit_memory",
];

/** What 3.7 has, with its own defaults. */
export const KNOBS_3_7: readonly KnobSpec[] = [
  ...COMMON_KNOBS.filter(({ name }) => KEPT.includes(name)),
  choice(
    "transparent_hugepage/defrag",
    ["always", "madvise", "never"],
    "always",
    "Whether a fault compacts and reclaims to get a huge page.",
    HUGE,
  ),
  number(
    "vm.swappiness",
    "weight",
    [0, 60, 100],
    "Weight of anonymous against file memory in reclaim.",
    SYSCTL,
  ),
  number("vm.page-cluster", "log2", [0, 3, 31], "Read-ahead of swap: up to 2^n pages.", SYSCTL),
];

const SCHED_NUMA = number(
  "sched_features/NUMA",
  "bool",
  [0, 1, 1],
  "NUMA balancing is on; numa_balancing=enable|disable at boot.",
  FEATURES,
);

/** balancenuma as merged. */
export const KNOBS_3_8: readonly KnobSpec[] = [
  ...KNOBS_3_7,
  number(
    "transparent_hugepage/use_zero_page",
    "bool",
    [0, 1, 1],
    "Read faults map one shared huge page of zeroes.",
    "mm/huge_memory.c, v3.8",
  ),
  SCHED_NUMA,
  number(BN.FORCE, "bool", [0, 0, 1], "Scan also processes that have always run on one node.", FEATURES),
  number(BN.DELAY, "ms", [0, 1000, INT_MAX], "CPU time before a new task's first scan.", SYSCTL),
  number(BN.MIN, "ms", [0, 100, INT_MAX], "Shortest pause between two scans.", SYSCTL),
  number(BN.MAX, "ms", [0, 5000, INT_MAX], "Longest pause between two scans.", SYSCTL),
  number(BN.RESET, "ms", [0, 60_000, INT_MAX], "After so long every pause is the shortest again.", SYSCTL),
  number(BN.SIZE, "MB", [1, 256, INT_MAX], "Memory that one scan covers, counted in what changes.", SYSCTL),
];

/** numa/core: the shortest and the longest pause are those of its form. */
export function numacoreKnobs(minMs: number, maxMs: number): readonly KnobSpec[] {
  return [
    ...KNOBS_3_7,
    SCHED_NUMA,
    number(NC.MIN, "ms", [0, minMs, INT_MAX], "Shortest pause between two scans.", NUMACORE),
    number(NC.MAX, "ms", [0, maxMs, INT_MAX], "Longest pause between two scans.", NUMACORE),
    number(NC.SETTLE, "passes", [0, 2, INT_MAX], "Passes before a task's home changes.", NUMACORE),
    number(NC.SIZE, "MB", [1, 256, INT_MAX], "Memory that one scan covers, where it is windowed.", NUMACORE),
  ];
}

const BOOST = {
  "transparent_hugepage/khugepaged/scan_sleep_millisecs": 100,
  "transparent_hugepage/khugepaged/alloc_sleep_millisecs": 10_000,
} as Readonly<Record<string, number>>;

/** khugepaged is sped up, for what migration splits. */
const BOOSTED = KNOBS_3_7.map((spec) =>
  spec.type === "number" && spec.name in BOOST ? { ...spec, default: BOOST[spec.name]! } : spec,
);

/** A flag of AutoNUMA. */
const flag = (name: string, value: 0 | 1, doc: string): KnobSpec =>
  number(name, "bool", [0, value, 1], doc, AUTONUMA);

/** What every AutoNUMA has; the pause between passes and strict balancing differ by version. */
function commonAutonuma(passSleepMs: number, strict: 0 | 1): readonly KnobSpec[] {
  return [
    ...BOOSTED,
    flag(AN.BOOT_OFF, 0, "Boot flag: off for good, and nothing of it is allocated."),
    flag(AN.ENABLED, 1, "Scan, migrate and place tasks; 0 stops all three."),
    flag(AN.DEBUG, 0, "Messages to the kernel's log, of which there is none here."),
    number(AN.SCAN_SLEEP, "ms", [0, 100, UINT_MAX], "knuma_scand's pause after pages_to_scan.", AUTONUMA),
    number(
      AN.PASS_SLEEP,
      "ms",
      [0, passSleepMs, UINT_MAX],
      "knuma_scand's pause after it went through every address space; the migrators wake halfway.",
      AUTONUMA,
    ),
    number(AN.PAGES_TO_SCAN, "pages", [1, 32_768, UINT_MAX], "Progress between two short pauses.", AUTONUMA),
    flag(AN.PMD, 1, "Mark the PMD of a page table, so that one fault tells of its 512 pages; 0: each page."),
    flag(
      AN.STRICT,
      strict,
      "The load balancer takes no task from the node chosen for it but for a CPU that is idle.",
    ),
    number(
      AN.MIGRATE_SLEEP,
      "ms",
      [0, 100, UINT_MAX],
      "A migrator's pause after a batch; the window of migration on fault, from 27 on.",
      AUTONUMA,
    ),
    number(
      AN.PAGES_TO_MIGRATE,
      "pages",
      [1, 32_768, UINT_MAX],
      "Pages of a batch: a queue that grows past it wakes its migrator; of a window, from 27 on.",
      AUTONUMA,
    ),
  ];
}

const DEFER = flag(AN.DEFER, 0, "A full queue wakes nobody: the scanner does, halfway.");

/** AutoNUMA 14 and 19. */
export const AUTONUMA_KNOBS: readonly KnobSpec[] = [
  ...commonAutonuma(5000, 1),
  DEFER,
  flag(
    AN.WORKING_SET,
    0,
    "Statistics of a process leave out pages whose mark nobody has met since the pass before.",
  ),
  flag(AN.CLONE_RESET, 1, "A new thread begins without statistics."),
  flag(AN.FORK_RESET, 1, "A forked child begins without statistics."),
];

/** 24: one flag for threads and children. */
export const AUTONUMA_24_KNOBS: readonly KnobSpec[] = [
  ...commonAutonuma(10_000, 0),
  DEFER,
  flag(AN.RESET, 1, "A new thread or child begins without statistics."),
];

/** 28: faults migrate; the files lie in one folder. */
export const AUTONUMA_28_KNOBS: readonly KnobSpec[] = [
  ...commonAutonuma(10_000, 0).map((spec) => ({ ...spec, name: nameIn28(spec.name) })),
  flag(AN.INHERIT, 0, "A new thread or child begins with its parent's statistics."),
  flag(AN.FIRST_FAULT, 1, "A page that nobody has faulted on yet may move."),
  number(AN.BALANCE_INTERVAL, "ms", [1, 100, UINT_MAX], "A task's place is looked at so often.", AUTONUMA),
];
