/**
 * Linux 6.18 with one THP size enabled: the kernel on which the real traces were recorded.
 */
import { COMMON_KNOBS, NUMA_KNOBS_TIERING, SHRINK_UNDERUSED } from "../kernel/proc/knob-list.ts";
import { derive, type Generation } from "./generation.ts";
import { BEHAVIOURS_6_12 } from "./linux-6.12.ts";

export const LINUX_6_18: Generation = {
  name: "linux-6.18",
  summary: "Huge-zero writes take a huge page, mmap aligns multiples of 2 MiB, thread stacks stay small.",
  behaviours: derive(BEHAVIOURS_6_12, {
    writeToHugeZero: "allocate-huge",
    mmapAlignment: "huge-if-multiple",
    collapseNeedsWritable: false,
    collapseShared: "by-folio",
    dontneedFreesTable: true,
    reuseOfPartOfHuge: "exact",
    mergeUnfaulted: true,
    thpDisableExceptAdvised: true,
  }),
  knobs: [...COMMON_KNOBS, ...NUMA_KNOBS_TIERING, SHRINK_UNDERUSED],
  sources: ["mm/ of v6.18", "real programs' traces and counters, recorded on 6.18.44"],
  judgedBy: "six real programs under THP=never and always: see docs/FIDELITY.md",
};
