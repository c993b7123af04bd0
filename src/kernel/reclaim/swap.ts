/**
 * The swap device: slots of one base page each, with a count of the page-table entries that name a slot, and
 * the page of the swap cache that stands for it.
 *
 *     page of the device   0      1 … 511   512 … 1023   1024 …      (clusters of a huge page's size)
 *                          head   ╰── never whole        ╰── one huge page, or base pages one after the other
 *
 * A huge page takes a free cluster as a whole. Base pages fill the cluster that they began; when it is full
 * they begin another free one, and only without any go wherever a slot is free. So little is left in pieces.
 * A slot is free when no entry names it and no page of the swap cache has it.
 *
 * Models:       mm/swapfile.c get_swap_pages(), scan_swap_map_try_ssd_cluster(), swap_alloc_cluster(),
 *               swap_free(), swap_duplicate(), v6.1.
 * Not modelled: a cluster for each CPU, slots that a CPU keeps ready or gives back in batches, taking slots
 *               of the swap cache when no other is free, clusters of other sizes (6.12), several devices.
 */

import { NO_FRAME, PAGE_BYTES, type Pfn } from "../../core/units.ts";
import { assert } from "../../lib/assert.ts";
import type { MachineSpec } from "../machine.ts";
import type { Kernel } from "../state.ts";

export const ZEROS = {
  /** The page held nothing but zeros when it was unmapped last. */
  HELD: 1,
  /** That stands for what would else have been written (6.12+). */
  NOTED: 2,
} as const;

export interface Swap {
  /** How many PTEs name each slot. Slot 0 is the device's page 1: its first holds its head. */
  readonly useCount: Uint16Array;
  /** The base page of the swap cache that stands for each slot, or NO_FRAME. */
  readonly cachedPage: Int32Array;
  /** 1: that page was read ahead, and nobody has asked for it yet. */
  readonly readAhead: Uint8Array;
  /** Bits of `ZEROS`: what is known of the slot's page. */
  readonly zeros: Uint8Array;
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
  return {
    useCount: new Uint16Array(slots),
    cachedPage: new Int32Array(slots).fill(NO_FRAME),
    readAhead: new Uint8Array(slots),
    zeros: new Uint8Array(slots),
    free: slots,
    clusterUsed,
    cursor,
  };
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

function isFree({ swap }: Kernel, slot: number): boolean {
  return swap.useCount[slot] === 0 && swap.cachedPage[slot] === NO_FRAME;
}

function useSlot(k: Kernel, slot: number, page: number): void {
  k.swap.cachedPage[slot] = page;
  k.swap.clusterUsed[clusterOf(k, slot)]! += 1;
  k.swap.free -= 1;
}

/** A free slot for a page of the swap cache, or -1 when swap is full or absent. */
export function takeSwapSlot(k: Kernel, pfn: Pfn): number {
  const { swap } = k;
  if (swap.free === 0) return -1;
  const slots = swap.useCount.length;
  const n = k.geometry.pagesPerHuge;
  const begun = (swap.cursor + 1) % n !== 0 && isFree(k, swap.cursor);
  const cluster = begun ? -1 : freeCluster(k);
  if (cluster >= 0) swap.cursor = firstSlotOf(k, cluster);
  while (!isFree(k, swap.cursor)) swap.cursor = (swap.cursor + 1) % slots;
  const slot = swap.cursor;
  useSlot(k, slot, pfn);
  swap.cursor = (slot + 1) % slots;
  return slot;
}

/** A free cluster for a huge page of the swap cache: its first slot; -1 when there is none. */
export function takeSwapCluster(k: Kernel, head: Pfn): number {
  const slots = k.geometry.pagesPerHuge;
  const cluster = k.swap.free < slots ? -1 : freeCluster(k);
  if (cluster < 0) return -1;
  const first = firstSlotOf(k, cluster);
  for (let i = 0; i < slots; i++) useSlot(k, first + i, head + i);
  return first;
}

function giveBackIfFree(k: Kernel, slot: number): void {
  if (!isFree(k, slot)) return;
  k.swap.clusterUsed[clusterOf(k, slot)]! -= 1;
  k.swap.free += 1;
}

/** A slot that entries name has a page in the swap cache from now on. */
export function cacheSlot({ swap }: Kernel, slot: number, pfn: Pfn): void {
  assert(
    swap.useCount[slot]! > 0 && swap.cachedPage[slot] === NO_FRAME,
    "what is read from swap is there alone",
  );
  swap.cachedPage[slot] = pfn;
}

/** The swap cache lets go of a slot. */
export function uncacheSlot(k: Kernel, slot: number): void {
  assert(k.swap.cachedPage[slot] !== NO_FRAME, "a slot that leaves the swap cache was in it");
  k.swap.cachedPage[slot] = NO_FRAME;
  k.swap.readAhead[slot] = 0;
  giveBackIfFree(k, slot);
}

/** One more entry names the slot. */
export function shareSwapSlot(k: Kernel, slot: number): void {
  assert(!isFree(k, slot), "a swap slot that is named is in use");
  k.swap.useCount[slot]! += 1;
}

/** One entry less names the slot. */
export function freeSwapSlot(k: Kernel, slot: number): void {
  assert(k.swap.useCount[slot]! > 0, "a swap slot that is freed is named by an entry");
  k.swap.useCount[slot]! -= 1;
  giveBackIfFree(k, slot);
}

/** More than half of swap is taken: who comes back gives its slot up. */
export function swapFull({ swap }: Kernel): boolean {
  return swap.free * 2 < swap.useCount.length;
}
