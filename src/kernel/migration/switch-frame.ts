/**
 * The page moves, its frame stays behind: entries, counts and marks go over to another frame.
 *
 *     entries ─▶ new frame (accessible, writable as before)    flags, rmap, counts, last user ─▶ new row
 *
 * Models:       mm/migrate.c move_to_new_folio(), remove_migration_ptes(), folio_migrate_flags(), v6.1.
 * Not modelled: entries that change one after the other: the caller holds or has found free every lock of
 *               the entries, and all of them change in one step.
 */
import type { Pfn } from "../../core/units.ts";
import { FRAME, rowOfPage } from "../mm/frames.ts";
import { PTE } from "../mm/page-table.ts";
import type { RmapHit } from "../mm/rmap.ts";
import { noAccessMark } from "../mm/vma.ts";
import { moveCpupid } from "../numa/cpupid.ts";
import type { Kernel } from "../state.ts";

/** Flags that belong to the page, not to its frame. */
const MOVED_FLAGS =
  FRAME.ANON | FRAME.ACTIVE | FRAME.REFERENCED | FRAME.DIRTY | FRAME.SWAPBACKED | FRAME.EXCLUSIVE;

/** An entry's flags without the mark of a hint or of a migration: as its area allows. */
function accessible(flags: number, { vma }: RmapHit): number {
  return (flags & ~PTE.HINT) | noAccessMark(vma.flags);
}

/** The entry may be used again, as its area allows. */
export function makeAccessible({ pt }: Kernel, hit: RmapHit): void {
  if (hit.huge) pt.pmd.flags[hit.row] = accessible(pt.pmd.flags[hit.row]!, hit);
  else pt.pteFlags[hit.pte] = accessible(pt.pteFlags[hit.pte]!, hit);
}

/**
 * Moves the page at `from`, whose mappings are `hits`, to `to`: a frame without flags, or the head of a fresh
 * huge page. Afterwards `from` has its mover's reference alone, `to` its mappings' and the mover's.
 */
export function switchFrame(k: Kernel, from: Pfn, to: Pfn, hits: readonly RmapHit[]): void {
  const { frames, pt, geometry } = k;
  const huge = (frames.flags[from]! & FRAME.HEAD) !== 0;
  for (const hit of hits) {
    if (hit.huge) pt.pmd.value[hit.row] = to;
    else pt.ptePfn[hit.pte] = pt.ptePfn[hit.pte]! - from + to;
    makeAccessible(k, hit);
  }
  frames.flags[to]! |= frames.flags[from]! & MOVED_FLAGS;
  const toRow = rowOfPage(frames, geometry.hugeOrder, to);
  const fromRow = rowOfPage(frames, geometry.hugeOrder, from);
  frames.anonVma[toRow] = frames.anonVma[fromRow]!;
  frames.index[toRow] = frames.index[fromRow]!;
  frames.mapCount[to] = frames.mapCount[from]!;
  frames.mapCount[from] = 0;
  if (huge) moveCounts(k, from, to);
  moveCpupid(k, from, to);
  frames.refCount[to] = hits.length + 1;
  // Whoever took an entry away meanwhile may not have put its reference yet.
  frames.refCount[from]! -= hits.length;
}

/** Map counts of a huge page; of its parts too if a PMD was split while the page moved. */
function moveCounts({ frames, blocks, geometry }: Kernel, from: Pfn, to: Pfn): void {
  const source = from >> geometry.hugeOrder;
  const target = to >> geometry.hugeOrder;
  blocks.hugeMapCount[target] = blocks.hugeMapCount[source]!;
  blocks.hugeMapCount[source] = 0;
  if (blocks.ptePages[source] === 0) return;
  blocks.ptePages[target] = blocks.ptePages[source]!;
  blocks.flags[target] = blocks.flags[source]!;
  blocks.ptePages[source] = 0;
  for (let part = 1; part < geometry.pagesPerHuge; part++) {
    frames.mapCount[to + part] = frames.mapCount[from + part]!;
    frames.flags[to + part]! |= frames.flags[from + part]! & FRAME.EXCLUSIVE;
    frames.mapCount[from + part] = 0;
    frames.flags[from + part]! &= ~FRAME.EXCLUSIVE;
  }
}
