/**
 * Linux 5.12: before the NUMA fault path was reworked. A base page's entry is restored before its page moves,
 * which costs a flush; a huge page is copied in place under its page lock, which costs none.
 */

import type { NumaRules } from "../kernel/numa/rules.ts";
import { COMMON_KNOBS, NUMA_KNOBS_SYSCTL } from "../kernel/proc/knob-list.ts";
import { derive, type Generation } from "./generation.ts";
import { BEHAVIOURS_5_14 } from "./linux-5.14.ts";

export const NUMA_RULES_5_12: NumaRules = {
  ...BEHAVIOURS_5_14.numaRules,
  restorePte: "before-moving",
  moveHuge: "copied-in-place",
  flushPending: "before-copy",
};

export const LINUX_5_12: Generation = {
  name: "linux-5.12",
  summary: "NUMA hint faults before their rework: huge pages are copied in place under the page lock.",
  behaviours: derive(BEHAVIOURS_5_14, {
    perCpuLists: "order-0",
    compactStall: "every",
    protectUpgrades: false,
    numaRules: NUMA_RULES_5_12,
  }),
  knobs: [...COMMON_KNOBS, ...NUMA_KNOBS_SYSCTL],
  sources: ["mm/ and kernel/sched/fair.c of v5.12.9"],
  judgedBy: "no recording of such a kernel: what is as in linux-6.1 by those of 6.1, the rest by the source",
};
