/**
 * Which areas are worth a task's scanning: those that it used lately, and every area now and then.
 *
 *     hint fault ─▶ bit of the task's number in the area's mask      two masks: this period's, the last one's
 *     scan       ─▶ new area? wait · scanned in this pass? skip · bit set, or overdue? scan
 *
 * Models:       kernel/sched/fair.c vma_is_accessed(), task_numa_work(), vma_set_access_pid_bit(), v6.12.
 * Not modelled: kernels 6.4 to 6.7, whose first forms of the filter starved some areas.
 */
import { MS_NS } from "../../core/units.ts";
import type { Vma } from "../mm/vma.ts";
import type { Kernel } from "../state.ts";
import { JIFFY_NS, jiffies, type NumaTask } from "./state.ts";

/** What the scanner remembers of an area, from its first visit on. */
export interface AreaNuma {
  /** Passes of the address space when it was first visited. */
  readonly startSeq: number;
  /** Not scanned before that jiffy, but in the first pass. */
  readonly nextScan: number;
  /** When the masks move on. */
  resetAt: number;
  /** The pass in which it was last scanned to its end. */
  previousSeq: number;
  /** Bits of the numbers of tasks that faulted here: the last period's, this one's; each in two halves. */
  readonly active: Uint32Array;
}

/** Passes in which an area is scanned whoever asks. */
const FREE_PASSES = 2;
/** The masks move on after that many scan delays. */
const RESET_DELAYS = 4;

const delayJiffies = (k: Kernel, delays: number): number =>
  Math.ceil((delays * k.tunables.numaScanDelayMs * MS_NS) / JIFFY_NS);

function areaOf(k: Kernel, vma: Vma): AreaNuma {
  let area = k.numa.areas.get(vma);
  if (area === undefined) {
    const { scanSeq } = vma.mm.numa;
    const nextScan = jiffies(k) + delayJiffies(k, 1);
    const resetAt = nextScan + delayJiffies(k, RESET_DELAYS);
    area = { startSeq: scanSeq, nextScan, resetAt, previousSeq: scanSeq - 1, active: new Uint32Array(4) };
    k.numa.areas.set(vma, area);
  }
  return area;
}

/** Which of 64 bits stands for a task: the kernel's hash_32(pid, 6). */
function bitOf({ pid }: NumaTask): number {
  return Math.imul(pid, 0x61c88647) >>> 26;
}

/** A hint fault of that task in the area. */
export function noteAccess(k: Kernel, vma: Vma, task: NumaTask | undefined): void {
  if (!k.behaviours.numaRules.areaFilter || task === undefined) return;
  const area = k.numa.areas.get(vma);
  const bit = bitOf(task);
  if (area !== undefined) area.active[2 + (bit >>> 5)]! |= 1 << (bit & 31);
}

/** What a visit of the scanner says of an area. */
export type Visit = "scan" | "skip" | "skip-whole" | "not-used";

/** Whether a task scans the area now; `forced` if there was nothing else to scan. */
export function visitArea(k: Kernel, task: NumaTask, vma: Vma, forced: boolean): Visit {
  if (!k.behaviours.numaRules.areaFilter) return "scan";
  const area = areaOf(k, vma);
  const { scanSeq } = vma.mm.numa;
  if (scanSeq > 0 && jiffies(k) < area.nextScan) return "skip";
  if (scanSeq > 0 && jiffies(k) > area.resetAt) {
    area.resetAt += delayJiffies(k, RESET_DELAYS);
    area.active.copyWithin(0, 2);
    area.active.fill(0, 2);
  }
  if (area.previousSeq === scanSeq) return "skip-whole";
  return forced || isAccessed(task, vma, area) ? "scan" : "not-used";
}

function isAccessed(task: NumaTask, vma: Vma, area: AreaNuma): boolean {
  const { scanSeq, offsetVpn } = vma.mm.numa;
  if (scanSeq - area.startSeq < FREE_PASSES) return true;
  const bit = bitOf(task);
  const half = area.active[bit >>> 5]! | area.active[2 + (bit >>> 5)]!;
  if ((half & (1 << (bit & 31))) !== 0) return true;
  return offsetVpn > vma.start || scanSeq > area.previousSeq + vma.mm.users;
}

/** The area has been scanned to its end. */
export function areaDone(k: Kernel, vma: Vma): void {
  const area = k.numa.areas.get(vma);
  if (area !== undefined) area.previousSeq = vma.mm.numa.scanSeq;
}
