/**
 * Zapping: taking pages out of an address space, region by region, and freeing them after the TLB flush.
 *
 *     for each region: lock ──▶ clear entries, gather pages ──▶ unlock
 *     flush TLBs ──▶ put the gathered pages
 *
 * Models:       mm/memory.c zap_pmd_range(), zap_pte_range(), mm/huge_memory.c zap_huge_pmd(), v6.1;
 *               mm/pt_reclaim.c of v6.14 (a whole region given back by MADV_DONTNEED loses its table).
 * Not modelled: the mmu_gather's batch limit, truncation, uffd markers.
 */
import type { FlushCause } from "../../core/events.ts";
import type { Op, Path } from "../../core/ops.ts";
import { asPfn, asVpn, NO_ROW, type Pfn, type PmdRow } from "../../core/units.ts";
import { pageTableLock } from "../locks.ts";
import { freeSwapEntry, putPageAndSwap } from "../reclaim/swap-cache.ts";
import { releaseRow } from "../reservation/release.ts";
import { type Kernel, spend } from "../state.ts";
import { splitPmd } from "../thp/split.ts";
import { flushRange } from "../tlb/shootdown.ts";
import { FRAME } from "./frames.ts";
import { addAnonPages, addFilePages, addHugePmds, addTouched, type Mm } from "./mm.ts";
import { PMD, PTE, vpnOfRow } from "./page-table.ts";
import { headOf } from "./rmap.ts";
import { clearRow, countTables, freePteTable, nextUsedRow } from "./tables.ts";
import { removeHugeRmap, removePteRmap } from "./unmap-rmap.ts";

/** Zaps [start, end) pages of an mm and frees what was mapped there. */
export function* zapRange(k: Kernel, mm: Mm, start: number, end: number, cause: FlushCause): Path {
  const gathered: Pfn[] = [];
  let zapped = 0;
  for (let row = nextUsedRow(k, mm, start, end); row !== NO_ROW; ) {
    const first = vpnOfRow(k.pt, row);
    const behind = first + k.geometry.pagesPerHuge;
    const lock = pageTableLock(k, row);
    yield lock.acquire;
    const from = Math.max(first, start);
    const to = Math.min(behind, end);
    const split = zapRow(k, mm, row, from, to, gathered);
    if (split !== undefined) yield split;
    if (cause === "advise" && from === first && to === behind) reclaimTable(k, mm, row);
    yield lock.release;
    zapped += to - from;
    row = nextUsedRow(k, mm, behind, end);
  }
  if (zapped > 0) yield flushRange(k, mm, asVpn(start), end - start, cause);
  for (const pfn of gathered) putPageAndSwap(k, pfn);
}

/** CONFIG_PT_RECLAIM: a table emptied whole by MADV_DONTNEED goes at once. */
function reclaimTable(k: Kernel, mm: Mm, row: PmdRow): void {
  if (!k.behaviours.dontneedFreesTable || k.pt.pmd.kind[row] !== PMD.TABLE) return;
  const from = k.pt.pmd.value[row]! * k.geometry.pagesPerHuge;
  for (let i = from; i < from + k.geometry.pagesPerHuge; i++) if (k.pt.pteFlags[i] !== 0) return;
  freePteTable(k, mm, row);
}

/**
 * Zaps the part [from, to) of one region; gathers the pages to put. A PMD that must be split gives the flush
 * to yield.
 */
export function zapRow(
  k: Kernel,
  mm: Mm,
  row: PmdRow,
  from: number,
  to: number,
  gathered: Pfn[],
): Op | undefined {
  const { pt, geometry } = k;
  const kind = pt.pmd.kind[row]!;
  forgetTouched(k, mm, row, from, to);
  let split: Op | undefined;
  if (kind === PMD.HUGE || kind === PMD.HUGE_ZERO) {
    if (to - from === geometry.pagesPerHuge) {
      zapHuge(k, mm, row, gathered);
      return undefined;
    }
    split = splitPmd(k, mm, row);
  }
  const base = pt.pmd.value[row]! * geometry.pagesPerHuge;
  zapPtes(
    k,
    mm,
    base + (from % geometry.pagesPerHuge),
    base + (from % geometry.pagesPerHuge) + (to - from),
    gathered,
  );
  releaseRow(k, row, "zap");
  return split;
}

function zapHuge(k: Kernel, mm: Mm, row: PmdRow, gathered: Pfn[]): void {
  const head = asPfn(k.pt.pmd.value[row]!);
  if (k.pt.pmd.kind[row] === PMD.HUGE) {
    removeHugeRmap(k, head);
    addAnonPages(mm, -k.geometry.pagesPerHuge);
    addHugePmds(mm, -1);
    gathered.push(head);
    spend(k, k.costs.zapHugeNs);
  }
  clearRow(k, row);
  countTables(k, mm, -1);
}

/**
 * Clears the PTEs [from, to) of the columns. Consecutive pages of one huge page lose their mappings together.
 */
function zapPtes(k: Kernel, mm: Mm, from: number, to: number, gathered: Pfn[]): void {
  const { pt, frames } = k;
  let zapped = 0;
  for (let i = from; i < to; ) {
    const flags = pt.pteFlags[i]!;
    if (flags === 0) {
      i++;
      continue;
    }
    const pfn = asPfn(pt.ptePfn[i]!);
    pt.pteFlags[i] = 0;
    pt.ptePfn[i] = 0;
    i++;
    if ((flags & PTE.ZERO) !== 0) continue;
    if ((flags & PTE.FILE) !== 0) {
      if (!mm.filePagesFromTrace) addFilePages(mm, -1);
      continue;
    }
    if ((flags & PTE.SWAP) !== 0) {
      freeSwapEntry(k, pfn);
      mm.swapEntries -= 1;
      continue;
    }
    let run = 1;
    if ((frames.flags[pfn]! & (FRAME.HEAD | FRAME.TAIL)) !== 0) {
      while (
        i < to &&
        pt.ptePfn[i] === pfn + run &&
        (pt.pteFlags[i]! & PTE.PRESENT) !== 0 &&
        sameHuge(k, pfn, run)
      ) {
        pt.pteFlags[i] = 0;
        pt.ptePfn[i] = 0;
        run++;
        i++;
      }
    }
    if ((flags & PTE.DIRTY) !== 0) frames.flags[headOf(k, pfn)]! |= FRAME.DIRTY;
    removePteRmap(k, pfn, run);
    if ((frames.flags[headOf(k, pfn)]! & FRAME.ANON) !== 0) addAnonPages(mm, -run);
    else if (!mm.filePagesFromTrace) addFilePages(mm, -run);
    zapped += run;
    for (let r = 0; r < run; r++) gathered.push(headOf(k, asPfn(pfn + r)));
  }
  spend(k, zapped * k.costs.zapPageNs);
}

function sameHuge(k: Kernel, pfn: Pfn, distance: number): boolean {
  return (
    headOf(k, pfn) === headOf(k, asPfn(pfn + distance)) &&
    (k.frames.flags[pfn + distance]! & FRAME.TAIL) !== 0
  );
}

/** The program's marks of what it touched go with the memory. */
function forgetTouched(k: Kernel, mm: Mm, row: PmdRow, from: number, to: number): void {
  const n = k.geometry.pagesPerHuge;
  const first = row * n + (from % n);
  const last = first + (to - from);
  const before = mm.touchedPages;
  clearTouched(k, mm, row, first, last);
  if (k.pt.pmd.kind[row] === PMD.HUGE) mm.hugeTouched -= before - mm.touchedPages;
}

function clearTouched(k: Kernel, mm: Mm, row: PmdRow, first: number, last: number): void {
  const { touched, geometry } = k.pt;
  const n = geometry.pagesPerHuge;
  if (last - first === n && n % 8 === 0) {
    addTouched(mm, -k.pt.pmd.touched[row]!);
    k.pt.pmd.touched[row] = 0;
    touched.fill(0, first >> 3, last >> 3);
    return;
  }
  for (let page = first; page < last; page++) {
    const bit = 1 << (page & 7);
    if ((touched[page >> 3]! & bit) === 0) continue;
    touched[page >> 3]! &= ~bit;
    k.pt.pmd.touched[row]! -= 1;
    addTouched(mm, -1);
  }
}
