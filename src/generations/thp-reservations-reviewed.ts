/**
 * Reservations as the review of the RFC wanted them, on the same 4.19: per address space, threshold 1 (and
 * then neutral), no reservation for a zero page, nothing shared with a child, corner cases and pressure drop
 * them, promotion in place by the fault that reaches the threshold.
 */
import { promotionThreshold } from "../kernel/proc/knob-list.ts";
import { derive, type Generation } from "./generation.ts";
import { BEHAVIOURS_4_19, KNOBS_4_19 } from "./linux-4.19.ts";

export const THP_RESERVATIONS_REVIEWED: Generation = {
  name: "thp-reservations-reviewed",
  summary:
    "4.19 with huge page reservations as the review wanted them: neutral by default, promoted at faults.",
  behaviours: derive(BEHAVIOURS_4_19, { reservations: "reviewed" }),
  knobs: [...KNOBS_4_19, promotionThreshold(1)],
  sources: ["the RFC's mail of 8 November 2018 and its thread to January 2019", "mm/ of v4.20"],
  judgedBy: "rule by rule against the review; with threshold 1 identical to linux-4.19",
};
