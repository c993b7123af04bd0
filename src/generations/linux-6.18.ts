/**
 * Linux 6.18 with one THP size enabled: the kernel on which the real traces were recorded.
 */
import type { KnobSpec } from "../core/knobs.ts";
import { COMMON_KNOBS, SHRINK_UNDERUSED } from "../kernel/proc/knob-list.ts";
import { derive, type Generation } from "./generation.ts";
import { BEHAVIOURS_6_1 } from "./linux-6.1.ts";

const KNOBS: readonly KnobSpec[] = [...COMMON_KNOBS, SHRINK_UNDERUSED];

export const LINUX_6_18: Generation = {
  name: "linux-6.18",
  summary: "Huge-zero writes take a huge page, mmap aligns multiples of 2 MiB, thread stacks stay small.",
  behaviours: derive(BEHAVIOURS_6_1, {
    writeToHugeZero: "allocate-huge",
    mmapAlignment: "huge-if-multiple",
    stackNoHuge: true,
    collapseNeedsWritable: false,
    collapseRange: "as-asked",
    collapseShared: "by-folio",
    dontneedFreesTable: true,
    protectUpgradesHuge: true,
    deferredSplit: "partially-mapped",
    underusedShrinker: true,
    lruBatch: 31,
    pgfaultAt: "completion",
    reuseOfPartOfHuge: "exact",
    mergeUnfaulted: true,
  }),
  knobs: KNOBS,
  sources: ["mm/ of v6.18", "real programs' traces and counters, recorded on 6.18.44"],
  judgedBy: "six real programs under THP=never and always: see docs/FIDELITY.md",
};
