/**
 * Linux 4.19 as it was in November 2018: forks copy huge pages whole, khugepaged wants half of a region in
 * use, mmap asks what memory is free now.
 */
import { COMMON_KNOBS, NUMA_KNOBS_SYSCTL } from "../kernel/proc/knob-list.ts";
import { derive, type Generation } from "./generation.ts";
import { NUMA_RULES_5_12 } from "./linux-5.12.ts";
import { BEHAVIOURS_6_1 } from "./linux-6.1.ts";

export const BEHAVIOURS_4_19 = derive(BEHAVIOURS_6_1, {
  writeToHugeZero: "allocate-huge",
  writeToSharedHuge: "copy-huge",
  hugeFaultNodes: "local",
  reuseTest: "map-count",
  newPagesActive: true,
  deferredSplit: "any-unmap",
  madviseCollapse: false,
  collapseShared: "refuse",
  collapseCompound: "refuse",
  collapseReferenced: "half",
  collapseNode: "rotate",
  scanExceedCounters: false,
  khugepagedDrains: false,
  perCpuLists: "order-0",
  avoidsFragmentation: false,
  minFreeKbMax: 65_536,
  compactStall: "neither-skipped-nor-deferred",
  noRetryAfter: "deferred",
  overcommitGuess: "free-now",
  freeTests: "own-page",
  protectUpgrades: false,
  splitKeepsDirty: "never",
  numaRules: NUMA_RULES_5_12,
});

/** max_ptes_shared came with 5.8. */
export const KNOBS_4_19 = [
  ...COMMON_KNOBS.filter(({ name }) => !name.endsWith("/max_ptes_shared")),
  ...NUMA_KNOBS_SYSCTL,
];

export const LINUX_4_19: Generation = {
  name: "linux-4.19",
  summary: "2018's kernel: forks copy huge pages whole, khugepaged wants half a region in use.",
  behaviours: BEHAVIOURS_4_19,
  knobs: KNOBS_4_19,
  sources: ["mm/ of v4.20, whose memory management is 4.19's in what is modelled"],
  judgedBy: "no recording of a 4.19: its differences from 6.1 are tested rule by rule against the sources",
};
