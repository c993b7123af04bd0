/**
 * AutoNUMA's part of the scheduler: a running task goes where more of its memory is than of whoever runs
 * there.
 *
 *     weight(x, node) = 1000 × faults[node] / all     of the task, or of its process against another process
 *
 *     most of both here already ─▶ stay, converged
 *     else for each busy CPU of each other node: w > w_other, w > w_here ─▶ the best sum of both
 *
 * Models:       sched_autonuma_balance(), AutoNUMA 19 to 28.
 * Not modelled: CFS, which brings the other task over in time: the two change places at once; strict mode;
 *               cpusets. It runs with the load balancer's softirq, here every 100 ms.
 */
import { MS_NS } from "../../../core/units.ts";
import { localNode } from "../../fault/node.ts";
import { nodeOfCpu } from "../../machine.ts";
import type { Kernel } from "../../state.ts";
import { type EarlyTask, earlyTask } from "../early/state.ts";
import type { Leave, NodeWay } from "../policy.ts";
import type { NumaTask } from "../state.ts";
import { enlist } from "./life.ts";
import { KNOB, knobOr } from "./of.ts";

const INTERVAL_MS = 100;
const WEIGHT_MAX = 1000;

/** Weight of faults on a node, 0 … 1000; the sum may be stale, and is raised where a part exceeds it. */
export function weightOf(faults: Float64Array, total: number, node: number): number {
  const part = faults[node]!;
  const all = Math.max(total, part);
  return all === 0 ? 0 : Math.floor((WEIGHT_MAX * part) / all);
}

/**
 * The load balancer asks for a task: one that was put on a node goes to it first and leaves it last. In
 * strict mode only CPUs that are idle may take it away.
 */
export function leavesAutonuma(k: Kernel, task: NumaTask, way: NodeWay, idle: boolean): Leave {
  const { selected } = earlyTask(k, task);
  if (selected < 0 || selected === way.to) return "may";
  return !idle && knobOr(k, KNOB.STRICT, 0) === 1 ? "never" : "rather-not";
}

function nodeOfMost(faults: Float64Array, nodes: number): number {
  let most = 0;
  for (let node = 1; node < nodes; node++) if (faults[node]! > faults[most]!) most = node;
  return most;
}

/** Looks at the running task's place, if its interval is over. */
export function balance(k: Kernel, task: NumaTask): void {
  const state = earlyTask(k, task);
  if (k.nowNs < state.balanceAtNs || task.mm === undefined) return;
  state.balanceAtNs = k.nowNs + knobOr(k, KNOB.BALANCE_INTERVAL, INTERVAL_MS) * MS_NS;
  const entry = enlist(k, task.mm);
  if (state.total === 0 || entry.total === 0) return;
  const here = localNode(k);
  const { nodes } = k.machine;
  if (nodeOfMost(entry.faults, nodes) === here && nodeOfMost(state.faults, nodes) === here) {
    state.selected = here;
    return;
  }
  const cpu = bestCpu(k, task, state, here);
  if (cpu < 0) return;
  const node = nodeOfCpu(k.machine, cpu);
  if (k.numa.exchange?.(cpu) === true) state.selected = node;
}

/** The CPU whose task has the least reason to be there, against this one's to be; −1: none. */
function bestCpu(k: Kernel, task: NumaTask, state: EarlyTask, here: number): number {
  const entry = enlist(k, task.mm!);
  let best = 0;
  let bestAt = -1;
  for (let cpu = 0; cpu < k.machine.cpus; cpu++) {
    const node = nodeOfCpu(k.machine, cpu);
    const other = k.numa.running[cpu];
    if (node === here || other?.mm === undefined) continue;
    const sameMm = other.mm === task.mm;
    const theirs = sameMm ? earlyTask(k, other) : enlist(k, other.mm);
    const mine = sameMm ? state : entry;
    const there = weightOf(mine.faults, mine.total, node);
    const gain = there - weightOf(theirs.faults, theirs.total, node);
    const advance = there - weightOf(mine.faults, mine.total, here);
    if (gain <= 0 || advance <= 0 || gain + advance <= best) continue;
    best = gain + advance;
    bestAt = cpu;
  }
  return bestAt;
}
