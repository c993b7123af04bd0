/**
 * The swap device: slots of one base page each, with a count of the page-table entries that name a slot.
 *
 *     page of the device   0      1 … 511   512 … 1023   1024 …      (clusters of a huge page's size)
 *                          head   ╰── never whole        ╰── one huge page, or base pages one after the other
 *
 * A huge page takes a free cluster as a whole. Base pages fill the cluster that they began; when it is full
 * they begin another free one, and only without any go wherever a slot is free. So little is left in pieces.
 *
 * Models:       mm/swapfile.c get_swap_pages(), scan_swap_map_try_ssd_cluster(), swap_alloc_cluster(),
 *               swap_free(), swap_duplicate(), v6.1.
 * Not modelled: the swap cache between write-out and free (a page is in memory or in swap, never both), a
 *               cluster for each CPU, slots that a CPU keeps ready, clusters of other sizes (6.12), several
 *               devices.
 */

import { PAGE_BYTES } from "../../core/units.ts";
import { assert } from "../../lib/assert.ts";
import type { MachineSpec } from "../machine.ts";
import type { Kernel } from "../state.ts";

export interface Swap {
  /** How many PTEs name each slot; 0: free. Slot 0 is the device's page 1: its first holds its head. */
  readonly useCount: Uint16Array;
  free: number;
  /** Slots in use of each cluster; the device's head is one of the first. */
  readonly clusterUsed: Uint16Array;
  /** Base pages go on here. */
  cursor: number;
}

export function makeSwap(machine: MachineSpec, clusterSlots: number): Swap {
  const slots = Math.floor(machine.swapBytes / PAGE_BYTES);
  const clusterUsed = new Uint16Array(Math.ceil((slots + 1) / clusterSlots));
  clusterUsed[0] = 1;
  const cursor = (clusterSlots - 1) % Math.max(slots, 1);
  return { useCount: new Uint16Array(slots), free: slots, clusterUsed, cursor };
}

const clusterOf = (k: Kernel, slot: number): number => (slot + 1) >>> k.geometry.hugeOrder;
const firstSlotOf = (k: Kernel, cluster: number): number => cluster * k.geometry.pagesPerHuge - 1;

/** A cluster none of whose slots is in use, or -1. The last one counts only if the device ends with it. */
function freeCluster(k: Kernel): number {
  const { clusterUsed, useCount } = k.swap;
  const whole = Math.floor((useCount.length + 1) / k.geometry.pagesPerHuge);
  const found = clusterUsed.indexOf(0);
  return found < whole ? found : -1;
}

function useSlot(k: Kernel, slot: number): void {
  k.swap.useCount[slot] = 1;
  k.swap.clusterUsed[clusterOf(k, slot)]! += 1;
  k.swap.free -= 1;
}

/** A free slot with one user, or -1 when swap is full or absent. */
export function takeSwapSlot(k: Kernel): number {
  const { swap } = k;
  if (swap.free === 0) return -1;
  const slots = swap.useCount.length;
  const n = k.geometry.pagesPerHuge;
  const begun = (swap.cursor + 1) % n !== 0 && swap.useCount[swap.cursor] === 0;
  const cluster = begun ? -1 : freeCluster(k);
  if (cluster >= 0) swap.cursor = firstSlotOf(k, cluster);
  while (swap.useCount[swap.cursor] !== 0) swap.cursor = (swap.cursor + 1) % slots;
  const slot = swap.cursor;
  useSlot(k, slot);
  swap.cursor = (slot + 1) % slots;
  return slot;
}

/** A free cluster for a huge page: its first slot; -1 when there is none. */
export function takeSwapCluster(k: Kernel, slots: number): number {
  assert(slots === k.geometry.pagesPerHuge, "a cluster of swap has a huge page's size");
  const cluster = k.swap.free < slots ? -1 : freeCluster(k);
  if (cluster < 0) return -1;
  const first = firstSlotOf(k, cluster);
  for (let slot = first; slot < first + slots; slot++) useSlot(k, slot);
  return first;
}

/** A slot that nothing names, in spite of having been taken, is free again. */
export function dropSwapSlot(k: Kernel, slot: number): void {
  k.swap.useCount[slot] = 0;
  k.swap.clusterUsed[clusterOf(k, slot)]! -= 1;
  k.swap.free += 1;
}

/** One more entry names the slot (fork). */
export function shareSwapSlot(k: Kernel, slot: number): void {
  assert(k.swap.useCount[slot]! > 0, "a swap slot that is shared is in use");
  k.swap.useCount[slot]! += 1;
}

/** One entry less names the slot. */
export function freeSwapSlot(k: Kernel, slot: number): void {
  assert(k.swap.useCount[slot]! > 0, "a swap slot that is freed is in use");
  k.swap.useCount[slot]! -= 1;
  if (k.swap.useCount[slot] === 0) dropSwapSlot(k, slot);
}
