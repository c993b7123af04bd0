/**
 * Base pages of a split huge page that only ever held zeros: mapped to the shared zero page instead, and
 * freed.
 *
 * Models:       mm/migrate.c try_to_map_unused_to_zeropage(), v6.12.
 * Not modelled: contents beyond zero or not: a page holds zeros until a script writes to it (it writes ones),
 *               or a trace or a program that comes along touches it at all.
 */
import type { Op } from "../../core/ops.ts";
import { asPfn, type Pfn } from "../../core/units.ts";
import { putPage } from "../buddy/free.ts";
import { FRAME } from "../mm/frames.ts";
import { addAnonPages } from "../mm/mm.ts";
import { holdsData, linearPage, PTE } from "../mm/page-table.ts";
import { mappingsOf } from "../mm/rmap.ts";
import { removePteRmap } from "../mm/unmap-rmap.ts";
import { findVma, VM } from "../mm/vma.ts";
import type { Kernel } from "../state.ts";
import { type FlushBatch, flushBatch, noteFlush } from "./flush-batch.ts";

/** Gives the base pages that hold zeros back, of a region that was one huge page until now. */
export function freeZeros(k: Kernel, first: Pfn, ops: Op[]): void {
  const { pt, frames, geometry } = k;
  const batch: FlushBatch = new Map();
  for (let i = 0; i < geometry.pagesPerHuge; i++) {
    const pfn = asPfn(first + i);
    const hits = mappingsOf(k, pfn);
    const kept = hits.some((hit) => {
      const data = holdsData(pt, linearPage(pt, hit.row, hit.vpn));
      return data || ((findVma(hit.mm, hit.vpn)?.flags ?? 0) & VM.LOCKED) !== 0;
    });
    const { flags, mapCount } = frames;
    if (kept || hits.length !== mapCount[pfn] || (flags[pfn]! & FRAME.SWAPCACHE) !== 0) continue;
    for (const hit of hits) {
      pt.ptePfn[hit.pte] = 0;
      pt.pteFlags[hit.pte] = PTE.PRESENT | PTE.ZERO;
      addAnonPages(hit.mm, -1);
      removePteRmap(k, pfn, 1);
      noteFlush(batch, hit.mm, hit.vpn, 1);
      putPage(k, pfn);
    }
  }
  flushBatch(k, batch, ops);
}
