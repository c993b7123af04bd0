/**
 * Marking as the designs of 2012 did it: one row of the page table at a time, under its lock.
 *
 *     present ▸ normal page ▸ mapped once? ▸ not marked yet ─▶ mark it, or count it for the table's own mark
 *
 * A table's PMD can carry the mark itself: then one access anywhere below it faults for all its pages.
 *
 * Models:       mm/mprotect.c change_pte_range(), change_pmd_protnuma(), v3.8; AutoNUMA knuma_scand_pmd();
 *               numa/core change_prot_none().
 * Not modelled: a table's mark is kept in the row and in every present entry below it, so a child of fork
 *               gets marked entries where its parent's table was marked; zero pages and files' pages are let
 *               through by a marked table.
 */
import type { Path } from "../../../core/ops.ts";
import { asPfn, type PmdRow } from "../../../core/units.ts";
import { pageTableLock } from "../../locks.ts";
import { PMD, PTE } from "../../mm/page-table.ts";
import { isHuge, pageMapCount } from "../../mm/rmap.ts";
import { type Kernel, spend } from "../../state.ts";

/** What a design's marker does with a table's entries. */
export interface TableRules {
  /** Pages that several address spaces map are left alone. */
  readonly unsharedOnly: boolean;
  /** Entries get the mark; else they are counted alone. */
  readonly marks: boolean;
  /** Told of each page that the rules let through, marked before or not. */
  readonly visit?: (pfn: number) => void;
  /** Told of each normal page, shared or not. */
  readonly seen?: (pfn: number) => void;
}

const NORMAL = PTE.PRESENT | PTE.ZERO | PTE.FILE;

/** True while the PMD of a table carries the mark. */
export function isTableMarked(k: Kernel, row: PmdRow): boolean {
  return (k.pt.pmd.flags[row]! & PTE.HINT) !== 0;
}

/** Entries of a table, [from, to) as pages: how many were not marked and could be. Under the lock. */
export function markTableEntries(
  k: Kernel,
  row: PmdRow,
  from: number,
  to: number,
  rules: TableRules,
): number {
  const { pt, geometry } = k;
  const n = geometry.pagesPerHuge;
  const base = pt.pmd.value[row]! * n;
  const tableMarked = isTableMarked(k, row);
  let found = 0;
  for (let vpn = from; vpn < to; vpn++) {
    const pte = base + (vpn % n);
    const flags = pt.pteFlags[pte]!;
    if ((flags & NORMAL) !== PTE.PRESENT) continue;
    const pfn = asPfn(pt.ptePfn[pte]!);
    rules.seen?.(pfn);
    if (rules.unsharedOnly && (pageMapCount(k, pfn) !== 1 || isHuge(k, pfn))) continue;
    rules.visit?.(pfn);
    if ((flags & PTE.HINT) !== 0 && !tableMarked) continue;
    found++;
    if (rules.marks) pt.pteFlags[pte] = flags | PTE.HINT;
  }
  spend(k, (to - from) * k.costs.scanPteNs + (rules.marks ? found * k.costs.changePteNs : 0));
  return found;
}

/** The PMD of a table gets the mark: whatever is mapped below it faults. Under the lock. */
export function markTable(k: Kernel, row: PmdRow): void {
  const { pt, geometry } = k;
  pt.pmd.flags[row]! |= PTE.HINT;
  const base = pt.pmd.value[row]! * geometry.pagesPerHuge;
  for (let pte = base; pte < base + geometry.pagesPerHuge; pte++) {
    if ((pt.pteFlags[pte]! & NORMAL) === PTE.PRESENT) pt.pteFlags[pte]! |= PTE.HINT;
  }
  spend(k, k.costs.changePteNs);
}

/**
 * Takes the page-table lock of a row whose PMD points at a marked table, and takes the mark away; its entries
 * keep theirs until each is looked at. Else false, without the lock.
 */
export function* lockMarkedTable(k: Kernel, row: PmdRow): Path<boolean> {
  const lock = pageTableLock(k, row);
  yield lock.acquire;
  const marked = k.pt.pmd.kind[row] === PMD.TABLE && isTableMarked(k, row);
  if (marked) k.pt.pmd.flags[row]! &= ~PTE.HINT;
  else yield lock.release;
  return marked;
}
