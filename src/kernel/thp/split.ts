/**
 * Two different splits.
 *
 *     split PMD:   [ huge PMD ] ──▶ [ table of PTEs ] of the same, still huge, page   (one mm; never fails)
 *     split page:  every PMD that maps it is split; then base pages                   (fails while pinned)
 *
 * Models:       mm/huge_memory.c __split_huge_pmd_locked(), split_huge_page_to_list(), v6.1; no double map
 *               from 6.2 on; base pages of zeros given back from 6.12 on.
 * Not modelled: migration entries while a page is split (the paths that would see them wait for the page
 *               lock), freezing.
 */
import { C } from "../../core/counters.ts";
import { EVENT, type FlushCause } from "../../core/events.ts";
import type { Op } from "../../core/ops.ts";
import { asPfn, type Pfn, type PmdRow } from "../../core/units.ts";
import { assert } from "../../lib/assert.ts";
import { putPage } from "../buddy/free.ts";
import { movingPage } from "../migration/entries.ts";
import { BLOCK, FRAME, rowOfHuge } from "../mm/frames.ts";
import { addHugePmds, type Mm } from "../mm/mm.ts";
import { PMD, PTE, takePteTable, vpnOfRow, WAS_HUGE } from "../mm/page-table.ts";
import { mappingCount, mappingsOf } from "../mm/rmap.ts";
import { addPteRmap } from "../mm/unmap-rmap.ts";
import { findVma, noAccessMark } from "../mm/vma.ts";
import { spreadCpupid } from "../numa/cpupid.ts";
import { lruSplit } from "../reclaim/lru.ts";
import { freeSwapCache } from "../reclaim/swap-cache.ts";
import { freeZeros } from "../reclaim/zero-pages.ts";
import { emit, type Kernel, spend } from "../state.ts";
import { flushRange } from "../tlb/shootdown.ts";
import { deferSplit, thpForget } from "./deferred.ts";

/**
 * Turns a huge PMD of one mm into a table. The caller holds the page-table lock, and yields the op that it is
 * given: the TLB flush of the region. `of`: the PMD alone is split, or all of its page with it.
 */
export function splitPmd(
  k: Kernel,
  mm: Mm,
  row: PmdRow,
  cause: FlushCause = "split",
  of: "pmd" | "page" = "pmd",
): Op {
  const { pt, frames, geometry } = k;
  const kind = pt.pmd.kind[row];
  assert(kind === PMD.HUGE || kind === PMD.HUGE_ZERO, "only a huge PMD is split");
  k.vmstat[C.thp_split_pmd]! += 1;
  spend(k, k.costs.splitPmdNs);
  const head = asPfn(pt.pmd.value[row]!);
  const rowFlags = pt.pmd.flags[row]!;
  const vpn = vpnOfRow(pt, row);
  // A NUMA hint mark is not carried over; a migration entry, and that of an area without access, is.
  const vma = findVma(mm, vpn);
  const keepsMark = vma === undefined || movingPage(k, row, -1) >= 0;
  const noAccess = keepsMark ? rowFlags & PTE.HINT : noAccessMark(vma.flags);
  const slot = takePteTable(pt);
  const from = slot * geometry.pagesPerHuge;
  if (kind === PMD.HUGE_ZERO) {
    pt.pteFlags.fill(PTE.PRESENT | PTE.ZERO | noAccess, from, from + geometry.pagesPerHuge);
  } else {
    const kept = PTE.WRITE | PTE.YOUNG | (keepsDirty(k, of) ? PTE.DIRTY : 0);
    const flags = PTE.PRESENT | noAccess | (rowFlags & kept);
    const exclusive = frames.flags[head]! & FRAME.EXCLUSIVE;
    for (let i = 0; i < geometry.pagesPerHuge; i++) {
      pt.ptePfn[from + i] = head + i;
      pt.pteFlags[from + i] = flags;
      addPteRmap(k, asPfn(head + i));
      frames.flags[head + i]! |= exclusive;
    }
    if ((rowFlags & PTE.DIRTY) !== 0) frames.flags[head]! |= FRAME.DIRTY;
    frames.refCount[head]! += geometry.pagesPerHuge - 1;
    moveMapFromPmdToPtes(k, head);
    addHugePmds(mm, -1);
    mm.hugeTouched -= pt.pmd.touched[row]!;
    mm.hasSplit = true;
  }
  pt.pmd.kind[row] = PMD.TABLE;
  pt.pmd.flags[row] = kind === PMD.HUGE ? WAS_HUGE : 0;
  pt.pmd.value[row] = slot;
  emit(k, EVENT.splitPmd, mm.id, vpn, kind === PMD.HUGE ? head : -1);
  return flushRange(k, mm, vpn, geometry.pagesPerHuge, cause);
}

/** Whether the entries that take over from a huge PMD say that their pages were written to, as it did. */
function keepsDirty({ behaviours }: Kernel, of: "pmd" | "page"): boolean {
  return behaviours.splitKeepsDirty === "always" || behaviours.splitKeepsDirty === of;
}

/** The map counts when PTEs take over from one of the PMDs that map a huge page. */
function moveMapFromPmdToPtes(k: Kernel, head: Pfn): void {
  const { blocks } = k;
  const block = head >> k.geometry.hugeOrder;
  const doubleMapped = k.behaviours.deferredSplit !== "partially-mapped";
  if (doubleMapped && blocks.hugeMapCount[block]! > 1) blocks.flags[block]! |= BLOCK.DOUBLE_MAP;
  blocks.hugeMapCount[block]! -= 1;
  if (blocks.hugeMapCount[block]! > 0) return;
  k.vmstat[C.nr_anon_transparent_hugepages]! -= 1;
  blocks.flags[block]! &= ~BLOCK.DOUBLE_MAP;
}

/**
 * What a huge page's reference count would be if nobody but its mappings, its swap cache and the caller held
 * it.
 */
function expectedReferences(k: Kernel, head: Pfn): number {
  const inSwapCache = (k.frames.flags[head]! & FRAME.SWAPCACHE) !== 0;
  return mappingCount(k, head) + (inSwapCache ? k.geometry.pagesPerHuge : 0) + 1;
}

/** Whether nobody but its mappings, its swap cache and the caller, who holds one reference, has it. */
export function canSplit(k: Kernel, head: Pfn): boolean {
  const { frames } = k;
  const locked = (frames.flags[head]! & FRAME.LOCKED) !== 0;
  return !locked && frames.refCount[head] === expectedReferences(k, head);
}

/**
 * Splits a huge page on which the caller holds a reference (it moves to the frame `held`). True on success;
 * base pages that nobody maps are freed. The ops to yield for the TLB flushes are pushed to `ops`.
 */
export function splitPage(k: Kernel, head: Pfn, held: Pfn, ops: Op[]): boolean {
  const { frames } = k;
  assert((frames.flags[head]! & FRAME.HEAD) !== 0, "a page that is split is the head of a huge page");
  if (!canSplit(k, head)) {
    k.vmstat[C.thp_split_page_failed]! += 1;
    return false;
  }
  spend(k, k.costs.splitPageNs);
  const queued = isQueuedByUnmapping(k, head);
  for (const hit of mappingsOf(k, head)) {
    if (hit.huge) ops.push(splitPmd(k, hit.mm, hit.row, "split", "page"));
  }
  if (queued) deferSplit(k, head);
  thpForget(k, head);
  makeBasePages(k, head);
  frames.refCount[held]! += 1;
  k.vmstat[C.thp_split_page]! += 1;
  emit(k, EVENT.splitPage, head);
  freeUnmapped(k, head, held);
  if (k.behaviours.splitFreesZeros) freeZeros(k, head, ops);
  return true;
}

/**
 * Unmapping its base pages one by one queues a page for the deferred split that is under way: up to 6.1
 * however it is mapped. Later, when pages go that no PMD maps any more while others of them are mapped; a PMD
 * goes in one step, so that PTEs count only behind the last of them.
 */
function isQueuedByUnmapping(k: Kernel, head: Pfn): boolean {
  if ((k.frames.flags[head]! & FRAME.SWAPCACHE) !== 0) return false;
  const mapped = mappingCount(k, head);
  if (k.behaviours.deferredSplit !== "partially-mapped") return mapped > 0;
  const block = head >> k.geometry.hugeOrder;
  const ptePages = k.blocks.ptePages[block]!;
  if (k.blocks.hugeMapCount[block] === 0) return ptePages > 1;
  return ptePages > 0 && isMappedByPteLast(k, head);
}

/** Whether a PTE still maps one of its pages when the reverse map's walk has passed the last PMD. */
function isMappedByPteLast(k: Kernel, head: Pfn): boolean {
  for (let i = 0; i < k.geometry.pagesPerHuge; i++) {
    if (mappingsOf(k, asPfn(head + i)).at(-1)?.huge === false) return true;
  }
  return false;
}

/** Redistributes what the head knew among the base pages. */
function makeBasePages(k: Kernel, head: Pfn): void {
  const { frames, blocks, geometry } = k;
  const inherited =
    frames.flags[head]! &
    (FRAME.ANON | FRAME.SWAPBACKED | FRAME.REFERENCED | FRAME.DIRTY | FRAME.ACTIVE | FRAME.SWAPCACHE);
  const extra = (inherited & FRAME.SWAPCACHE) !== 0 ? 1 : 0;
  const whole = rowOfHuge(frames, geometry.hugeOrder, head);
  for (let i = 0; i < geometry.pagesPerHuge; i++) {
    frames.anonVma[head + i] = frames.anonVma[whole]!;
    frames.index[head + i] = frames.index[whole]! + i;
    if (i === 0) continue;
    const exclusive = frames.flags[head + i]! & FRAME.EXCLUSIVE;
    frames.flags[head + i] = inherited | exclusive;
    frames.refCount[head + i] = frames.mapCount[head + i]! + extra;
    frames.swapSlot[head + i] = frames.swapSlot[whole]! + i;
  }
  frames.swapSlot[head] = frames.swapSlot[whole]!;
  spreadCpupid(k, head, geometry.pagesPerHuge);
  frames.flags[head]! &= ~FRAME.HEAD;
  frames.refCount[head] = frames.mapCount[head]! + extra;
  const block = head >> geometry.hugeOrder;
  blocks.flags[block]! &= ~(BLOCK.DOUBLE_MAP | BLOCK.PARTIAL);
  blocks.ptePages[block] = 0;
  if ((frames.flags[head]! & FRAME.LRU) !== 0) lruSplit(k, head);
}

function freeUnmapped(k: Kernel, head: Pfn, held: Pfn): void {
  const { frames, geometry } = k;
  for (let i = 0; i < geometry.pagesPerHuge; i++) {
    const pfn = asPfn(head + i);
    if (pfn === held) continue;
    if ((frames.flags[pfn]! & FRAME.SWAPCACHE) !== 0) freeSwapCache(k, pfn);
    else if (frames.refCount[pfn] === 0) dropUnmapped(k, pfn);
  }
}

function dropUnmapped(k: Kernel, pfn: Pfn): void {
  k.frames.refCount[pfn] = 1;
  putPage(k, pfn);
}
