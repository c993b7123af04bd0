/**
 * What a hint fault does to its page's way: the machine of last_nid and migrate_nid.
 *
 *     used from another node than before ─▶ remember it, cancel what waits
 *     used from the same node, or for the first time:
 *         page elsewhere ─▶ queue it to this node        page here ─▶ cancel what waits
 *
 * The first fault of all queues the page at once. The fields are read without a lock, so two CPUs that fault
 * together may cancel, or queue to either: never to both.
 *
 * Models:       memory_follow_cpu(), last_nid_set(), autonuma_migrate_page(), numa_hinting_fault(),
 *               AutoNUMA 14 to 24; autonuma_should_migrate_page() of 28.
 * Not modelled: policies but a task's MPOL_BIND to one node.
 */
import { type Path, PREEMPT } from "../../../core/ops.ts";
import type { NodeId, Pfn } from "../../../core/units.ts";
import { putPage } from "../../buddy/free.ts";
import { nodeOfFrame } from "../../buddy/state.ts";
import { hasMemoryPolicy, localNode } from "../../fault/node.ts";
import { FRAME } from "../../mm/frames.ts";
import type { Kernel } from "../../state.ts";
import { exchangeLast, lastUser } from "../early/last-nid.ts";
import { type EarlyTask, earlyTask } from "../early/state.ts";
import { currentTask, type NumaTask } from "../state.ts";
import { enlist } from "./life.ts";
import { autonuma, autonumaForm, isEnabled } from "./of.ts";
import { migrateOnFault } from "./on-fault.ts";
import { dequeue, enqueue, queuedTo } from "./queue.ts";

/**
 * One page (the head of a huge one) had its hint: follow it, and count for task and address space. Where
 * faults migrate, the caller's reference on the page is used up.
 */
export function* hintFault(k: Kernel, pfn: Pfn, pages: number): Path {
  const task = currentTask(k);
  const leftAlone = autonumaForm(k).taskPolicy === "left-alone" && hasMemoryPolicy(k);
  if (task?.mm === undefined || leftAlone || !isEnabled(k)) {
    if (autonumaForm(k).migrate === "on-fault") putPage(k, pfn);
    return;
  }
  const state = earlyTask(k, task);
  const onFault = autonumaForm(k).migrate === "on-fault";
  const node = onFault ? yield* migrateOnFault(k, state, pfn, pages) : yield* follow(k, pfn);
  // Only now: the first fault of a pass is decided by what the pass before has left.
  age(k, task, state);
  state.faults[node]! += pages;
  state.total += pages;
  if (autonumaForm(k).statistics !== "faults") return;
  const entry = enlist(k, task.mm);
  entry.faults[node]! += pages;
  entry.total += pages;
}

/**
 * The first fault of a pass halves what the passes before have left, and forgets false sharing: that fault's
 * own, too. Passes without a fault do not.
 */
function age(k: Kernel, task: NumaTask, state: EarlyTask): void {
  const entry = enlist(k, task.mm!);
  if (state.pass === entry.pass) return;
  state.pass = entry.pass;
  state.falseSharing = false;
  state.total = 0;
  for (let node = 0; node < k.machine.nodes; node++) {
    state.faults[node] = Math.floor(state.faults[node]! / 2);
    state.total += state.faults[node]!;
  }
  if (autonumaForm(k).statistics !== "faults" || entry.agedPass === entry.pass) return;
  entry.agedPass = entry.pass;
  entry.total = 0;
  for (let node = 0; node < k.machine.nodes; node++) {
    entry.faults[node] = Math.floor(entry.faults[node]! / 2);
    entry.total += entry.faults[node]!;
  }
}

/** The node that the fault counts for. */
export function* follow(k: Kernel, pfn: Pfn): Path<NodeId> {
  const a = autonuma(k);
  const here = localNode(k);
  const last = lastUser(k, pfn);
  const byQueue = autonumaForm(k).cancel === "if-for-another";
  if (last >= 0 && last !== here) {
    yield PREEMPT;
    const waiting = queuedTo(a, pfn);
    const cancel = waiting >= 0 && !(byQueue && waiting === here);
    if (cancel) {
      a.figures.cancelledPages += 1;
      yield* dequeue(k, pfn);
    }
    exchangeLast(k, pfn, here);
    const queued = queuedTo(a, pfn);
    return byQueue && queued >= 0 ? (queued as NodeId) : nodeOfFrame(k.buddy, pfn);
  }
  if (last !== here) exchangeLast(k, pfn, here);
  const node = nodeOfFrame(k.buddy, pfn);
  if ((k.frames.flags[pfn]! & FRAME.LRU) === 0) return node;
  if (here === node) {
    if (queuedTo(a, pfn) >= 0) yield* dequeue(k, pfn);
  } else if (queuedTo(a, pfn) !== here) {
    yield* enqueue(k, pfn, here, node);
  }
  return here;
}
