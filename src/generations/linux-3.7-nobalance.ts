/**
 * Linux 3.7 without NUMA balancing: the base of the designs of 2012. A page lies where it was first touched,
 * huge pages are as in 4.19, the oldest kernel whose rules are known, and khugepaged refuses what is swapped.
 */
import { KNOBS_3_7 } from "../kernel/proc/knob-list-2012.ts";
import { derive, type Generation } from "./generation.ts";
import { BEHAVIOURS_4_19 } from "./linux-4.19.ts";

export const BEHAVIOURS_3_7 = derive(BEHAVIOURS_4_19, {
  collapseRange: "as-asked",
  lruBatch: 14,
  splitKeepsDirty: "always",
  smapsSkipsHiddenHuge: false,
  protectCountsHuge: false,
  // No huge zero page before 3.8; nothing swapped or shared is collapsed before 4.8 and 5.8.
  fixed: { useZeroPage: false, maxPtesSwap: 0, maxPtesShared: 0 },
  numaDesign: { policy: "none" },
});

export const LINUX_3_7_NOBALANCE: Generation = {
  name: "linux-3.7-nobalance",
  summary: "The base of the designs of 2012: pages stay where they were first touched.",
  behaviours: BEHAVIOURS_3_7,
  knobs: KNOBS_3_7,
  sources: ["huge pages: mm/ of v4.19, and what came later than 3.7 by its release"],
  judgedBy: "published runs of autonumabench: see docs/designs.md. No recording of such a kernel",
};
