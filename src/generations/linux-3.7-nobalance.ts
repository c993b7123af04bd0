/**
 * Linux 3.7 without NUMA balancing: the base of the designs of 2012. A page lies where it was first touched,
 * a huge page is an indivisible block of one process, and khugepaged refuses what is shared or swapped.
 */
import { KNOBS_3_7 } from "../kernel/proc/knob-list-2012.ts";
import { derive, type Generation } from "./generation.ts";
import { LINUX_5_12 } from "./linux-5.12.ts";

export const BEHAVIOURS_3_7 = derive(LINUX_5_12.behaviours, {
  writeToHugeZero: "allocate-huge",
  collapseShared: "refuse",
  collapseRange: "as-asked",
  madviseCollapse: false,
  lruBatch: 14,
  smapsSkipsHiddenHuge: false,
  // No huge zero page before 3.8; nothing swapped or shared is collapsed before 4.8 and 5.8.
  fixed: { useZeroPage: false, maxPtesSwap: 0, maxPtesShared: 0 },
  numaDesign: { policy: "none" },
});

export const LINUX_3_7_NOBALANCE: Generation = {
  name: "linux-3.7-nobalance",
  summary: "The base of the designs of 2012: pages stay where they were first touched.",
  behaviours: BEHAVIOURS_3_7,
  knobs: KNOBS_3_7,
  sources: ["the version matrices of the project's notes: THP as of v4.19 and earlier where they say so"],
  judgedBy: "published runs of autonumabench: see docs/designs.md. No recording of such a kernel",
};
