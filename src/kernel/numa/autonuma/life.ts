/**
 * How address spaces come to knuma_scand's list and leave it: under one global mutex, at every fork and exit.
 *
 *     fork ─▶ mutex ▸ append ▸ unlock        exit ─▶ mutex ▸ not being scanned? unlink ▸ unlock
 *                                                       └─ being scanned: wait for its mmap lock, once
 *
 * The review asks for the scanner to list them itself: then a process that ends before its first pass has
 * never taken the mutex.
 *
 * Models:       autonuma_enter(), autonuma_exit(), AutoNUMA 14 to 28; sched_autonuma_exec/fork resets.
 * Not modelled: where the statistics are allocated.
 */
import type { Path } from "../../../core/ops.ts";
import type { Mm } from "../../mm/mm.ts";
import { type Kernel, spend } from "../../state.ts";
import { earlyTask } from "../early/state.ts";
import type { NumaTask } from "../state.ts";
import { autonuma, autonumaForm, isPossible, KNOB, knobOr } from "./of.ts";
import type { ScannedMm } from "./state.ts";

/** Lines that whoever has the mutex must fetch: the mutex, and both neighbours in the list. */
const LIST_LINES = 3;

/** Puts an address space at the end of the list; under the mutex, if anybody else could be there. */
export function enlist(k: Kernel, mm: Mm): ScannedMm {
  const a = autonuma(k);
  const known = a.mms.get(mm.id);
  if (known !== undefined) return known;
  const entry: ScannedMm = {
    mm,
    listed: true,
    pass: 0,
    faults: new Float64Array(k.machine.nodes),
    counting: new Float64Array(k.machine.nodes),
    total: 0,
    agedPass: 0,
  };
  a.mms.set(mm.id, entry);
  a.list.push(entry);
  return entry;
}

/** A new address space, by fork. */
export function* enterAutonuma(k: Kernel, mm: Mm): Path {
  if (!isPossible(k) || autonumaForm(k).listed === "scanner") return;
  const { mutex } = autonuma(k);
  yield mutex.acquire;
  spend(k, LIST_LINES * k.costs.contendedLineNs);
  enlist(k, mm);
  yield mutex.release;
}

/** The last user is gone; the page tables are still there. */
export function* exitAutonuma(k: Kernel, mm: Mm): Path {
  if (!isPossible(k)) return;
  const a = autonuma(k);
  const entry = a.mms.get(mm.id);
  if (entry === undefined) return;
  yield a.mutex.acquire;
  spend(k, LIST_LINES * k.costs.contendedLineNs);
  const scanned = a.cursor === entry;
  if (!scanned && entry.listed) {
    entry.listed = false;
    a.list.splice(a.list.indexOf(entry), 1);
  }
  yield a.mutex.release;
  if (!scanned) return;
  // The slice that is under way ends before the page tables go; the next one finds nobody left.
  yield mm.mmapLock.acquire;
  yield mm.mmapLock.release;
}

/** A child begins with its parent's statistics only where the reset is switched off. */
export function forkAutonuma(k: Kernel, parent: NumaTask, child: NumaTask, kind: "fork" | "thread"): void {
  if (resets(k, kind)) return;
  const from = earlyTask(k, parent);
  const to = earlyTask(k, child);
  to.faults.set(from.faults);
  to.total = from.total;
  to.selected = from.selected;
  to.pass = from.pass;
}

/** Whether a child begins without statistics: two flags, later one, later its opposite. */
function resets(k: Kernel, kind: "fork" | "thread"): boolean {
  if (knobOr(k, KNOB.INHERIT, 0) !== 0) return false;
  return knobOr(k, KNOB.RESET, knobOr(k, kind === "thread" ? KNOB.CLONE_RESET : KNOB.FORK_RESET, 1)) !== 0;
}
