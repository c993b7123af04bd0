/**
 * The RFC "mm: thp: implement THP reservations for anonymous memory" as it was posted on 8 November 2018, on
 * the 4.19 for which it was written.
 */
import { promotionThreshold } from "../kernel/proc/knob-list.ts";
import { derive, type Generation } from "./generation.ts";
import { BEHAVIOURS_4_19, KNOBS_4_19 } from "./linux-4.19.ts";

export const THP_RESERVATIONS_POSTED: Generation = {
  name: "thp-reservations-posted",
  summary: "4.19 with huge page reservations as posted in 2018: per area, a shrinker, khugepaged promotes.",
  behaviours: derive(BEHAVIOURS_4_19, { reservations: "posted" }),
  knobs: [...KNOBS_4_19, promotionThreshold(256)],
  sources: ["the RFC's mail and patch of 8 November 2018", "mm/ of v4.20"],
  judgedBy: "rule by rule against the patch; its author's 17 and 118 children: see docs/reservations.md",
};
