/**
 * Taking mappings away: what happens to the counts of a page when a PTE or a PMD stops mapping it.
 *
 * Models:       mm/rmap.c page_remove_rmap(), page_remove_anon_compound_rmap(), v6.1; __folio_remove_rmap(),
 *               v6.12.
 * Not modelled: mlock counts, file pages.
 */
import { C } from "../../core/counters.ts";
import type { Pfn } from "../../core/units.ts";
import { assert } from "../../lib/assert.ts";
import type { Kernel } from "../state.ts";
import { deferSplit } from "../thp/deferred.ts";
import { BLOCK, FRAME } from "./frames.ts";
import { headOf } from "./rmap.ts";

/** `count` PTEs stop mapping the consecutive frames from `pfn` on; all of one huge page, or one base page. */
export function removePteRmap(k: Kernel, pfn: Pfn, count: number): void {
  const { frames, blocks, vmstat } = k;
  assert(frames.mapCount[pfn]! > 0, "a PTE that goes away was counted in its page's map count");
  if ((frames.flags[pfn]! & (FRAME.HEAD | FRAME.TAIL)) === 0) {
    frames.mapCount[pfn]! -= 1;
    const anon = (frames.flags[pfn]! & FRAME.ANON) !== 0;
    if (anon && frames.mapCount[pfn] === 0) vmstat[C.nr_anon_pages]! -= 1;
    return;
  }
  const head = headOf(k, pfn);
  const block = head >> k.geometry.hugeOrder;
  let lost = 0;
  for (let page = pfn as number; page < pfn + count; page++) {
    frames.mapCount[page]! -= 1;
    if (frames.mapCount[page] === 0) lost++;
  }
  blocks.ptePages[block]! -= lost;
  if (lost === 0) return;
  const hugeMapped = blocks.hugeMapCount[block]! > 0;
  if (!hugeMapped) vmstat[C.nr_anon_pages]! -= lost;
  if (k.behaviours.deferredSplit !== "partially-mapped") {
    if ((blocks.flags[block]! & BLOCK.DOUBLE_MAP) === 0) deferSplit(k, head);
  } else if (!hugeMapped && blocks.ptePages[block]! > 0) {
    deferSplit(k, head);
  }
}

/**
 * A PMD stops mapping the huge page (zap, collapse of another's copy): not for a split, whose PTEs go on
 * mapping it.
 */
export function removeHugeRmap(k: Kernel, head: Pfn): void {
  const { blocks, vmstat, geometry } = k;
  const block = head >> geometry.hugeOrder;
  assert(blocks.hugeMapCount[block]! > 0, "a huge PMD that goes away was counted in its page's map count");
  blocks.hugeMapCount[block]! -= 1;
  if (blocks.hugeMapCount[block]! > 0) return;
  vmstat[C.nr_anon_transparent_hugepages]! -= 1;
  const mapped = blocks.ptePages[block]!;
  vmstat[C.nr_anon_pages]! -= geometry.pagesPerHuge - mapped;
  const partly = mapped > 0 && mapped < geometry.pagesPerHuge;
  if (k.behaviours.deferredSplit !== "partially-mapped") {
    if ((blocks.flags[block]! & BLOCK.DOUBLE_MAP) !== 0) {
      blocks.flags[block]! &= ~BLOCK.DOUBLE_MAP;
      if (partly) deferSplit(k, head);
    } else if (k.behaviours.deferredSplit === "any-unmap") {
      deferSplit(k, head);
    }
  } else if (partly) {
    deferSplit(k, head);
  }
}

/** One more PTE maps that base page (fork, PMD split). */
export function addPteRmap(k: Kernel, pfn: Pfn): void {
  const { frames } = k;
  if (frames.mapCount[pfn] === 0 && (frames.flags[pfn]! & (FRAME.HEAD | FRAME.TAIL)) !== 0) {
    k.blocks.ptePages[pfn >> k.geometry.hugeOrder]! += 1;
  }
  frames.mapCount[pfn]! += 1;
}
