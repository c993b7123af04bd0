/**
 * The swap device: slots of one base page each, with a count of the page-table entries that name a slot.
 *
 * Models:       mm/swapfile.c get_swap_pages(), swap_free(), swap_duplicate(), v6.1.
 * Not modelled: the swap cache between write-out and free (a page is in memory or in swap, never both),
 *               clusters as a solid-state disk sees them, several devices.
 */

import { PAGE_BYTES } from "../../core/units.ts";
import { assert } from "../../lib/assert.ts";
import type { MachineSpec } from "../machine.ts";
import type { Kernel } from "../state.ts";

export interface Swap {
  /** How many PTEs name each slot; 0: free. */
  readonly useCount: Uint16Array;
  free: number;
  /** Where the next search begins: slots are given out in order. */
  cursor: number;
}

export function makeSwap(machine: MachineSpec): Swap {
  const slots = Math.floor(machine.swapBytes / PAGE_BYTES);
  return { useCount: new Uint16Array(slots), free: slots, cursor: 0 };
}

/** A free slot with one user, or -1 when swap is full or absent. */
export function takeSwapSlot(k: Kernel): number {
  const { swap } = k;
  if (swap.free === 0) return -1;
  while (swap.useCount[swap.cursor] !== 0) swap.cursor = (swap.cursor + 1) % swap.useCount.length;
  const slot = swap.cursor;
  swap.useCount[slot] = 1;
  swap.free -= 1;
  swap.cursor = (slot + 1) % swap.useCount.length;
  return slot;
}

/**
 * That many neighbouring free slots, aligned to their number, for a huge page; -1 when there is no such run.
 */
export function takeSwapCluster(k: Kernel, slots: number): number {
  const { swap } = k;
  if (swap.free < slots) return -1;
  const clusters = Math.floor(swap.useCount.length / slots);
  const start = Math.floor(swap.cursor / slots);
  for (let i = 0; i < clusters; i++) {
    const first = ((start + i) % clusters) * slots;
    let used = 0;
    while (used < slots && swap.useCount[first + used] === 0) used++;
    if (used < slots) continue;
    swap.useCount.fill(1, first, first + slots);
    swap.free -= slots;
    swap.cursor = (first + slots) % swap.useCount.length;
    return first;
  }
  return -1;
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
  if (k.swap.useCount[slot] === 0) k.swap.free += 1;
}
