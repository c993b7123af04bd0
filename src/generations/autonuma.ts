/**
 * AutoNUMA (2012): a kernel thread marks the memory of every process, hint faults queue pages to a daemon on
 * each node, and running tasks change places towards their memory.
 *
 *     knuma_scand ─▶ marks PMDs ─▶ hint ─▶ last_nid twice? ─▶ queue[node] ─▶ knuma_migratedN (splits THPs)
 *                     └▶ where the process's memory lies ─┐  └▶ where the task faults ─┐
 *                                                         └──────▶ balancer ◀─────────┘
 *
 * The forms follow the versions: alpha14 as first posted, 19 (June 2012, the review's), 28 (migration on
 * fault).
 */
import type { Autonuma } from "../kernel/numa/design.ts";
import { AUTONUMA_24_KNOBS, AUTONUMA_28_KNOBS, AUTONUMA_KNOBS } from "../kernel/proc/knob-list-2012.ts";
import { derive, type Generation } from "./generation.ts";
import { BEHAVIOURS_3_7 } from "./linux-3.7-nobalance.ts";

/** As the review of June 2012 read it. */
const FORM_19: Autonuma = {
  policy: "autonuma",
  migrate: "queues",
  cancel: "if-for-another",
  enqueue: "before-lock",
  tail: "together",
  reference: "after-isolation",
  splitFreed: "let-go",
  counted: "isolated",
  listed: "fork",
  unlink: "marked",
  stopped: "unlinks-exiting",
  pause: "twice",
  falseSharing: "stops-page",
  taskPolicy: "ignored",
  statistics: "resident",
};

export const AUTONUMA: Generation = {
  name: "autonuma",
  summary:
    "AutoNUMA 19: knuma_scand, queues to knuma_migratedN, tasks that change places; splits huge pages.",
  behaviours: derive(BEHAVIOURS_3_7, { numaDesign: FORM_19 }),
  knobs: AUTONUMA_KNOBS,
  sources: ["the patch of 28 June 2012 as its review quotes it", "mm/autonuma.c, alpha14 and 24"],
  judgedBy: "published runs of autonumabench: see docs/designs.md. No recording of such a kernel",
};

/** alpha14, with what later versions repaired. */
export const AUTONUMA_14: Generation = {
  ...AUTONUMA,
  name: "autonuma-alpha14",
  summary: "AutoNUMA alpha14: as 19, before the repairs of tails, references and freed pages.",
  behaviours: derive(BEHAVIOURS_3_7, {
    numaDesign: {
      ...FORM_19,
      tail: "queued-first",
      reference: "before-isolation",
      splitFreed: "forgotten",
      unlink: "unmarked",
      stopped: "unlinks-any",
    },
  }),
  sources: ["mm/autonuma.c, an alpha13 or alpha14 version"],
};

/** What the review asked for: no lock at fork, decisions looked at again, a count of what moved. */
export const AUTONUMA_REVIEWED: Generation = {
  ...AUTONUMA,
  name: "autonuma-reviewed",
  summary: "AutoNUMA 24 as the review wanted it: listed by the scanner, checked under the lock, true counts.",
  behaviours: derive(BEHAVIOURS_3_7, {
    numaDesign: {
      ...FORM_19,
      cancel: "if-queued",
      enqueue: "under-lock",
      counted: "moved",
      listed: "scanner",
      pause: "halves",
      taskPolicy: "left-alone",
    },
  }),
  knobs: AUTONUMA_24_KNOBS,
  sources: ["mm/autonuma.c of 22 August 2012 (24)", "the review of 2 July 2012"],
};

const FORM_27: Autonuma = {
  ...FORM_19,
  cancel: "if-queued",
  migrate: "on-fault",
  pause: "once",
  taskPolicy: "left-alone",
};

/** 27: no daemons and queues, the faulting task migrates within a limit. */
export const AUTONUMA_27: Generation = {
  ...AUTONUMA,
  name: "autonuma-27",
  summary: "AutoNUMA 27: the faulting task migrates, 128 MiB a tenth of a second; splits huge pages.",
  behaviours: derive(BEHAVIOURS_3_7, { numaDesign: FORM_27 }),
  knobs: AUTONUMA_28_KNOBS,
  sources: ["mm/autonuma.c of 4 October 2012 (27)"],
};

/** 28: who uses another's page moves nothing for a pass, and processes count their faults. */
export const AUTONUMA_28: Generation = {
  ...AUTONUMA_27,
  name: "autonuma-28",
  summary: "AutoNUMA 28: as 27, but a page used from two nodes stops its user's migrations for a pass.",
  behaviours: derive(BEHAVIOURS_3_7, {
    numaDesign: { ...FORM_27, falseSharing: "stops-task", statistics: "faults" },
  }),
  sources: ["mm/autonuma.c, the last stored version (27 or 28)"],
};
