/**
 * Was a page used since reclaim looked last? The young bits of its entries say so, and are cleared by asking.
 *
 *     no young entry ─▶ reclaim    one, first time ─▶ keep, referenced     again, or several ─▶ activate
 *
 * Models:       mm/vmscan.c folio_check_references(); mm/rmap.c folio_referenced(), v6.1.
 * Not modelled: executable file pages, idle page tracking.
 */
import { asPfn, type Pfn } from "../../core/units.ts";
import { FRAME } from "../mm/frames.ts";
import { PTE } from "../mm/page-table.ts";
import { mappingsOf, type RmapHit } from "../mm/rmap.ts";
import { type Kernel, spend } from "../state.ts";

/** Every mapping of a page: of all subpages, if it is huge and mapped by PTEs too. */
export function allMappings(k: Kernel, head: Pfn): RmapHit[] {
  const hits = mappingsOf(k, head);
  const huge = (k.frames.flags[head]! & FRAME.HEAD) !== 0;
  if (!huge || k.blocks.ptePages[head >> k.geometry.hugeOrder] === 0) return hits;
  for (let i = 1; i < k.geometry.pagesPerHuge; i++) {
    for (const hit of mappingsOf(k, asPfn(head + i))) if (!hit.huge) hits.push(hit);
  }
  return hits;
}

/** Clears the young bits of a page's entries; returns how many were set. */
export function clearYoung(k: Kernel, hits: readonly RmapHit[]): number {
  const { pt } = k;
  let young = 0;
  for (const hit of hits) {
    const flags = hit.huge ? pt.pmd.flags : pt.pteFlags;
    const row = hit.huge ? hit.row : hit.pte;
    if ((flags[row]! & PTE.YOUNG) === 0) continue;
    flags[row]! &= ~PTE.YOUNG;
    young++;
  }
  spend(k, hits.length * k.costs.reclaimPageNs);
  return young;
}

/** What to do with an inactive page that reclaim came to. */
export function checkReferences(
  k: Kernel,
  head: Pfn,
  hits: readonly RmapHit[],
): "keep" | "activate" | "reclaim" {
  const { flags } = k.frames;
  const referenced = (flags[head]! & FRAME.REFERENCED) !== 0;
  flags[head]! &= ~FRAME.REFERENCED;
  const young = clearYoung(k, hits);
  if (young === 0) return "reclaim";
  flags[head]! |= FRAME.REFERENCED;
  return referenced || young > 1 ? "activate" : "keep";
}
