/**
 * The page walk that a processor does on a TLB miss: reads the page table, sets accessed and dirty bits,
 * and says how many memory references that took.
 *
 *     PML4E ─▶ PDPTE ─▶ PDE ─▶ PTE        4 references for a base page, 3 for a huge page,
 *       └── paging-structure caches ──┘   fewer when a cache names the table to go on from
 *
 * Models:       the page walk of x86-64 processors (four levels) over kernel/mm/page-table.ts.
 * Not modelled: nested paging, where the page table's own lines lie in the data caches.
 */
import { ENTRIES_PER_TABLE, type PageTables, PMD, PTE } from "../mm/page-table.ts";
import { bring, EMPTY, type Level } from "./level.ts";
import type { CpuTlb, WalkCaches } from "./tlb.ts";

/** The page table does not allow the access: the CPU raises a fault. */
export const WALK_FAULT = -1;

/**
 * Walks to a base page. The answer is references × 2 + 1 if the entry may be cached as writable and dirty;
 * WALK_FAULT if the page table refuses.
 */
export function walkSmall(pt: PageTables, t: CpuTlb, linear: number, write: boolean): number {
  const order = t.hugeOrder;
  const row = linear >>> order;
  if (pt.pmd.kind[row] !== PMD.TABLE) return WALK_FAULT;
  const pte = (pt.pmd.value[row]! << order) + (linear & ((1 << order) - 1));
  const flags = pt.pteFlags[pte]!;
  if ((flags & (PTE.PRESENT | PTE.HINT)) !== PTE.PRESENT) return WALK_FAULT;
  if (write && (flags & PTE.WRITE) === 0) return WALK_FAULT;
  const updated = write ? flags | PTE.YOUNG | PTE.DIRTY : flags | PTE.YOUNG;
  if (updated !== flags) pt.pteFlags[pte] = updated;
  const writable = (updated & (PTE.WRITE | PTE.DIRTY)) === (PTE.WRITE | PTE.DIRTY) ? 1 : 0;
  return walkCost(pt, t, row, 1) * 2 + writable;
}

/** The same for a huge page. */
export function walkHuge(pt: PageTables, t: CpuTlb, row: number, write: boolean): number {
  if (pt.pmd.kind[row]! < PMD.HUGE) return WALK_FAULT;
  const flags = pt.pmd.flags[row]!;
  if ((flags & (PTE.PRESENT | PTE.HINT)) !== PTE.PRESENT) return WALK_FAULT;
  if (write && (flags & PTE.WRITE) === 0) return WALK_FAULT;
  const updated = write ? flags | PTE.YOUNG | PTE.DIRTY : flags | PTE.YOUNG;
  if (updated !== flags) pt.pmd.flags[row] = updated;
  const writable = (updated & (PTE.WRITE | PTE.DIRTY)) === (PTE.WRITE | PTE.DIRTY) ? 1 : 0;
  return walkCost(pt, t, row, 0) * 2 + writable;
}

/** Memory references of a walk to a row's PDE (`below` 0: a huge page) or to a PTE below it (1). */
export function walkCost(pt: PageTables, t: CpuTlb, row: number, below: 0 | 1): number {
  const caches = t.walkCaches;
  if (caches === undefined) return 3 + below;
  return walkFrom(pt, caches, row, below);
}

/** References of a walk that goes on from the deepest cached entry; fills the caches with what it read. */
function walkFrom(pt: PageTables, caches: WalkCaches, row: number, below: 0 | 1): number {
  if (below === 1 && touch(caches.pde, row)) return 1;
  const table = (row / ENTRIES_PER_TABLE) | 0;
  if (touch(caches.pdpte, table)) return 1 + below;
  return (touch(caches.pml4e, pudNumber(pt, table)) ? 2 : 3) + below;
}

/** A number for the PUD table that a PMD table hangs in, unique over all address spaces of a run. */
function pudNumber(pt: PageTables, table: number): number {
  const pudPages = ENTRIES_PER_TABLE * ENTRIES_PER_TABLE * pt.geometry.pagesPerHuge;
  const pgdIndex = Math.floor(pt.pmdTables.firstVpn[table]! / pudPages) % ENTRIES_PER_TABLE;
  return pt.pmdTables.mm[table]! * ENTRIES_PER_TABLE + pgdIndex;
}

/** True if a cache holds a key. In any case it is its set's newest afterwards. */
function touch(level: Level, key: number): boolean {
  return bring(level, key, (key << 1) | 1) !== EMPTY;
}
