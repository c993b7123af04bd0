/**
 * Linux 5.14: huge pages migrate like all others when a hint fault finds them misplaced, and every entry
 * stays a hint until its page has not moved. No MADV_COLLAPSE yet.
 */

import { NUMA_RULES_6_1, type NumaRules } from "../kernel/numa/rules.ts";
import { COMMON_KNOBS, NUMA_KNOBS_DEBUGFS } from "../kernel/proc/knob-list.ts";
import { derive, type Generation } from "./generation.ts";
import { BEHAVIOURS_6_1 } from "./linux-6.1.ts";

const NUMA_RULES_5_14: NumaRules = {
  ...NUMA_RULES_6_1,
  flushPending: "always",
  accountChanged: true,
  localFaultMarks: true,
  sharedTest: "mappings",
  flushEachHuge: true,
  failedHuge: "one",
  countsNoMemory: false,
  tieringMode: false,
  preferNodeWithCpu: false,
};

export const BEHAVIOURS_5_14 = derive(BEHAVIOURS_6_1, {
  madviseCollapse: false,
  freeTests: "own-page",
  scanExceedCounters: false,
  collapseNode: "rotate",
  splitKeepsDirty: "never",
  numaRules: NUMA_RULES_5_14,
});

export const LINUX_5_14: Generation = {
  name: "linux-5.14",
  summary: "Misplaced huge pages take the generic way of migration; hints stay until it has failed.",
  behaviours: BEHAVIOURS_5_14,
  knobs: [...COMMON_KNOBS, ...NUMA_KNOBS_DEBUGFS],
  sources: ["mm/ and kernel/sched/fair.c of v5.14.2"],
  judgedBy: "no recording of such a kernel: what is as in linux-6.1 by those of 6.1, the rest by the source",
};
