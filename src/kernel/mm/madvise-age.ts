/**
 * MADV_FREE, MADV_COLD and MADV_PAGEOUT: make pages old, lazily free, or reclaim them. A part of a huge page
 * is split off first, which needs the page to be mapped once and not pinned.
 *
 * Models:       mm/madvise.c madvise_free_pte_range(), madvise_cold_or_pageout_pte_range(), mm/huge_memory.c
 *               madvise_free_huge_pmd(), v6.1.
 * Not modelled: files' pages; the page-cache filter of PAGEOUT.
 */
import type { Op, Path } from "../../core/ops.ts";
import { asPfn, asVpn, NO_ROW, type Pfn, type PmdRow } from "../../core/units.ts";
import { putPage } from "../buddy/free.ts";
import { pageTableLock } from "../locks.ts";
import { lruDeactivate, lruIsolate, lruLazyFree } from "../reclaim/lru.ts";
import { reclaimIsolated } from "../reclaim/pageout.ts";
import { freeSwapSlot } from "../reclaim/swap.ts";
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
function splitForPart(k: Kernel, head: Pfn, ops: Op[]): boolean {
  k.frames.refCount[head]! += 1;
  const done = splitPage(k, head, head, ops);
  putPage(k, head);
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
      freeSwapSlot(k, k.pt.ptePfn[i]!);
      mm.swapEntries -= 1;
      k.pt.pteFlags[i] = 0;
      k.pt.ptePfn[i] = 0;
      continue;
    }
    if (flags === 0 || (flags & (PTE.ZERO | PTE.FILE)) !== 0) continue;
    const pfn = asPfn(k.pt.ptePfn[i]!);
    if (pageMapCount(k, pfn) !== 1) {
      if (isHuge(k, pfn)) return;
      continue;
    }
    if (isHuge(k, pfn) && !splitForPart(k, headOf(k, pfn), ops)) return;
    k.frames.flags[pfn]! &= ~FRAME.DIRTY;
    k.pt.pteFlags[i]! &= ~(PTE.YOUNG | PTE.DIRTY);
    lruLazyFree(k, pfn);
    spend(k, k.costs.changePteNs);
  }
}

/** MADV_COLD, or MADV_PAGEOUT when `out`. */
export function* ageRange(k: Kernel, mm: Mm, start: number, end: number, out: boolean): Path {
  const chosen: Pfn[] = [];
  yield* eachRegion(k, mm, start, end, (row, from, to, ops) => {
    const { pmd } = k.pt;
    if (pmd.kind[row] === PMD.HUGE_ZERO) return;
    if (pmd.kind[row] === PMD.HUGE) {
      const head = asPfn(pmd.value[row]!);
      if (pageMapCount(k, head) !== 1) return;
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
      if (pageMapCount(k, pfn) !== 1 || !splitForPart(k, headOf(k, pfn), ops)) return;
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
