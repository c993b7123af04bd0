/**
 * Linux 3.8: balancenuma, the foundation that was merged.
 *
 *     tick ─▶ scan 256 MiB ─▶ hint ─▶ same node as the fault before? ─▶ move, within 128 MiB / 100 ms
 *
 * Tasks are not placed. Huge pages move whole, by a copy under the page lock, whose look at the page's other
 * users came in five forms; 3.8 was released with the fourth.
 */
import type { Balancenuma } from "../kernel/numa/design.ts";
import { KNOBS_3_8 } from "../kernel/proc/knob-list-2012.ts";
import { derive, type Generation } from "./generation.ts";
import { BEHAVIOURS_3_7 } from "./linux-3.7-nobalance.ts";

const { fixed } = BEHAVIOURS_3_7;

export const BALANCENUMA: Balancenuma = { policy: "balancenuma", hugeCount: "F3", hugeMark: "as-intended" };

export const LINUX_3_8: Generation = {
  name: "linux-3.8",
  summary: "balancenuma: a page follows two faults in a row from one node, at 128 MiB a tenth of a second.",
  behaviours: derive(BEHAVIOURS_3_7, {
    fixed: { maxPtesSwap: fixed!.maxPtesSwap!, maxPtesShared: fixed!.maxPtesShared! },
    numaDesign: BALANCENUMA,
  }),
  knobs: KNOBS_3_8,
  sources: [
    "mm/ and kernel/sched/fair.c of v3.8.13",
    "mails of 20 December 2012 to 9 January 2013 (the five forms)",
  ],
  judgedBy: "published runs of autonumabench: see docs/designs.md. No recording of such a kernel",
};

/** 3.9: the helper keeps the caller's reference where it fails (commit 340ef3902cf2). */
export const LINUX_3_9: Generation = {
  ...LINUX_3_8,
  name: "linux-3.9",
  summary: "balancenuma with the page count looked at in the isolation, and one failure exit.",
  behaviours: derive(LINUX_3_8.behaviours, { numaDesign: { ...BALANCENUMA, hugeCount: "F4" } }),
};
