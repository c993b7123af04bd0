/**
 * The scanner: a task's tick asks for a pass, and the task carries it out on its way back to its program.
 *
 *     tick: period of CPU time over? ─▶ due? ─▶ queue ─▶ return to user ─▶ one window of the address space
 *                                                                   (256 MiB that change, 2 GiB at most)
 *
 * One thread of a process scans in a period: whoever moves the next moment on first.
 *
 * Models:       kernel/sched/fair.c task_tick_numa(), task_numa_work(), v6.1.
 * Not modelled: memory policies of areas (every area has the default), DAX, hugetlb and mixed maps; several
 *               ticks within one stretch without a return to the program count once.
 */
import { EVENT } from "../../core/events.ts";
import { canRead, type Path } from "../../core/ops.ts";
import { MS_NS, PAGE_BYTES } from "../../core/units.ts";
import { hasMemoryPolicy } from "../fault/node.ts";
import type { Mm } from "../mm/mm.ts";
import { VM, VM_ACCESS, type Vma, vmaIndex } from "../mm/vma.ts";
import { emit, type Kernel } from "../state.ts";
import { areaDone, visitArea } from "./area.ts";
import { markRange } from "./mark.ts";
import { scanMaxMs, scanStartMs } from "./period.ts";
import { touchStack } from "./stack.ts";
import { cpuTimeNs, JIFFY_NS, jiffies, msToJiffies, type NumaTask } from "./state.ts";

/** How much more of an address space than its window a pass looks through. */
const VIRTUAL_FACTOR = 8;
/** A pass may take a thirty-third of a task's time. */
const OVERHEAD_FACTOR = 32;

/** A tick finds the task running: is a pass to be queued? */
export function numaTick(k: Kernel, task: NumaTask): void {
  task.tickAtNs = (jiffies(k) + 1) * JIFFY_NS;
  const { mm } = task;
  if (!k.tunables.numaBalancing || mm === undefined || mm.users === 0 || task.workQueued) return;
  touchStack(k, task);
  const periodNs = task.scanPeriodMs * MS_NS;
  if (cpuTimeNs(k, task) <= task.nodeStampNs + periodNs) return;
  if (task.nodeStampNs === 0) task.scanPeriodMs = scanStartMs(k, task, mm);
  task.nodeStampNs += periodNs;
  if (jiffies(k) >= mm.numa.nextScan) task.workQueued = true;
}

/** When a task that runs on will have used its period up: ticks before that do nothing. */
export function numaQuietUntilNs(k: Kernel, task: NumaTask): number {
  if (!k.tunables.numaBalancing) return Number.POSITIVE_INFINITY;
  if (task.workQueued) return k.nowNs;
  if (task.stackTouched !== task.mm?.numa.stacksMarked) return task.tickAtNs;
  const leftNs = task.nodeStampNs + task.scanPeriodMs * MS_NS - cpuTimeNs(k, task);
  return Math.max(task.tickAtNs, k.nowNs + leftNs);
}

/** The queued pass. The caller runs it where the task would return to its program. */
export function* numaWork(k: Kernel, task: NumaTask): Path {
  task.workQueued = false;
  const { mm } = task;
  if (mm === undefined || mm.users === 0 || !mayScan(k, task, mm)) return;
  // Another thread of the process is to come next.
  task.nodeStampNs += 2 * JIFFY_NS;
  if (!canRead(mm.mmapLock)) return;
  const startNs = k.nowNs;
  const startCpuNs = cpuTimeNs(k, task);
  yield mm.mmapLock.acquireRead;
  yield* scanAreas(k, task, mm);
  yield mm.mmapLock.releaseRead;
  // The kernel sees its own time pass at ticks alone.
  if (Math.floor(k.nowNs / JIFFY_NS) > Math.floor(startNs / JIFFY_NS))
    task.nodeStampNs += OVERHEAD_FACTOR * (cpuTimeNs(k, task) - startCpuNs);
}

/** Whether the pass is due; plans the next one. */
function mayScan(k: Kernel, task: NumaTask, mm: Mm): boolean {
  const now = jiffies(k);
  const { numa } = mm;
  if (numa.nextScan === 0) numa.nextScan = now + msToJiffies(k.tunables.numaScanDelayMs);
  if (now < numa.nextScan) return false;
  if (task.scanPeriodMs === 0) {
    task.scanPeriodMaxMs = scanMaxMs(k, task, mm);
    task.scanPeriodMs = scanStartMs(k, task, mm);
  }
  numa.nextScan = now + msToJiffies(task.scanPeriodMs);
  return true;
}

/** How much a pass may still do, and what it has done. */
interface Budget {
  /** Pages of entries that may still change, and pages that may still be looked at. */
  pages: number;
  virtualPages: number;
  looked: number;
  marked: number;
}

/** One window of the address space, from where the last one ended. */
function* scanAreas(k: Kernel, task: NumaTask, mm: Mm): Path {
  const startNs = k.nowNs;
  const pages = (k.tunables.numaScanSizeMb * 2 ** 20) / PAGE_BYTES;
  const budget = { pages, virtualPages: pages * VIRTUAL_FACTOR, looked: 0, marked: 0 };
  let reached = yield* scanFrom(k, task, mm, budget, false);
  // Only areas that this task does not use are left: one of them is scanned all the same.
  if (reached === "only-unused") reached = yield* scanFrom(k, task, mm, budget, true);
  if (reached !== "window") {
    mm.numa.scanSeq += 1;
    mm.numa.offsetVpn = 0;
  }
  emit(k, EVENT.numaScan, mm.id, budget.looked, budget.marked, k.nowNs - startNs);
}

/** Scans until the window is full ("window"), or the last area is done. */
function* scanFrom(
  k: Kernel,
  task: NumaTask,
  mm: Mm,
  budget: Budget,
  forced: boolean,
): Path<"window" | "end" | "only-unused"> {
  const { numa } = mm;
  let at = vmaIndex(mm, numa.offsetVpn);
  if (at === mm.vmas.length) {
    numa.scanSeq += 1;
    numa.offsetVpn = 0;
    at = 0;
  }
  let start = numa.offsetVpn;
  let unused = false;
  for (; at < mm.vmas.length; at++) {
    const vma = mm.vmas[at]!;
    if (!isScanned(vma) || hasMemoryPolicy(k)) continue;
    const visit = visitArea(k, task, vma, forced);
    if (visit === "skip-whole") numa.offsetVpn = vma.end;
    if (visit === "not-used") unused = true;
    if (visit !== "scan") continue;
    start = yield* scanArea(k, vma, Math.max(start, vma.start), budget);
    if (budget.pages <= 0 || budget.virtualPages <= 0) {
      numa.offsetVpn = start;
      return "window";
    }
    areaDone(k, vma);
    if (!forced) continue;
    numa.offsetVpn = start;
    return "window";
  }
  return unused && !forced ? "only-unused" : "end";
}

/** Marks an area from `start` on, chunk by chunk, as far as the budget goes; where it ended. */
function* scanArea(k: Kernel, vma: Vma, start: number, budget: Budget): Path<number> {
  const n = k.geometry.pagesPerHuge;
  while (start < vma.end) {
    const end = Math.min(vma.end, Math.ceil((start + budget.pages) / n) * n);
    const changed = yield* markRange(k, vma, start, end);
    if (changed > 0) budget.pages -= end - start;
    budget.virtualPages -= end - start;
    budget.looked += end - start;
    budget.marked += changed;
    start = end;
    if (budget.pages <= 0 || budget.virtualPages <= 0) break;
  }
  return start;
}

/** Which areas have pages that could be moved. */
function isScanned({ flags, shared }: Vma): boolean {
  // Shared anonymous memory has a policy of its own, which says no as long as nobody set one.
  if (shared !== undefined) return false;
  const libraryLike = (flags & (VM.FILE | VM.READ | VM.WRITE)) === (VM.FILE | VM.READ);
  return !libraryLike && (flags & VM_ACCESS) !== 0;
}
