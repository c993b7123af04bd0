/**
 * A tick finds a task running, in the designs whose tasks scan: is its period over, and may its address space
 * be scanned again? Then work is queued for its way back to its program.
 *
 * Models:       kernel/sched/fair.c task_tick_numa(), v3.8 and numa/core. The stamp is set anew, so a tick
 *               that comes late delays the next one.
 * Not modelled: nothing of it.
 */
import { MS_NS } from "../../../core/units.ts";
import type { Kernel } from "../../state.ts";
import { cpuTimeNs, JIFFY_NS, jiffies, type NumaTask } from "../state.ts";

/** `shortestKnob` names the period with which a task begins. */
export function tickEarly(k: Kernel, task: NumaTask, shortestKnob: string): void {
  task.tickAtNs = (jiffies(k) + 1) * JIFFY_NS;
  const { mm } = task;
  if (!k.tunables.numaBalancing || mm === undefined || mm.users === 0 || task.workQueued) return;
  const now = cpuTimeNs(k, task);
  if (now - task.nodeStampNs <= task.scanPeriodMs * MS_NS) return;
  if (task.nodeStampNs === 0) task.scanPeriodMs = k.knobs.readNumber(shortestKnob);
  task.nodeStampNs = now;
  if (jiffies(k) >= mm.numa.nextScan) task.workQueued = true;
}
