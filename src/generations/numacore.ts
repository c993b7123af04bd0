/**
 * numa/core (sched/numa) of 2012: the task takes the access away from all entries of its areas, whoever else
 * maps them, and the faulting task migrates, at once and without limit.
 *
 *     work ─▶ mmap lock (write): a window PROT_NONE ─▶ fault: whose page was it? ─▶ move ─▶ restore the entry
 *               October: all of it                      own ─▶ here     shared ─▶ its place among the nodes
 *                                                       October: two in a row from one node ─▶ there
 *
 * A huge page moves whole without a look at who else refers to it.
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

const V17: Numacore = { ...OCTOBER, filter: "last-cpu", pass: "window", tasks: "classed" };

/**
 * v17 (22 November 2012): the form that was measured for the published tables. Windows of 256 MiB; the last
 * CPU tells private from shared pages, and these private from shared tasks: which gather by process, and have
 * their memory spread over its nodes.
 */
export const NUMACORE: Generation = {
  name: "numacore",
  summary:
    "numa/core v17, as measured in 2012: windows; tasks told private or shared, which gather and interleave.",
  behaviours: derive(BEHAVIOURS_3_7, { numaDesign: V17 }),
  knobs: numacoreKnobs(100, 1600),
  sources: [
    "numa/core patches 17/27, 18/27, 19/27, 24/27 of 19 November 2012",
    "numa/core v17, patches 23/33, 24/33, 26/33 to 33/33 of 22 November 2012",
    "what it kept of 25 October 2012: see numacore-october",
  ],
  judgedBy: "published runs of autonumabench: see docs/designs.md. No recording of such a kernel",
};

/** The series as it was posted and reviewed: a pass takes all memory, every ten seconds. */
export const NUMACORE_OCTOBER: Generation = {
  ...NUMACORE,
  name: "numacore-october",
  summary: "numa/core as posted in October 2012: whole areas lose access, two faults move a page, no limit.",
  behaviours: derive(BEHAVIOURS_3_7, { numaDesign: OCTOBER }),
  knobs: numacoreKnobs(5000, 80_000),
  sources: ["numa/core patches 14/31, 18/31, 22/31, 26/31 of 25 October 2012"],
};
