/**
 * The scanner of 3.8: a task's tick asks for a pass, which marks 256 MiB of what changed.
 *
 *     tick ─▶ work: ran on two nodes yet? ▸ period back to its minimum? ▸ due? ▸ node not rate limited?
 *                 └─▶ mmap lock (read) ─▶ areas of 2 MiB and more, chunk by chunk ─▶ one flush a chunk
 *
 * Models:       kernel/sched/fair.c task_tick_numa(), task_numa_work(), v3.8.
 * Not modelled: memory policies; areas that 3.8's vma_migratable() refuses beside files'.
 */
import type { Path } from "../../../core/ops.ts";
import { PAGE_BYTES } from "../../../core/units.ts";
import { localNode } from "../../fault/node.ts";
import type { Mm } from "../../mm/mm.ts";
import { VM, type Vma, vmaIndex } from "../../mm/vma.ts";
import type { Kernel } from "../../state.ts";
import { isRateLimited } from "../early/rate-limit.ts";
import { earlyMm, NODE_UNSEEN, NODES_MANY } from "../early/state.ts";
import { tickEarly } from "../early/tick.ts";
import { jiffies, msToJiffies, type NumaTask } from "../state.ts";
import { markRange38 } from "./mark.ts";

const PREFIX = "kernel.numa_balancing_";
export const KNOB = {
  DELAY: PREFIX + "scan_delay_ms",
  MIN: PREFIX + "scan_period_min_ms",
  MAX: PREFIX + "scan_period_max_ms",
  RESET: PREFIX + "scan_period_reset",
  SIZE: PREFIX + "scan_size_mb",
  FORCE: "sched_features/NUMA_FORCE",
} as const;

export function tick38(k: Kernel, task: NumaTask): void {
  tickEarly(k, task, KNOB.MIN);
}

/** The queued pass, on the task's way back to its program. */
export function* work38(k: Kernel, task: NumaTask): Path {
  task.workQueued = false;
  const { mm } = task;
  if (mm === undefined || mm.users === 0 || !ranOnTwoNodes(k, mm)) return;
  const now = jiffies(k);
  resetPeriod(k, task, mm, now);
  if (now < mm.numa.nextScan) return;
  if (task.scanPeriodMs === 0) task.scanPeriodMs = k.knobs.readNumber(KNOB.MIN);
  mm.numa.nextScan = now + msToJiffies(task.scanPeriodMs);
  if (isRateLimited(k, localNode(k))) return;
  yield mm.mmapLock.acquireRead;
  yield* scanWindow(k, mm);
  yield mm.mmapLock.releaseRead;
}

/** A process that has always run on one node has nothing to gain. */
function ranOnTwoNodes(k: Kernel, mm: Mm): boolean {
  const state = earlyMm(k, mm);
  if (state.firstNid === NODES_MANY) return true;
  const here = localNode(k);
  if (state.firstNid === NODE_UNSEEN) {
    state.firstNid = here;
    return false;
  }
  if (state.firstNid === here && k.knobs.readNumber(KNOB.FORCE) === 0) return false;
  state.firstNid = NODES_MANY;
  return true;
}

/** Once a minute every task scans fast again, in case the program has changed. */
function resetPeriod(k: Kernel, task: NumaTask, mm: Mm, now: number): void {
  const state = earlyMm(k, mm);
  const resetJiffies = msToJiffies(k.knobs.readNumber(KNOB.RESET));
  if (state.nextReset < 0) state.nextReset = now + resetJiffies;
  if (now <= state.nextReset) return;
  task.scanPeriodMs = k.knobs.readNumber(KNOB.MIN);
  state.nextReset = now + resetJiffies;
}

/** One window: as many pages as change, from where the last one ended. */
function* scanWindow(k: Kernel, mm: Mm): Path {
  const { numa } = mm;
  const n = k.geometry.pagesPerHuge;
  let pages = Math.floor((k.knobs.readNumber(KNOB.SIZE) * 2 ** 20) / PAGE_BYTES);
  let at = vmaIndex(mm, numa.offsetVpn);
  if (at === mm.vmas.length) {
    numa.scanSeq += 1;
    numa.offsetVpn = 0;
    at = 0;
  }
  let start = numa.offsetVpn;
  for (; at < mm.vmas.length; at++) {
    const vma = mm.vmas[at]!;
    if (!isMigratable(vma) || vma.end - vma.start < n) continue;
    for (start = Math.max(start, vma.start); start < vma.end; ) {
      const end = Math.min(vma.end, Math.ceil((start + pages) / n) * n);
      pages -= yield* markRange38(k, vma, start, end);
      start = end;
      if (pages > 0) continue;
      numa.offsetVpn = start;
      return;
    }
  }
  numa.scanSeq += 1;
  numa.offsetVpn = 0;
}

/** vma_migratable() as far as the model has such areas. */
export function isMigratable({ flags }: Vma): boolean {
  return (flags & (VM.FILE | VM.UNKNOWN)) === 0;
}
