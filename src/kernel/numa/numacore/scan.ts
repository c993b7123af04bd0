/**
 * numa/core's scanner: the task takes the access away from all of its memory at once.
 *
 *     tick ─▶ due? ─▶ mmap lock for writing ─▶ every entry of every area loses its protection ─▶ flush
 *
 * Nobody else of the process faults meanwhile: the lock is held for writing through the whole walk. From
 * November on a pass is a window of 256 MiB, every 200 ms at most; a task asks for one every 100 to 1600 ms.
 *
 * Models:       kernel/sched/fair.c task_tick_numa(), task_numa_work(); include/linux/mm.h
 *               change_prot_none(), numa/core of October and November 2012.
 * Not modelled: numa_pte_updates, which came with 3.8, is counted for comparison; hugetlb areas (there are
 *               none); the RSS threshold of the later tunables.
 */
import { C } from "../../../core/counters.ts";
import type { Path } from "../../../core/ops.ts";
import { asVpn, MS_NS, NO_ROW, PAGE_BYTES } from "../../../core/units.ts";
import { pageTableLock } from "../../locks.ts";
import type { Mm } from "../../mm/mm.ts";
import { PMD, PTE, vpnOfRow } from "../../mm/page-table.ts";
import { nextUsedRow } from "../../mm/tables.ts";
import { VM_ACCESS, type Vma, vmaIndex } from "../../mm/vma.ts";
import { type Kernel, spend } from "../../state.ts";
import { flushRange } from "../../tlb/shootdown.ts";
import { isMigratable } from "../balancenuma/scan.ts";
import type { Numacore } from "../design.ts";
import { markTableEntries } from "../early/mark.ts";
import { tickEarly } from "../early/tick.ts";
import { JIFFY_NS, jiffies, msToJiffies, type NumaTask } from "../state.ts";

export const KNOB = {
  MIN: "kernel.sched_numa_scan_period_min_ms",
  MAX: "kernel.sched_numa_scan_period_max_ms",
  SETTLE: "kernel.sched_numa_settle_count",
  SIZE: "kernel.sched_numa_scan_size_mb",
} as const;

/** This kernel's form of the design. */
export function numacoreOf(k: Kernel): Numacore {
  return k.behaviours.numaDesign as Numacore;
}

export function tickNumacore(k: Kernel, task: NumaTask): void {
  tickEarly(k, task, KNOB.MIN);
}

export function* workNumacore(k: Kernel, task: NumaTask): Path {
  task.workQueued = false;
  const { mm } = task;
  const now = jiffies(k);
  if (mm === undefined || mm.users === 0 || now < mm.numa.nextScan) return;
  mm.numa.nextScan = now + msToJiffies(2 * k.knobs.readNumber(KNOB.MIN));
  if (numacoreOf(k).pass === "window") {
    // Another thread comes next.
    task.scanPeriodMs += (2 * JIFFY_NS) / MS_NS;
    yield mm.mmapLock.acquire;
    yield* scanWindow(k, mm);
    yield mm.mmapLock.release;
    return;
  }
  mm.numa.scanSeq += 1;
  yield mm.mmapLock.acquire;
  for (const vma of mm.vmas) if (isScanned(vma)) yield* protNone(k, vma, vma.start, vma.end);
  yield mm.mmapLock.release;
}

/** An area without any access has no hint: its entries could not be told from it. */
function isScanned(vma: Vma): boolean {
  return isMigratable(vma) && (vma.flags & VM_ACCESS) !== 0;
}

function* scanWindow(k: Kernel, mm: Mm): Path {
  const { numa } = mm;
  const n = k.geometry.pagesPerHuge;
  let pages = Math.floor((k.knobs.readNumber(KNOB.SIZE) * 2 ** 20) / PAGE_BYTES);
  if (vmaIndex(mm, numa.offsetVpn) === mm.vmas.length) numa.offsetVpn = 0;
  if (numa.offsetVpn === 0) numa.scanSeq += 1;
  for (let at = vmaIndex(mm, numa.offsetVpn); at < mm.vmas.length && pages > 0; at++) {
    const vma = mm.vmas[at]!;
    if (!isScanned(vma)) continue;
    const start = Math.max(numa.offsetVpn, vma.start);
    const end = Math.min(vma.end, Math.ceil((start + pages) / n) * n);
    yield* protNone(k, vma, start, end);
    pages -= end - start;
    numa.offsetVpn = end;
  }
  if (pages > 0) numa.offsetVpn = 0;
}

/** Every entry of the range loses its protection; one flush at the end. */
function* protNone(k: Kernel, vma: Vma, start: number, end: number): Path {
  const n = k.geometry.pagesPerHuge;
  const { pmd } = k.pt;
  for (let row = nextUsedRow(k, vma.mm, start, end); row !== NO_ROW; ) {
    const first = vpnOfRow(k.pt, row);
    const from = Math.max(first, start);
    const to = Math.min(first + n, end);
    const lock = pageTableLock(k, row);
    yield lock.acquire;
    if (pmd.kind[row] === PMD.HUGE && to - from === n) {
      pmd.flags[row]! |= PTE.HINT;
      k.vmstat[C.numa_pte_updates]! += n;
      spend(k, k.costs.scanPteNs + k.costs.changePteNs);
    } else if (pmd.kind[row] === PMD.TABLE) {
      const rules = { unsharedOnly: false, marks: true };
      k.vmstat[C.numa_pte_updates]! += markTableEntries(k, row, from, to, rules);
    }
    yield lock.release;
    row = nextUsedRow(k, vma.mm, first + n, end);
  }
  yield flushRange(k, vma.mm, asVpn(start), end - start, "scan");
}
