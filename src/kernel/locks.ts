/**
 * Locks that do not live in a structure of their own: page-table locks (a pool, by PMD row) and page locks
 * (bound to a page while somebody needs it). Zone and LRU locks are with their zone and node, the mmap lock
 * with its address space.
 */
import { type Lock, makeLock } from "../core/ops.ts";
import type { PmdRow } from "../core/units.ts";
import { makePageLocks, type PageLocks } from "./mm/page-lock.ts";
import type { Kernel } from "./state.ts";

export interface Locks {
  /** Page-table locks: the kernel has one a table, the model one for each PMD row modulo the pool. */
  readonly pageTable: readonly Lock[];
  readonly deferredSplit: Lock;
  readonly pages: PageLocks;
}

/** Size of the pool: more than any run has CPUs, so that two rows seldom share a lock. */
const PAGE_TABLE_LOCKS = 1024;

export function makeLocks(): Locks {
  return {
    pageTable: Array.from({ length: PAGE_TABLE_LOCKS }, (_, i) => makeLock("page_table", "ptl" + i)),
    deferredSplit: makeLock("deferred_split", "split_queue_lock"),
    pages: makePageLocks(),
  };
}

/** The lock that guards a PMD row and the PTE table under it. */
export function pageTableLock(k: Kernel, row: PmdRow): Lock {
  return k.locks.pageTable[row % PAGE_TABLE_LOCKS]!;
}
