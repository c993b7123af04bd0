/**
 * LRU lists of each node, and the per-CPU batches in front of them.
 *
 *     new page ─▶ [batch of its CPU] ─15th page, or a huge one─▶ inactive ⇄ active
 *                                     MADV_FREE ─────────────▶ lazy (the kernel's inactive file list)
 *
 * Lists link heads of pages through `frames.next/prev`; which list a page is on follows from its flags ACTIVE
 * and SWAPBACKED, so these change only through the functions in `lru.ts` while FRAME.LRU is set.
 *
 * Models:       include/linux/mmzone.h struct lruvec; mm/swap.c lru_add batches, v6.1.
 * Not modelled: file lists, the unevictable list, memcg lists, multi-generation LRU; batches for activation,
 *               deactivation and lazy-free (these act at once).
 */
import { type Lock, makeLock } from "../../core/ops.ts";
import type { Behaviours } from "../behaviours.ts";
import type { MachineSpec } from "../machine.ts";

/** Lists of a node. */
export const LRU_LIST = { INACTIVE: 0, ACTIVE: 1, LAZY: 2 } as const;
export const LRU_LISTS = 3;

/** End of an LRU list. */
export const LRU_END = -1;

/** Guarded by its lock. */
export interface NodeLru {
  /** Newest and oldest page of each list. */
  readonly heads: Int32Array;
  readonly tails: Int32Array;
  /** Base pages on each list. */
  readonly sizePages: Float64Array;
  /** Huge pages that the deferred split shrinker still owes a look, too few so far for a batch. */
  shrinkWaiting: number;
  readonly lock: Lock;
}

export interface Lru {
  readonly nodes: readonly NodeLru[];
  /** Entries of one CPU's add batch. */
  readonly batchEntries: number;
  /** CPU × batchEntries: pages in order of arrival. */
  readonly batch: Int32Array;
  /** How many entries each CPU's batch holds. */
  readonly batched: Int32Array;
}

export function makeLru(machine: MachineSpec, behaviours: Behaviours): Lru {
  const batchEntries = behaviours.lruBatch;
  return {
    nodes: Array.from({ length: machine.nodes }, (_, node) => ({
      heads: new Int32Array(LRU_LISTS).fill(LRU_END),
      tails: new Int32Array(LRU_LISTS).fill(LRU_END),
      sizePages: new Float64Array(LRU_LISTS),
      shrinkWaiting: 0,
      lock: makeLock("lru", "lru_lock of node " + node),
    })),
    batchEntries,
    batch: new Int32Array(machine.cpus * batchEntries),
    batched: new Int32Array(machine.cpus),
  };
}
