/**
 * Linux 6.1 (Debian 12): huge pages are split, not copied, when a fork's sharer writes; MADV_COLLAPSE is new.
 */
import type { Behaviours } from "../kernel/behaviours.ts";
import { NUMA_RULES_6_1 } from "../kernel/numa/rules.ts";
import { COMMON_KNOBS, NUMA_KNOBS_TIERING } from "../kernel/proc/knob-list.ts";
import type { Generation } from "./generation.ts";

export const BEHAVIOURS_6_1: Behaviours = {
  writeToHugeZero: "split-then-4k",
  writeToSharedHuge: "split-then-4k",
  hugeFaultNodes: "local-then-any",
  reuseTest: "exclusive",
  newPagesActive: false,
  collapseCompound: "copy",
  collapseReferenced: "one",
  collapseNode: "lowest",
  scanExceedCounters: true,
  khugepagedDrains: true,
  perCpuLists: "orders-0-3-and-9",
  avoidsFragmentation: true,
  minFreeKbMax: 262_144,
  compactStall: "not-skipped",
  noRetryAfter: "skipped-or-deferred",
  overcommitGuess: "total",
  reservations: "none",
  mmapAlignment: "page",
  stackNoHuge: false,
  collapseNeedsWritable: true,
  collapseRange: "to-area-end",
  collapseShared: "by-page",
  madviseCollapse: true,
  dontneedFreesTable: false,
  protectUpgradesHuge: false,
  splitKeepsDirty: "page",
  deferredSplit: "any-subpage",
  underusedShrinker: false,
  lruBatch: 15,
  pgfaultAt: "entry",
  hugeInSwapCache: "copy-tails",
  swapInWritable: false,
  swapNotesZeros: false,
  reuseOfPartOfHuge: "refcount",
  mergeUnfaulted: false,
  smapsSkipsHiddenHuge: true,
  numaDesign: { policy: "mainline" },
  splitFreesZeros: false,
  adviceOnPtes: "by-page",
  freeTests: "first-page",
  thpDisableExceptAdvised: false,
  protectUpgrades: true,
  protectCountsHuge: true,
  numaRules: NUMA_RULES_6_1,
};

export const LINUX_6_1: Generation = {
  name: "linux-6.1",
  summary: "Debian 12's kernel: PMD split on copy-on-write, MADV_COLLAPSE, one THP size.",
  behaviours: BEHAVIOURS_6_1,
  knobs: [...COMMON_KNOBS, ...NUMA_KNOBS_TIERING],
  sources: ["mm/ of v6.1", "recordings of Debian's 6.1.0-56-cloud-amd64 in a virtual machine"],
  judgedBy: "recordings of Debian's 6.1.0-56-cloud-amd64: see docs/FIDELITY.md",
};
