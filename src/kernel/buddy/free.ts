/**
 * Giving pages back: the last reference takes a page off the LRU and to the current CPU's list.
 *
 * Models:       mm/swap.c __page_cache_release(), release_pages(); mm/page_alloc.c free_unref_page(),
 *               free_compound_page(); mm/huge_memory.c free_transhuge_page(), v6.1.
 * Not modelled: batches of the mmu_gather (pages are freed one by one, in order), memcg uncharge.
 */
import { C } from "../../core/counters.ts";
import type { Pfn } from "../../core/units.ts";
import { assert } from "../../lib/assert.ts";
import { FRAME } from "../mm/frames.ts";
import { resetCpupid } from "../numa/cpupid.ts";
import { lruUnlink } from "../reclaim/lru-list.ts";
import type { Kernel } from "../state.ts";
import { thpForget } from "../thp/deferred.ts";
import { pushPcp } from "./pcp.ts";
import { zoneOf } from "./state.ts";

/** Frees 2^order frames that nothing refers to any more: flags 0, references 0. */
export function freePages(k: Kernel, pfn: Pfn, order: number): void {
  assert(k.frames.refCount[pfn] === 0, "a frame that is freed has no reference");
  assert(k.frames.flags[pfn] === 0, "a frame that is freed has no flag left");
  if (k.witness !== undefined) k.witness.freed(pfn, 1 << order);
  pushPcp(k.buddy, zoneOf(k.buddy, pfn), k.cpu, pfn, order);
  k.vmstat[C.pgfree]! += 1 << order;
  k.vmstat[C.nr_free_pages] = k.buddy.freePages;
}

/** Drops one reference of a page (of the head, for a huge page); the last one frees it. */
export function putPage(k: Kernel, pfn: Pfn): void {
  const { frames } = k;
  assert(frames.refCount[pfn]! > 0, "a reference that is dropped was held");
  frames.refCount[pfn]! -= 1;
  if (frames.refCount[pfn] === 0) release(k, pfn);
}

function release(k: Kernel, pfn: Pfn): void {
  const { frames, blocks, geometry } = k;
  const flags = frames.flags[pfn]!;
  assert(
    (flags & (FRAME.TAIL | FRAME.BUDDY | FRAME.PCP)) === 0,
    "references are counted in an allocated head",
  );
  assert(frames.mapCount[pfn] === 0, "a frame without references is mapped nowhere");
  if ((flags & FRAME.LRU) !== 0) lruUnlink(k, pfn);
  const huge = (flags & FRAME.HEAD) !== 0;
  const pages = huge ? geometry.pagesPerHuge : 1;
  if ((flags & FRAME.ISOLATED) !== 0) k.vmstat[C.nr_isolated_anon]! -= pages;
  if (huge) {
    const block = pfn >> geometry.hugeOrder;
    assert(blocks.hugeMapCount[block] === 0, "a huge page without references is mapped nowhere");
    thpForget(k, pfn);
    blocks.flags[block] = 0;
  }
  resetCpupid(k, pfn, pages);
  for (let i = 0; i < pages; i++) frames.flags[pfn + i] = 0;
  freePages(k, pfn, huge ? geometry.hugeOrder : 0);
}
