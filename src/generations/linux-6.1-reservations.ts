/**
 * The reviewed design of reservations on the kernel with the most recordings: what would they do today?
 */
import { COMMON_KNOBS, NUMA_KNOBS_TIERING, promotionThreshold } from "../kernel/proc/knob-list.ts";
import { derive, type Generation } from "./generation.ts";
import { BEHAVIOURS_6_1 } from "./linux-6.1.ts";

export const LINUX_6_1_RESERVATIONS: Generation = {
  name: "linux-6.1+reservations",
  summary: "6.1 with huge page reservations as the review of 2018 wanted them; threshold 1 is plain 6.1.",
  behaviours: derive(BEHAVIOURS_6_1, { reservations: "reviewed" }),
  knobs: [...COMMON_KNOBS, ...NUMA_KNOBS_TIERING, promotionThreshold(1)],
  sources: ["the RFC's mail of 8 November 2018 and its thread", "mm/ of v6.1"],
  judgedBy: "every recording of 6.1, with threshold 1; above it nothing real exists to compare with",
};
