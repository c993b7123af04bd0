/**
 * Groups: tasks that fault on each other's pages are placed together.
 *
 *     shared fault ─▶ own group, if none ─▶ who runs where the page was used last? ─▶ join the larger
 *
 * Models:       kernel/sched/fair.c task_numa_group(), task_numa_free(), numa_group_count_active_nodes(),
 *               v6.1.
 * Not modelled: groups are ordered by age where the kernel compares addresses.
 */
import type { Kernel } from "../state.ts";
import { cpuOf, isSamePid } from "./cpupid.ts";
import { groupFaults } from "./filter.ts";
import { FAULTS, type NumaGroup, type NumaTask } from "./state.ts";

/** A node is active that has more than a third of the busiest one's CPU faults. */
const ACTIVE_FRACTION = 3;

/** The MEM and CPU sums of a task count for its group; `sign` −1 takes them away. */
function addTask(k: Kernel, group: NumaGroup, task: NumaTask, sign: 1 | -1): void {
  group.tasks += sign;
  group.totalFaults += sign * task.totalFaults;
  const averages = FAULTS.MEM_BUFFER * k.machine.nodes * 2;
  for (let i = 0; i < averages; i++) group.faults[i]! += sign * (task.faults?.[i] ?? 0);
}

function ownGroup(k: Kernel, task: NumaTask): NumaGroup {
  const group: NumaGroup = {
    id: k.numa.nextGroup++,
    tasks: 0,
    faults: new Float64Array(FAULTS.MEM_BUFFER * k.machine.nodes * 2),
    totalFaults: 0,
    activeNodes: 1,
    maxCpuFaults: 0,
  };
  addTask(k, group, task, 1);
  task.group = group;
  return group;
}

/**
 * A shared fault: the task may join the group of the page's last user. `sharedArea`: the page is mapped by
 * several and its area is shared. 1 if the page is not shared with anybody worth joining.
 */
export function joinGroup(k: Kernel, task: NumaTask, last: number, sharedArea: boolean): 0 | 1 {
  const mine = task.group ?? ownGroup(k, task);
  const other = k.numa.running[cpuOf(last)];
  const theirs = other?.group;
  if (other === undefined || !isSamePid(last, other.pid) || theirs === undefined || theirs === mine) return 0;
  if (mine.tasks > theirs.tasks || (mine.tasks === theirs.tasks && mine.id > theirs.id)) return 0;
  if (other.mm !== task.mm && !sharedArea) return 1;
  addTask(k, mine, task, -1);
  addTask(k, theirs, task, 1);
  task.group = theirs;
  return 0;
}

/** The task ends, or runs another program: its sums leave the group and are forgotten. */
export function leaveGroup(k: Kernel, task: NumaTask): void {
  if (task.group !== undefined) addTask(k, task.group, task, -1);
  task.group = undefined;
  task.totalFaults = 0;
  task.faults?.fill(0, 0, FAULTS.MEM_BUFFER * k.machine.nodes * 2);
}

/** How many nodes the group uses much. */
export function countActiveNodes(k: Kernel, group: NumaGroup): void {
  let max = 0;
  for (let node = 0; node < k.machine.nodes; node++)
    max = Math.max(max, groupFaults(k, group, FAULTS.CPU, node));
  let active = 0;
  for (let node = 0; node < k.machine.nodes; node++) {
    if (groupFaults(k, group, FAULTS.CPU, node) * ACTIVE_FRACTION > max) active++;
  }
  group.maxCpuFaults = max;
  group.activeNodes = active;
}

export function isActiveNode(k: Kernel, group: NumaGroup, node: number): boolean {
  return groupFaults(k, group, FAULTS.CPU, node) * ACTIVE_FRACTION > group.maxCpuFaults;
}
