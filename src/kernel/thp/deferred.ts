/**
 * The deferred split queue: huge pages of which only a part is mapped, whose rest could be freed by splitting
 * them.
 *
 *     part unmapped ──▶ queue ──▶ shrinker (memory pressure) ──▶ split ──▶ unmapped pages freed
 *
 * The memory of the unmapped part stays taken until then, although RSS is already lower.
 *
 * Models:       mm/huge_memory.c deferred_split_huge_page(), free_transhuge_page(), v6.1; partially_mapped of
 *               v6.12.
 * Not modelled: queues of memory cgroups.
 */
import { C } from "../../core/counters.ts";
import type { Pfn } from "../../core/units.ts";
import { nodeOfFrame } from "../buddy/state.ts";
import { BLOCK, FRAME } from "../mm/frames.ts";
import type { Kernel } from "../state.ts";

/** Part of this huge page lost its last mapping: queue it, once. */
export function deferSplit(k: Kernel, head: Pfn): void {
  const { blocks, frames, vmstat } = k;
  const block = head >> k.geometry.hugeOrder;
  if ((frames.flags[head]! & FRAME.SWAPCACHE) !== 0) return;
  if (k.behaviours.deferredSplit === "partially-mapped") {
    if ((blocks.flags[block]! & BLOCK.PARTIAL) !== 0) return;
    blocks.flags[block]! |= BLOCK.PARTIAL;
    vmstat[C.thp_deferred_split_page]! += 1;
    enqueue(k, block);
    return;
  }
  if ((blocks.flags[block]! & BLOCK.DEFERRED) !== 0) return;
  vmstat[C.thp_deferred_split_page]! += 1;
  enqueue(k, block);
}

/** From birth, so that the underused scan sees it (6.12+); nothing is counted. */
export function queueFromBirth(k: Kernel, head: Pfn): void {
  if (k.behaviours.underusedShrinker) enqueue(k, head >> k.geometry.hugeOrder);
}

function enqueue(k: Kernel, block: number): void {
  const { blocks, thp } = k;
  if ((blocks.flags[block]! & BLOCK.DEFERRED) !== 0) return;
  const node = nodeOfFrame(k.buddy, (block << k.geometry.hugeOrder) as Pfn);
  blocks.flags[block]! |= BLOCK.DEFERRED;
  const last = thp.deferredLast[node]!;
  blocks.deferredPrev[block] = last;
  blocks.deferredNext[block] = -1;
  if (last < 0) thp.deferredFirst[node] = block;
  else blocks.deferredNext[last] = block;
  thp.deferredLast[node] = block;
  thp.deferredLength[node]! += 1;
}

/** A huge page ceases to be one (freed or split): it leaves the queue silently. */
export function thpForget(k: Kernel, head: Pfn): void {
  const block = head >> k.geometry.hugeOrder;
  const { blocks, thp } = k;
  blocks.flags[block]! &= ~BLOCK.PARTIAL;
  if ((blocks.flags[block]! & BLOCK.DEFERRED) === 0) return;
  blocks.flags[block]! &= ~BLOCK.DEFERRED;
  const node = nodeOfFrame(k.buddy, head);
  const prev = blocks.deferredPrev[block]!;
  const next = blocks.deferredNext[block]!;
  if (prev < 0) thp.deferredFirst[node] = next;
  else blocks.deferredNext[prev] = next;
  if (next < 0) thp.deferredLast[node] = prev;
  else blocks.deferredPrev[next] = prev;
  thp.deferredLength[node]! -= 1;
}
