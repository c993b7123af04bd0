/**
 * MADV_FREE, MADV_COLD and MADV_PAGEOUT: make pages old, lazily free, or reclaim them. A part of a huge page
 * is split off first, which needs the page to be mapped once and not pinned.
 *
 * Models:       mm/madvise.c madvise_free_pte_range(), madvise_cold_or_pageout_pte_range(), mm/huge_memory.c
 *               madvise_free_huge_pmd(), v6.1; madvise_folio_pte_batch(), v6.10 ("by-folio").
 * Not modelled: files' pages; the page-cache filter of PAGEOUT.
 */
import type { Op, Path } from "../../core/ops.ts";
import { asPfn, asVpn, NO_ROW, type Pfn, type PmdRow } from "../../core/units.ts";
import { putPage } from "../buddy/free.ts";
import { pageTableLock } from "../locks.ts";
import { lruDeactivate, lruIsolate, lruLazyFree } from "../reclaim/lru.ts";
import { reclaimIsolated } from "../reclaim/pageout.ts";
import { freeSwapEntry, tryFreeSwap } from "../reclaim/swap-cache.ts";
import { type Kernel, spend } from "../state.ts";
import { splitPage } from "../thp/split.ts";
import { flushRange } from "../tlb/shootdown.ts";
import { FRAME } from "./frames.ts";
import type { Mm } from "./mm.ts";
import { PMD, PTE, vpnOfRow } from "./page-table.ts";
import { headOf, isHuge, mappingCount, pageMapCount } from "./rmap.ts";
import { nextUsedRow } from "./tables.ts";

/** Visits each region of [start, end) under its lock. `visit` changes it and pushes the flushes to yield. */
function* eachRegion(
  k: Kernel,
  mm: Mm,
  start: number,
  end: number,
  visit: (row: PmdRow, from: number, to: number, ops: Op[]) => void,
): Path {
  for (let row = nextUsedRow(k, mm, start, end); row !== NO_ROW; ) {
    const first = vpnOfRow(k.pt, row);
    const behind = first + k.geometry.pagesPerHuge;
    const ops: Op[] = [];
    const lock = pageTableLock(k, row);
    yield lock.acquire;
    visit(row, Math.max(first, start), Math.min(behind, end), ops);
    yield lock.release;
    for (const op of ops) yield op;
    row = nextUsedRow(k, mm, behind, end);
  }
  yield flushRange(k, mm, asVpn(start), end - start, "advise");
}

/** Splits the huge page of which only a part is advised; false if it is shared or pinned. */
function splitForPart(k: Kernel, pfn: Pfn, ops: Op[]): boolean {
  const head = headOf(k, pfn);
  k.frames.refCount[head]! += 1;
  const done = splitPage(k, head, pfn, ops);
  putPage(k, done ? pfn : head);
  return done;
}

/** MADV_FREE. */
export function* freeLazily(k: Kernel, mm: Mm, start: number, end: number): Path {
  yield* eachRegion(k, mm, start, end, (row, from, to, ops) => {
    const { pmd } = k.pt;
    if (pmd.kind[row] === PMD.HUGE_ZERO) return;
    if (pmd.kind[row] === PMD.HUGE) {
      const head = asPfn(pmd.value[row]!);
      if (mappingCount(k, head) !== 1) return;
      if (to - from === k.geometry.pagesPerHuge) {
        pmd.flags[row]! &= ~(PTE.YOUNG | PTE.DIRTY);
        k.frames.flags[head]! &= ~FRAME.DIRTY;
        lruLazyFree(k, head);
        return;
      }
      if (!splitForPart(k, head, ops)) return;
    }
    freePtes(k, mm, row, from, to, ops);
  });
}

function freePtes(k: Kernel, mm: Mm, row: PmdRow, from: number, to: number, ops: Op[]): void {
  const n = k.geometry.pagesPerHuge;
  const base = k.pt.pmd.value[row]! * n;
  for (let vpn = from; vpn < to; vpn++) {
    const i = base + (vpn % n);
    const flags = k.pt.pteFlags[i]!;
    if ((flags & PTE.SWAP) !== 0) {
      freeSwapEntry(k, k.pt.ptePfn[i]!);
      mm.swapEntries -= 1;
      k.pt.pteFlags[i] = 0;
      k.pt.ptePfn[i] = 0;
      continue;
    }
    if (flags === 0 || (flags & (PTE.ZERO | PTE.FILE)) !== 0) continue;
    const pfn = asPfn(k.pt.ptePfn[i]!);
    if (isHuge(k, pfn)) {
      const next = takeHuge(k, row, vpn, to, "free", ops);
      if (next === STOP) return;
      if (next > vpn) {
        if (next === vpn + n) freeWhole(k, row, vpn);
        vpn = next - 1;
        continue;
      }
    }
    if (pageMapCount(k, pfn) !== 1) continue;
    if ((k.pt.pteFlags[i]! & PTE.PRESENT) === 0 || (k.pt.pteFlags[i]! & PTE.ZERO) !== 0) continue;
    if ((k.frames.flags[pfn]! & FRAME.SWAPCACHE) !== 0 && !tryFreeSwap(k, pfn)) continue;
    k.frames.flags[pfn]! &= ~FRAME.DIRTY;
    k.pt.pteFlags[i]! &= ~(PTE.YOUNG | PTE.DIRTY);
    lruLazyFree(k, pfn);
    spend(k, k.costs.changePteNs);
  }
}

const STOP = -1;

/**
 * A PTE of a huge page: it is split first, unless all of it is meant and taken whole. Answers with the same
 * page when it is a base page now, with the page behind the huge one when that is whole, with the page behind
 * the batch of its PTEs when it is passed over, or with STOP when the region's rest is.
 */
function takeHuge(k: Kernel, row: PmdRow, vpn: number, to: number, asked: "free" | "age", ops: Op[]): number {
  const n = k.geometry.pagesPerHuge;
  const i = k.pt.pmd.value[row]! * n + (vpn % n);
  const pfn = asPfn(k.pt.ptePfn[i]!);
  const head = headOf(k, pfn);
  if (k.behaviours.adviceOnPtes === "by-page") {
    return pageMapCount(k, asked === "free" ? testedByFree(k, pfn) : pfn) === 1 && splitForPart(k, pfn, ops)
      ? vpn
      : STOP;
  }
  const batch = batchOf(k, i, vpn % n, to - vpn);
  return batch < n && !likelyShared(k, head) && splitForPart(k, head, ops) ? vpn : vpn + batch;
}

/** The base page whose map count tells MADV_FREE whether a huge page is shared. */
function testedByFree(k: Kernel, pfn: Pfn): Pfn {
  return k.behaviours.freeTests === "first-page" ? headOf(k, pfn) : pfn;
}

/** How many PTEs from this one on map the pages of a huge page that follow one another, to its end. */
function batchOf(k: Kernel, from: number, offset: number, pages: number): number {
  const { pteFlags, ptePfn } = k.pt;
  const first = ptePfn[from]!;
  const end = Math.min(
    k.geometry.pagesPerHuge - offset,
    pages,
    headOf(k, asPfn(first)) + k.geometry.pagesPerHuge - first,
  );
  let count = 1;
  while (count < end && (pteFlags[from + count]! & (PTE.PRESENT | PTE.ZERO | PTE.FILE)) === PTE.PRESENT) {
    if (ptePfn[from + count] !== first + count) break;
    count++;
  }
  return count;
}

/** The kernel's guess whether several address spaces map a huge page, from its first page's count. */
function likelyShared(k: Kernel, head: Pfn): boolean {
  const mapped = mappingCount(k, head);
  if (k.blocks.hugeMapCount[head >> k.geometry.hugeOrder]! > 0) return mapped > 1;
  return mapped > k.geometry.pagesPerHuge || k.frames.mapCount[head]! > 1;
}

/** A huge page whose PTEs are all in the range: free it lazily if nobody else maps it. */
function freeWhole(k: Kernel, row: PmdRow, vpn: number): void {
  const n = k.geometry.pagesPerHuge;
  const from = k.pt.pmd.value[row]! * n + (vpn % n);
  const head = asPfn(k.pt.ptePfn[from]!);
  const dirty = (k.frames.flags[head]! & (FRAME.DIRTY | FRAME.SWAPCACHE)) !== 0;
  if (dirty && mappingCount(k, head) !== n) return;
  if ((k.frames.flags[head]! & FRAME.SWAPCACHE) !== 0 && !tryFreeSwap(k, head)) return;
  k.frames.flags[head]! &= ~FRAME.DIRTY;
  for (let i = from; i < from + n; i++) k.pt.pteFlags[i]! &= ~(PTE.YOUNG | PTE.DIRTY);
  lruLazyFree(k, head);
  spend(k, n * k.costs.changePteNs);
}

/** The same for MADV_COLD and MADV_PAGEOUT. */
function ageWhole(k: Kernel, row: PmdRow, vpn: number, out: boolean, chosen: Pfn[]): void {
  const n = k.geometry.pagesPerHuge;
  const from = k.pt.pmd.value[row]! * n + (vpn % n);
  const head = asPfn(k.pt.ptePfn[from]!);
  if ((k.frames.flags[head]! & FRAME.LRU) === 0 || mappingCount(k, head) !== n) return;
  for (let i = from; i < from + n; i++) k.pt.pteFlags[i]! &= ~PTE.YOUNG;
  spend(k, n * k.costs.changePteNs);
  age(k, head, out, chosen);
}

/** MADV_COLD, or MADV_PAGEOUT when `out`. */
export function* ageRange(k: Kernel, mm: Mm, start: number, end: number, out: boolean): Path {
  const chosen: Pfn[] = [];
  yield* eachRegion(k, mm, start, end, (row, from, to, ops) => {
    const { pmd } = k.pt;
    if (pmd.kind[row] === PMD.HUGE_ZERO) return;
    if (pmd.kind[row] === PMD.HUGE) {
      const head = asPfn(pmd.value[row]!);
      const byFolio = k.behaviours.adviceOnPtes === "by-folio";
      if (byFolio ? likelyShared(k, head) : pageMapCount(k, head) !== 1) return;
      if (to - from === k.geometry.pagesPerHuge) {
        pmd.flags[row]! &= ~PTE.YOUNG;
        age(k, head, out, chosen);
        return;
      }
      if (!splitForPart(k, head, ops)) return;
    }
    agePtes(k, row, from, to, out, chosen, ops);
  });
  if (chosen.length > 0) yield* reclaimIsolated(k, chosen);
}

function agePtes(
  k: Kernel,
  row: PmdRow,
  from: number,
  to: number,
  out: boolean,
  chosen: Pfn[],
  ops: Op[],
): void {
  const n = k.geometry.pagesPerHuge;
  const base = k.pt.pmd.value[row]! * n;
  for (let vpn = from; vpn < to; vpn++) {
    const i = base + (vpn % n);
    const flags = k.pt.pteFlags[i]!;
    if ((flags & PTE.PRESENT) === 0 || (flags & (PTE.ZERO | PTE.FILE)) !== 0) continue;
    const pfn = asPfn(k.pt.ptePfn[i]!);
    if (isHuge(k, pfn)) {
      const next = takeHuge(k, row, vpn, to, "age", ops);
      if (next === STOP) return;
      if (next > vpn) {
        if (next === vpn + n) ageWhole(k, row, vpn, out, chosen);
        vpn = next - 1;
        continue;
      }
      if ((k.pt.pteFlags[i]! & PTE.PRESENT) === 0 || (k.pt.pteFlags[i]! & PTE.ZERO) !== 0) continue;
    }
    if ((k.frames.flags[pfn]! & FRAME.LRU) === 0 || pageMapCount(k, pfn) !== 1) continue;
    k.pt.pteFlags[i]! &= ~PTE.YOUNG;
    spend(k, k.costs.changePteNs);
    age(k, pfn, out, chosen);
  }
}

function age(k: Kernel, pfn: Pfn, out: boolean, chosen: Pfn[]): void {
  k.frames.flags[pfn]! &= ~FRAME.REFERENCED;
  if (!out) lruDeactivate(k, pfn);
  else if (lruIsolate(k, pfn)) chosen.push(pfn);
}
