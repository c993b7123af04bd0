/**
 * A script's tasks are programs: they have code, data and stack of their own, on which they fault besides
 * what the script says. Those faults are in /proc/vmstat's pgfault, so that a real kernel's counter cannot be
 * met without them.
 *
 * The figures were read off recordings of a static C program that carried scripts out on Linux 6.1 and 6.12:
 * with its first report it takes one fault; a forked child and its parent together take 27, one more when the
 * child reads; and the parent three more when it has reported after that. Single recordings lie within two of
 * that. They are counted in pgfault alone: neither memory nor time is charged for them.
 */
import { C } from "../core/counters.ts";
import type { Kernel } from "../kernel/state.ts";
import type { Statement } from "../workloads/script/ast.ts";

const FIRST_REPORT_FAULTS = 1;
const FORK_FAULTS = 27;
const FORK_READ_FAULTS = 1;
const AFTER_REPORT_FAULTS = 3;

export interface OwnPages {
  reported: boolean;
  /** A fork since the last report: the parent's pages are write-protected. */
  forked: boolean;
}

export function makeOwnPages(): OwnPages {
  return { reported: false, forked: false };
}

/** A task forked; `body` is what the child does. */
export function ownFork(own: OwnPages, k: Kernel, body: readonly Statement[]): void {
  own.forked = true;
  const reads = body.some((statement) => statement.op === "read");
  k.vmstat[C.pgfault]! += FORK_FAULTS + (reads ? FORK_READ_FAULTS : 0);
}

/** Before the counters of a snapshot are read. */
export function beforeReport(own: OwnPages, k: Kernel): void {
  if (!own.reported) k.vmstat[C.pgfault]! += FIRST_REPORT_FAULTS;
  own.reported = true;
}

/** After they have been read: what reporting itself touches is seen by the next report. */
export function afterReport(own: OwnPages, k: Kernel): void {
  if (own.forked) k.vmstat[C.pgfault]! += AFTER_REPORT_FAULTS;
  own.forked = false;
}
