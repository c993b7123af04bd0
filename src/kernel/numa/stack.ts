/**
 * A thread's own stack: a page that it never stops using, and that nobody else does. The scanner marks it
 * like all others once a process has several threads, so that every thread has a hint fault of its own in
 * each pass, on memory near by. It is what keeps the pace of a thread whose other pages are all far away: a
 * pass without any local or shared fault doubles its period.
 *
 *     a pass marks anything ─▶ marked ─▶ the thread's next tick or hint fault ─▶ its own fault ─▶ account
 *                                   its thread has moved to another node: it follows ─┘
 *
 * The page is no page of the machine: it takes no memory, and its fault no time and no pgfault.
 *
 * Models:       what mm/memory.c do_numa_page() and kernel/sched/fair.c task_numa_fault() do with a page of a
 *               thread's stack, v6.1; how many of them a thread uses is its program's affair: one here.
 * Not modelled: other private data of a program (code's data, heap), data that its threads share; a process
 *               of one thread, whose pages the scanner leaves alone where they are near.
 */
import { C } from "../../core/counters.ts";
import { NO_NODE } from "../../core/units.ts";
import { localNode } from "../fault/node.ts";
import type { Mm } from "../mm/mm.ts";
import type { Kernel } from "../state.ts";
import { accountFault, HINT } from "./account.ts";
import { makeCpupid } from "./cpupid.ts";
import type { NumaTask } from "./state.ts";

/** `stacksMarked` of a process whose threads have no stacks, for who counts every page. */
export const NO_STACKS = -1;

/** The scanner marks something of a process: once in a pass, its threads' stacks are marked as well. */
export function markStacks({ numa, users }: Mm): void {
  if (users > 1 && numa.stacksMarked !== NO_STACKS) numa.stacksMarked = numa.scanSeq + 1;
}

/** The task works on its stack: if that has been marked since, it has a hint fault. */
export function touchStack(k: Kernel, task: NumaTask | undefined): void {
  const mm = task?.mm;
  if (task === undefined || mm === undefined) return;
  const here = localNode(k);
  if (task.stackNode === NO_NODE) task.stackNode = here;
  if (task.stackTouched === mm.numa.stacksMarked) return;
  task.stackTouched = mm.numa.stacksMarked;
  const { vmstat } = k;
  const moves = task.stackNode !== here;
  vmstat[C.numa_pte_updates]! += 1;
  vmstat[C.numa_hint_faults]! += 1;
  vmstat[moves ? C.numa_pages_migrated : C.numa_hint_faults_local]! += 1;
  if (moves) vmstat[C.pgmigrate_success]! += 1;
  task.stackNode = here;
  const flags = moves ? HINT.MIGRATED : HINT.LOCAL;
  accountFault(k, task, { last: makeCpupid(k.cpu, task.pid), node: here, pages: 1, flags });
}
