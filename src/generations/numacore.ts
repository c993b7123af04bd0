/**
 * numa/core (sched/numa), as posted in October 2012: PROT_NONE over whole areas, every five seconds, and the
 * faulting task migrates.
 *
 *     work ─▶ mmap lock (write): all memory PROT_NONE ─▶ fault: two in a row from here? ─▶ move ─▶ restore
 *                                                        └▶ node of most faults, three passes ─▶ home
 *
 * No limit on how much moves. A huge page moves whole without a look at who else refers to it.
 */
import type { Numacore } from "../kernel/numa/design.ts";
import { numacoreKnobs } from "../kernel/proc/knob-list-2012.ts";
import { derive, type Generation } from "./generation.ts";
import { BEHAVIOURS_3_7 } from "./linux-3.7-nobalance.ts";

const OCTOBER: Numacore = {
  policy: "numacore",
  huge: "native",
  afterHuge: "retry",
  filter: "last-nid",
  pass: "whole",
  tasks: "home",
};

export const NUMACORE: Generation = {
  name: "numacore",
  summary:
    "numa/core of October 2012: whole areas lose their protection, the faulting task migrates, no limit.",
  behaviours: derive(BEHAVIOURS_3_7, { numaDesign: OCTOBER }),
  knobs: numacoreKnobs(5000, 80_000),
  sources: ["numa/core patches 14/31, 18/31, 22/31, 26/31 of 25 October 2012"],
  judgedBy: "published runs of autonumabench: see docs/designs.md. No recording of such a kernel",
};

const NOVEMBER: Numacore = { ...OCTOBER, filter: "last-cpu", pass: "window", tasks: "classed" };

/**
 * November: windows of 256 MiB, the last CPU tells private from shared pages, and these private from shared
 * tasks: which gather by process, and have their memory spread over its nodes.
 */
export const NUMACORE_NOVEMBER: Generation = {
  ...NUMACORE,
  name: "numacore-november",
  summary:
    "numa/core v17 of November 2012: windows; tasks told private or shared, which gather and interleave.",
  behaviours: derive(BEHAVIOURS_3_7, { numaDesign: NOVEMBER }),
  knobs: numacoreKnobs(100, 1600),
  sources: [
    "numa/core patches 17/27, 18/27, 19/27, 24/27 of 19 November 2012",
    "numa/core v17, patches 23/33, 24/33, 26/33 to 33/33 of 22 November 2012",
  ],
};
