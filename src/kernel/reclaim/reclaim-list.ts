/**
 * Reclaiming a list of isolated pages, one by one.
 *
 *     used lately? ─▶ keep or activate
 *     huge, mapped by PTEs alone ─▶ split, its base pages join the list
 *     lazily freed ─▶ discard          anonymous ─▶ swap cache ─▶ unmap ─▶ clean? free
 *     huge, no cluster in swap ─▶ split, its base pages join the list      dirty? write, free the next time
 *
 * Models:       mm/vmscan.c shrink_page_list(), reclaim_pages(), move_pages_to_lru(), v6.1.
 * Not modelled: dirty and writeback throttling, demotion to slower memory, file pages.
 */
import { C } from "../../core/counters.ts";
import type { Op } from "../../core/ops.ts";
import { asPfn, type Pfn } from "../../core/units.ts";
import { putPage } from "../buddy/free.ts";
import { locksFree } from "../buddy/move-page.ts";
import { BLOCK, FRAME } from "../mm/frames.ts";
import { VM } from "../mm/vma.ts";
import { type Kernel, spend } from "../state.ts";
import { splitPage } from "../thp/split.ts";
import { type FlushBatch, flushBatch } from "./flush-batch.ts";
import { lruReturn } from "./lru.ts";
import { pagesOf } from "./lru-list.ts";
import { allMappings, checkReferences } from "./references.ts";
import { swapFull } from "./swap.ts";
import { addToSwap, removeFromCache, tryFreeSwap } from "./swap-cache.ts";
import { discardLazy, heldByCacheOnly, heldByMappingsOnly, unmapToSwap, writeToSwap } from "./unmap.ts";

/**
 * What became of one page. "written": it is in swap, and freed when reclaim meets it again. "split": its base
 * pages are at the end of the list.
 */
type Fate = "freed" | "keep" | "written" | "activate" | "split";

/**
 * Frees what can be freed of the isolated pages in `pages`; the rest goes back to the LRU, the active ones to
 * the active list. Returns base pages freed; the flushes to yield are pushed to `ops`.
 */
export function reclaimList(k: Kernel, pages: Pfn[], ignoreReferences: boolean, ops: Op[]): number {
  const batch: FlushBatch = new Map();
  let freed = 0;
  for (let i = 0; i < pages.length; i++) {
    const pfn = pages[i]!;
    const size = pagesOf(k, pfn);
    const fate = reclaimOne(k, pages, pfn, ignoreReferences, batch, ops);
    if (fate === "freed") {
      putPage(k, pfn);
      freed += size;
    } else if (fate !== "split") {
      if (fate === "activate") {
        if (swapFull(k)) tryFreeSwap(k, pfn);
        k.frames.flags[pfn]! |= FRAME.ACTIVE;
        k.vmstat[C.pgactivate]! += size;
      }
      lruReturn(k, pfn, fate === "written");
    }
  }
  flushBatch(k, batch, ops);
  return freed;
}

function reclaimOne(
  k: Kernel,
  pages: Pfn[],
  pfn: Pfn,
  ignoreReferences: boolean,
  batch: FlushBatch,
  ops: Op[],
): Fate {
  const { flags } = k.frames;
  spend(k, k.costs.reclaimPageNs);
  if ((flags[pfn]! & FRAME.LOCKED) !== 0) return "keep";
  // Its owner let it go since it was isolated.
  if (k.frames.refCount[pfn] === 1) return "freed";
  const hits = allMappings(k, pfn);
  for (const hit of hits) if ((hit.vma.flags & VM.LOCKED) !== 0) return "activate";
  if (!ignoreReferences) {
    const verdict = checkReferences(k, pfn, hits);
    if (verdict !== "reclaim") return verdict;
  }
  if ((flags[pfn]! & (FRAME.ANON | FRAME.SWAPCACHE)) === 0) return "activate";
  if (!locksFree(k, hits)) return "keep";
  if ((flags[pfn]! & FRAME.SWAPBACKED) === 0) {
    if (heldByMappingsOnly(k, pfn) && discardLazy(k, pfn, hits, batch, ops)) return "freed";
    flags[pfn]! |= FRAME.SWAPBACKED;
    return "activate";
  }
  if ((flags[pfn]! & FRAME.SWAPCACHE) === 0) {
    const fate = enterSwap(k, pages, pfn, ops);
    if (fate !== "entered") return fate;
  }
  unmapToSwap(k, pfn, hits, batch, ops);
  if ((flags[pfn]! & FRAME.DIRTY) !== 0) {
    if (!heldByCacheOnly(k, pfn)) return "keep";
    // Nobody's any more: who has isolated it lets it go.
    if (tryFreeSwap(k, pfn)) return "freed";
    const written = writeToSwap(k, pfn);
    if (written && k.machine.swapDevice !== "memory") return "written";
  }
  if (!heldByCacheOnly(k, pfn)) return "keep";
  removeFromCache(k, pfn);
  return "freed";
}

/** Brings a page into the swap cache; a huge one that cannot go as a whole is split. */
function enterSwap(k: Kernel, pages: Pfn[], pfn: Pfn, ops: Op[]): Fate | "entered" {
  const huge = (k.frames.flags[pfn]! & FRAME.HEAD) !== 0;
  if (huge && !heldByMappingsOnly(k, pfn)) return "activate";
  if (huge && splitsFirst(k, pfn)) {
    return splitIntoList(k, pages, pfn, ops) ? "split" : "activate";
  }
  if (addToSwap(k, pfn)) return "entered";
  if (!huge || !splitIntoList(k, pages, pfn, ops)) return "activate";
  k.vmstat[C.thp_swpout_fallback]! += 1;
  return "split";
}

/** A huge page that is not mapped by a PMD (6.1), or not mapped in full (6.10+), is split before it goes. */
function splitsFirst(k: Kernel, head: Pfn): boolean {
  const block = head >> k.geometry.hugeOrder;
  if (k.behaviours.adviceOnPtes === "by-page") return k.blocks.hugeMapCount[block] === 0;
  return (k.blocks.flags[block]! & BLOCK.PARTIAL) !== 0;
}

/** Splits an isolated huge page; its base pages, isolated each, join the list. */
function splitIntoList(k: Kernel, pages: Pfn[], head: Pfn, ops: Op[]): boolean {
  const { frames, geometry, vmstat } = k;
  if (!splitPage(k, head, head, ops)) return false;
  vmstat[C.nr_isolated_anon]! -= geometry.pagesPerHuge - 1;
  pages.push(head);
  for (let pfn = head + 1; pfn < head + geometry.pagesPerHuge; pfn++) {
    // Base pages that nobody mapped were freed by the split.
    if (frames.refCount[pfn] === 0) continue;
    frames.refCount[pfn]! += 1;
    frames.flags[pfn]! |= FRAME.ISOLATED;
    vmstat[C.nr_isolated_anon]! += 1;
    pages.push(asPfn(pfn));
  }
  return true;
}
