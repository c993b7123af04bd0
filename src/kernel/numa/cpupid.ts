/**
 * The mark that each page carries of who used it last: CPU and the low eight bits of the process number.
 *
 *     fault ─▶ exchange(page, me) ─▶ who was it before? ─▶ filter
 *     freed, reused in place: nobody      migrated: goes along      split: every page gets the head's
 *
 * The low bits alone say whether a mark is set, so a task whose number ends in 255 always looks like nobody.
 *
 * Models:       include/linux/mm.h cpu_pid_to_cpupid(), page_cpupid_xchg_last(), page_cpupid_reset_last(),
 *               v6.1.
 * Not modelled: packing into page->flags; the scan time that slow tiers keep here.
 */
import type { Pfn } from "../../core/units.ts";
import type { Kernel } from "../state.ts";
import { forgetQueued, queueTails } from "./autonuma/queue.ts";

/** Nobody: all ones. */
export const CPUPID_UNSET = -1;
const PID_BITS = 8;
const PID_MASK = (1 << PID_BITS) - 1;

export function makeCpupid(cpu: number, pid: number): number {
  return (cpu << PID_BITS) | (pid & PID_MASK);
}

export function cpuOf(cpupid: number): number {
  return cpupid >> PID_BITS;
}

export function isPidUnset(cpupid: number): boolean {
  return (cpupid & PID_MASK) === PID_MASK;
}

export function isSamePid(cpupid: number, pid: number): boolean {
  return (cpupid & PID_MASK) === (pid & PID_MASK);
}

/** The mark of a page (of the head, for a huge one). */
export function lastCpupid(k: Kernel, head: Pfn): number {
  return k.numa.cpupid === undefined ? CPUPID_UNSET : k.numa.cpupid[head]! - 1;
}

/** Sets the mark of a page and returns what it was. */
export function exchangeCpupid(k: Kernel, head: Pfn, cpupid: number): number {
  k.numa.cpupid ??= new Int32Array(k.frames.rows);
  const last = k.numa.cpupid[head]! - 1;
  k.numa.cpupid[head] = cpupid + 1;
  return last;
}

/** Nobody has used these pages: they were freed, or a write took them over in place. */
export function resetCpupid(k: Kernel, pfn: Pfn, pages: number): void {
  if (k.numa.early !== undefined) forgetQueued(k, pfn);
  if (k.numa.cpupid === undefined) return;
  if (pages === 1) k.numa.cpupid[pfn] = 0;
  else k.numa.cpupid.fill(0, pfn, pfn + pages);
}

/** A page moved to another frame. */
export function moveCpupid(k: Kernel, from: Pfn, to: Pfn): void {
  if (k.numa.early !== undefined) forgetQueued(k, from);
  if (k.numa.cpupid === undefined) return;
  k.numa.cpupid[to] = k.numa.cpupid[from]!;
  k.numa.cpupid[from] = 0;
}

/** A huge page became base pages. */
export function spreadCpupid(k: Kernel, head: Pfn, pages: number): void {
  if (k.numa.early !== undefined) queueTails(k, head, pages);
  if (k.numa.cpupid !== undefined) k.numa.cpupid.fill(k.numa.cpupid[head]!, head + 1, head + pages);
}
