/**
 * What becomes of balancing's state when a task forks, is moved, runs another program, or ends.
 *
 *     fork:   one user? its passes start anew ─▶ child: own counts, the mm's state is copied with it
 *     thread: knows the preferred node, and scans soon after its first second
 *
 * Models:       kernel/sched/fair.c init_numa_balancing(), update_scan_period(), v6.1.
 * Not modelled: nothing of these.
 */
import { MS_NS, NO_NODE } from "../../core/units.ts";
import { nodeOfCpu } from "../machine.ts";
import type { Kernel } from "../state.ts";
import { scanMaxMs, scanStartMs } from "./period.ts";
import { numaPolicy } from "./policy.ts";
import { JIFFY_NS, jiffies, makeNumaTask, msToJiffies, type NumaTask } from "./state.ts";

/** The child of a task: a thread of the same process, or a new one. Before the address space is copied. */
export function forkNumaTask(k: Kernel, parent: NumaTask, kind: "fork" | "thread"): NumaTask {
  const { mm } = parent;
  const users = mm?.users ?? 1;
  if (mm !== undefined && users === 1) {
    mm.numa.nextScan = jiffies(k) + msToJiffies(k.tunables.numaScanDelayMs);
    mm.numa.scanSeq = 0;
    mm.numa.stacksMarked = 0;
    parent.stackTouched = 0;
  }
  const child = makeNumaTask(k, mm);
  child.memoryNode = parent.memoryNode;
  numaPolicy(k).fork?.(k, parent, child, kind);
  child.scanSeq = mm?.numa.scanSeq ?? 0;
  child.scanPeriodMaxMs = parent.scanPeriodMaxMs;
  for (const [i, pages] of parent.locality.entries()) child.locality[i] = pages;
  if (kind === "fork" || mm === undefined) return child;
  child.preferred = parent.preferred;
  // The kernel compares milliseconds with nanoseconds here, so that the first is nearly always the smaller.
  const spreadNs = Math.min(scanMaxMs(k, parent, mm), parent.scanPeriodMs * users * MS_NS);
  child.nodeStampNs = spreadNs + 2 * JIFFY_NS;
  return child;
}

/** The task goes on on another CPU. */
export function numaTaskMoved(k: Kernel, task: NumaTask, fromCpu: number, toCpu: number): void {
  const from = nodeOfCpu(k.machine, fromCpu);
  const to = nodeOfCpu(k.machine, toCpu);
  if (!k.tunables.numaBalancing || task.mm === undefined || task.faults === undefined || from === to) return;
  const { preferred } = task;
  if (task.scanSeq > 0 && (to === preferred || (preferred !== NO_NODE && from !== preferred))) return;
  task.scanPeriodMs = scanStartMs(k, task, task.mm);
}
