/**
 * Linux 6.12 (Debian 13): huge mappings aligned from 2 MiB on, an exact rule for partly mapped huge pages,
 * the shrinker of underused ones; one THP size enabled.
 */

import { NUMA_RULES_6_1, type NumaRules } from "../kernel/numa/rules.ts";
import { COMMON_KNOBS, NUMA_KNOBS_TIERING, SHRINK_UNDERUSED } from "../kernel/proc/knob-list.ts";
import { derive, type Generation } from "./generation.ts";
import { BEHAVIOURS_6_1 } from "./linux-6.1.ts";

const NUMA_RULES_6_12: NumaRules = {
  ...NUMA_RULES_6_1,
  sharedTest: "pins-and-processes",
  isolateUnderLock: true,
  refuseSharedHuge: false,
  hintsOnParts: true,
  savedWrite: false,
  areaFilter: true,
};

export const BEHAVIOURS_6_12 = derive(BEHAVIOURS_6_1, {
  mmapAlignment: "huge-if-large",
  stackNoHuge: true,
  collapseRange: "as-asked",
  protectUpgradesHuge: true,
  splitKeepsDirty: "always",
  deferredSplit: "partially-mapped",
  underusedShrinker: true,
  lruBatch: 31,
  pgfaultAt: "completion",
  hugeInSwapCache: "map",
  swapInWritable: true,
  swapNotesZeros: true,
  smapsSkipsHiddenHuge: false,
  splitFreesZeros: true,
  adviceOnPtes: "by-folio",
  reuseOfPartOfHuge: "never",
  numaRules: NUMA_RULES_6_12,
});

export const LINUX_6_12: Generation = {
  name: "linux-6.12",
  summary: "Debian 13's kernel: mmap aligns from 2 MiB on, underused huge pages are split under pressure.",
  behaviours: BEHAVIOURS_6_12,
  knobs: [...COMMON_KNOBS, ...NUMA_KNOBS_TIERING, SHRINK_UNDERUSED],
  sources: ["mm/ of v6.12", "recordings of Debian's 6.12.117 in a virtual machine"],
  judgedBy: "recordings of Debian's 6.12.117: see docs/FIDELITY.md",
};
