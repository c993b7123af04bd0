/**
 * The LRU as the rest of the kernel uses it: add through a per-CPU batch, isolate, put back, age, split.
 *
 *     lruAdd ─▶ batch (+1 reference, on no list) ─▶ drained: on a list; dropping the reference may free it
 *     list ─lruIsolate (+1 reference)─▶ held ─lruPutback─▶ batch …
 *
 * Models:       mm/swap.c folio_add_lru(), lru_add_drain_all(), mark_page_lazyfree(); mm/vmscan.c
 *               folio_isolate_lru(), folio_putback_lru(); mm/huge_memory.c lru_add_page_tail(), v6.1.
 * Not modelled: the LRU lock's waits (lists change in plain functions), pagevec order across CPUs.
 */
import { C } from "../../core/counters.ts";
import type { Pfn } from "../../core/units.ts";
import { assert } from "../../lib/assert.ts";
import { putPage } from "../buddy/free.ts";
import { FRAME, rowOfHuge, rowOfPage } from "../mm/frames.ts";
import type { Kernel } from "../state.ts";
import { lruLink, lruListOf, lruUnlink, nodeLru, pagesOf } from "./lru-list.ts";
import { LRU_END } from "./state.ts";

/**
 * Gives a page to the LRU, through the current CPU's batch. A huge page drains the batch at once, itself
 * included.
 */
export function lruAdd(k: Kernel, pfn: Pfn): void {
  const { frames, lru } = k;
  const flags = frames.flags[pfn]!;
  assert((flags & (FRAME.LRU | FRAME.BATCHED | FRAME.TAIL)) === 0, "a page is given to the LRU once");
  frames.flags[pfn] = flags | FRAME.BATCHED;
  frames.refCount[pfn]! += 1;
  lru.batch[k.cpu * lru.batchEntries + lru.batched[k.cpu]!] = pfn;
  lru.batched[k.cpu]! += 1;
  if ((flags & FRAME.HEAD) !== 0 || lru.batched[k.cpu] === lru.batchEntries) lruDrain(k, k.cpu);
}

/**
 * Empties one CPU's batch: its pages become visible on the lists, in order, and lose the batch's reference.
 */
export function lruDrain(k: Kernel, cpu: number): void {
  const { frames, lru } = k;
  const start = cpu * lru.batchEntries;
  const entries = lru.batched[cpu]!;
  lru.batched[cpu] = 0;
  for (let i = 0; i < entries; i++) {
    const pfn = lru.batch[start + i]! as Pfn;
    frames.flags[pfn]! &= ~FRAME.BATCHED;
    lruLink(k, pfn, false);
  }
  for (let i = 0; i < entries; i++) putPage(k, lru.batch[start + i]! as Pfn);
}

/** Empties the batches of every CPU. */
export function lruDrainAll(k: Kernel): void {
  for (let cpu = 0; cpu < k.machine.cpus; cpu++) lruDrain(k, cpu);
}

/**
 * Takes a page off its list for the caller, who then holds a reference. False if it is on none (batched,
 * isolated).
 */
export function lruIsolate(k: Kernel, pfn: Pfn): boolean {
  if ((k.frames.flags[pfn]! & FRAME.LRU) === 0) return false;
  lruUnlink(k, pfn);
  k.frames.flags[pfn]! |= FRAME.ISOLATED;
  k.frames.refCount[pfn]! += 1;
  k.vmstat[C.nr_isolated_anon]! += pagesOf(k, pfn);
  return true;
}

/** Gives an isolated page back, through the current CPU's batch, and drops the isolation's reference. */
export function lruPutback(k: Kernel, pfn: Pfn): void {
  assert((k.frames.flags[pfn]! & FRAME.ISOLATED) !== 0, "a page that is put back was isolated");
  k.frames.flags[pfn]! &= ~FRAME.ISOLATED;
  k.vmstat[C.nr_isolated_anon]! -= pagesOf(k, pfn);
  lruAdd(k, pfn);
  putPage(k, pfn);
}

/**
 * Gives an isolated page straight back to the list that its flags name (reclaim does without a batch): as the
 * newest, or as the oldest once it has been written to swap.
 */
export function lruReturn(k: Kernel, pfn: Pfn, oldest = false): void {
  assert((k.frames.flags[pfn]! & FRAME.ISOLATED) !== 0, "a page that returns to its list was isolated");
  k.frames.flags[pfn]! &= ~FRAME.ISOLATED;
  k.vmstat[C.nr_isolated_anon]! -= pagesOf(k, pfn);
  lruLink(k, pfn, oldest);
  putPage(k, pfn);
}

/** Takes a page off its list, if it is on one. `putPage` does this for freed pages. */
export function lruRemove(k: Kernel, pfn: Pfn): void {
  if ((k.frames.flags[pfn]! & FRAME.LRU) !== 0) lruUnlink(k, pfn);
}

/** Moves a page to the head of the list that it belongs to after its flags change. */
function moveWithFlags(k: Kernel, pfn: Pfn, clear: number, set: number): void {
  const onList = (k.frames.flags[pfn]! & FRAME.LRU) !== 0;
  if (onList) lruUnlink(k, pfn);
  k.frames.flags[pfn] = (k.frames.flags[pfn]! & ~clear) | set;
  if (onList) lruLink(k, pfn, false);
}

/** To the active list. */
export function lruActivate(k: Kernel, pfn: Pfn): void {
  if ((k.frames.flags[pfn]! & (FRAME.ACTIVE | FRAME.LRU)) !== FRAME.LRU) return;
  moveWithFlags(k, pfn, FRAME.REFERENCED, FRAME.ACTIVE);
  k.vmstat[C.pgactivate]! += pagesOf(k, pfn);
}

/** To the inactive list, as if it had not been used for a while (MADV_COLD). */
export function lruDeactivate(k: Kernel, pfn: Pfn): void {
  if ((k.frames.flags[pfn]! & (FRAME.ACTIVE | FRAME.LRU)) !== (FRAME.ACTIVE | FRAME.LRU)) return;
  moveWithFlags(k, pfn, FRAME.ACTIVE | FRAME.REFERENCED, 0);
  k.vmstat[C.pgdeactivate]! += pagesOf(k, pfn);
}

/**
 * MADV_FREE: from now on the page may be dropped without writing it to swap. Does nothing to one not on a
 * list.
 */
export function lruLazyFree(k: Kernel, pfn: Pfn): void {
  if ((k.frames.flags[pfn]! & (FRAME.LRU | FRAME.SWAPBACKED)) !== (FRAME.LRU | FRAME.SWAPBACKED)) return;
  if ((k.frames.flags[pfn]! & FRAME.SWAPCACHE) !== 0) return;
  moveWithFlags(k, pfn, FRAME.ACTIVE | FRAME.REFERENCED | FRAME.SWAPBACKED, 0);
  k.vmstat[C.pglazyfree]! += pagesOf(k, pfn);
}

/** A lazily freed page was written again: it needs swap like any other. */
export function lruKeep(k: Kernel, pfn: Pfn): void {
  if ((k.frames.flags[pfn]! & FRAME.SWAPBACKED) === 0) moveWithFlags(k, pfn, 0, FRAME.SWAPBACKED);
}

/** Flags that decide about list and age, which tails of a split page take from their head. */
const AGE_FLAGS = FRAME.ACTIVE | FRAME.REFERENCED | FRAME.SWAPBACKED;

/**
 * A huge page on a list became base pages (FRAME.HEAD and TAIL are gone): its tails stand beside its first
 * page, which reclaim reaches first. The list's size stays: it held all of them before.
 */
export function lruSplit(k: Kernel, headPfn: Pfn): void {
  const { next, prev, flags } = k.frames;
  const headFlags = flags[headPfn]!;
  assert((headFlags & (FRAME.HEAD | FRAME.TAIL)) === 0, "a page that was split is no huge page any more");
  assert((headFlags & FRAME.LRU) !== 0, "tails go on the list that their head is on");
  const { hugeOrder, pagesPerHuge } = k.geometry;
  const whole = rowOfHuge(k.frames, hugeOrder, headPfn);
  let newer = prev[whole]!;
  for (let pfn = headPfn + pagesPerHuge - 1; pfn >= headPfn; pfn--) {
    if (pfn > headPfn) flags[pfn] = (flags[pfn]! & ~AGE_FLAGS) | (headFlags & AGE_FLAGS) | FRAME.LRU;
    prev[pfn] = newer;
    if (newer === LRU_END) nodeLru(k, headPfn).heads[lruListOf(headFlags)] = pfn;
    else next[rowOfPage(k.frames, hugeOrder, newer)] = pfn;
    newer = pfn;
  }
  next[headPfn] = next[whole]!;
}
