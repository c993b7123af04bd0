/**
 * How often a task scans: the shorter the period, the more of its memory there is to see, and the more its
 * faults are remote or shared.
 *
 *     nothing learnt, or a migration failed ─▶ twice as long
 *     private or local faults (7 of 10) ─────▶ longer by a tenth for each tenth above 7
 *     else ──────────────────────────────────▶ shorter by a tenth for each tenth below 7
 *
 * A failed migration is remembered for ever: what counts failures is cleared only behind the other branch.
 *
 * Models:       kernel/sched/fair.c task_nr_scan_windows(), task_scan_min(), task_scan_start(),
 *               task_scan_max(), update_task_scan_period(), v6.1.
 * Not modelled: nothing of these.
 */
import { PAGE_BYTES } from "../../core/units.ts";
import type { Mm } from "../mm/mm.ts";
import type { Kernel } from "../state.ts";
import {
  FAULTS,
  faultIndex,
  jiffies,
  LOCALITY,
  msToJiffies,
  type NumaGroup,
  type NumaTask,
} from "./state.ts";

/** The fastest that memory is scanned: 2560 MB a second. */
const SCAN_WINDOW_MB = 2560;
const PAGES_PER_MB = 2 ** 20 / PAGE_BYTES;
/** Periods change in tenths; below 7 of 10 local or private faults they shorten. */
const SLOTS = 10;
const THRESHOLD = 7;

/** Windows of scan_size_mb in what a process has resident. */
export function scanWindows(k: Kernel, mm: Mm): number {
  const windowPages = k.tunables.numaScanSizeMb * PAGES_PER_MB;
  return Math.max(1, Math.ceil((mm.anonPages + mm.filePages) / windowPages));
}

export function scanMinMs(k: Kernel, mm: Mm): number {
  const { numaScanSizeMb, numaScanPeriodMinMs } = k.tunables;
  const windows = numaScanSizeMb < SCAN_WINDOW_MB ? Math.floor(SCAN_WINDOW_MB / numaScanSizeMb) : 1;
  const floorMs = Math.floor(1000 / windows);
  return Math.max(floorMs, Math.floor(numaScanPeriodMinMs / scanWindows(k, mm)));
}

/** Memory faults of a group, summed over nodes. */
function groupSum(k: Kernel, group: NumaGroup, isPrivate: number): number {
  let sum = 0;
  for (let node = 0; node < k.machine.nodes; node++)
    sum += group.faults[faultIndex(k, FAULTS.MEM, node, isPrivate)]!;
  return sum;
}

/** A group scans in turns, the slower the more of its faults are shared. */
function stretched(k: Kernel, group: NumaGroup, periodMs: number): number {
  const shared = groupSum(k, group, 0);
  const own = groupSum(k, group, 1);
  return Math.floor((periodMs * group.tasks * (shared + 1)) / (own + shared + 1));
}

export function scanStartMs(k: Kernel, task: NumaTask, mm: Mm): number {
  const minMs = scanMinMs(k, mm);
  return task.group === undefined ? minMs : Math.max(minMs, stretched(k, task.group, minMs));
}

export function scanMaxMs(k: Kernel, task: NumaTask, mm: Mm): number {
  const minMs = scanMinMs(k, mm);
  const maxMs = Math.floor(k.tunables.numaScanPeriodMaxMs / scanWindows(k, mm));
  const wanted = task.group === undefined ? maxMs : Math.max(maxMs, stretched(k, task.group, maxMs));
  return Math.max(minMs, wanted);
}

/** The next period, from the faults of the last one: `shared` and `own` are pages of this placement. */
export function updatePeriod(k: Kernel, task: NumaTask, mm: Mm, shared: number, own: number): void {
  const { locality } = task;
  const remote = locality[LOCALITY.REMOTE];
  const local = locality[LOCALITY.LOCAL];
  if (local + shared === 0 || locality[LOCALITY.FAILED] > 0) {
    task.scanPeriodMs = Math.min(task.scanPeriodMaxMs, task.scanPeriodMs * 2);
    mm.numa.nextScan = jiffies(k) + msToJiffies(task.scanPeriodMs);
    return;
  }
  const slotMs = Math.ceil(task.scanPeriodMs / SLOTS);
  const localTenths = Math.floor((local * SLOTS) / (local + remote));
  const privateTenths = Math.floor((own * SLOTS) / (own + shared));
  let slots: number;
  if (privateTenths >= THRESHOLD) slots = Math.max(1, privateTenths - THRESHOLD);
  else if (localTenths >= THRESHOLD) slots = Math.max(1, localTenths - THRESHOLD);
  else slots = -(THRESHOLD - Math.max(localTenths, privateTenths));
  const minMs = scanMinMs(k, mm);
  const maxMs = scanMaxMs(k, task, mm);
  task.scanPeriodMs = Math.min(Math.max(task.scanPeriodMs + slots * slotMs, minMs), maxMs);
  locality.fill(0);
}
