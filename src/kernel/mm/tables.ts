/**
 * Building and freeing page tables: upper levels on the way down to a fault, PTE tables, and what munmap
 * gives back.
 *
 * A region whose PMD points at a PTE table stays that way until munmap of everything around it frees the
 * table: that is why a heap that grows in small steps never gets a huge page by fault.
 *
 * Models:       mm/memory.c __pud_alloc(), __pmd_alloc(), __pte_alloc(), free_pgd_range(), v6.1.
 * Not modelled: page tables as frames (counted in nr_page_table_pages and per mm, not taken from the
 *               allocator).
 */
import { C } from "../../core/counters.ts";
import { asPmdRow, NO_ROW, type PmdRow, type Vpn } from "../../core/units.ts";
import { type Kernel, spend } from "../state.ts";
import { tlbInvalidateRows } from "../tlb/tlb.ts";
import { addTouched, type Mm } from "./mm.ts";
import {
  ENTRIES_PER_TABLE,
  findRow,
  givePteTable,
  PMD,
  takePmdTable,
  takePteTable,
  vpnOfRow,
} from "./page-table.ts";

/** PTE and PMD tables of an mm changed by `count`. */
export function countTables(k: Kernel, mm: Mm, count: number): void {
  mm.tablePages += count;
  k.vmstat[C.nr_page_table_pages]! += count;
  if (count > 0) spend(k, count * (k.costs.allocPageNs + k.costs.zeroPageNs));
}

/** The same for the tables above PMD tables, which nr_page_table_pages leaves out. */
function countUpperTables(k: Kernel, mm: Mm, count: number): void {
  mm.tablePages += count;
  if (count > 0) spend(k, count * (k.costs.allocPageNs + k.costs.zeroPageNs));
}

/** The PMD row of a page; upper-level tables are made where they are missing. */
export function ensureRow(k: Kernel, mm: Mm, vpn: Vpn): PmdRow {
  const found = findRow(k.pt, mm.directory, vpn);
  if (found !== NO_ROW) return found;
  const tablePages = ENTRIES_PER_TABLE * k.geometry.pagesPerHuge;
  const gib = Math.floor(vpn / tablePages);
  const pgdIndex = Math.floor(gib / ENTRIES_PER_TABLE);
  let pud = mm.directory.puds[pgdIndex];
  if (pud === undefined) {
    pud = new Int32Array(ENTRIES_PER_TABLE).fill(-1);
    mm.directory.puds[pgdIndex] = pud;
    countUpperTables(k, mm, 1);
  }
  pud[gib % ENTRIES_PER_TABLE] = takePmdTable(k.pt, mm.id, gib * tablePages);
  countTables(k, mm, 1);
  return findRow(k.pt, mm.directory, vpn);
}

/** Makes a PMD that is none point at an empty PTE table. */
export function installPteTable(k: Kernel, mm: Mm, row: PmdRow): void {
  k.pt.pmd.value[row] = takePteTable(k.pt);
  k.pt.pmd.kind[row] = PMD.TABLE;
  k.pt.pmd.flags[row] = 0;
  countUsed(k, row, 1);
  countTables(k, mm, 1);
}

/** A row went from none to something (+1) or back (-1). */
export function countUsed(k: Kernel, row: PmdRow, change: number): void {
  k.pt.pmdTables.used[(row / ENTRIES_PER_TABLE) | 0]! += change;
}

/** Makes a row none again. */
export function clearRow(k: Kernel, row: PmdRow): void {
  k.pt.pmd.kind[row] = PMD.NONE;
  k.pt.pmd.flags[row] = 0;
  k.pt.pmd.value[row] = 0;
  countUsed(k, row, -1);
}

/** Frees the PTE table of a row, whose entries must all be none. */
export function freePteTable(k: Kernel, mm: Mm, row: PmdRow): void {
  givePteTable(k.pt, k.pt.pmd.value[row]!);
  clearRow(k, row);
  countTables(k, mm, -1);
}

/**
 * The first row at or after `from` and before `end` whose PMD is not none; absent tables are skipped whole.
 */
export function nextUsedRow(k: Kernel, mm: Mm, from: number, end: number): PmdRow {
  const { pt, geometry } = k;
  const tablePages = ENTRIES_PER_TABLE * geometry.pagesPerHuge;
  let vpn = from - (from % geometry.pagesPerHuge);
  while (vpn < end) {
    const gib = Math.floor(vpn / tablePages);
    const pud = mm.directory.puds[Math.floor(gib / ENTRIES_PER_TABLE)];
    if (pud === undefined) {
      vpn = (Math.floor(gib / ENTRIES_PER_TABLE) + 1) * ENTRIES_PER_TABLE * tablePages;
      continue;
    }
    const table = pud[gib % ENTRIES_PER_TABLE]!;
    const tableEnd = (gib + 1) * tablePages;
    if (table >= 0 && pt.pmdTables.used[table]! > 0) {
      let row = table * ENTRIES_PER_TABLE + Math.floor((vpn - gib * tablePages) / geometry.pagesPerHuge);
      for (; vpn < tableEnd && vpn < end; vpn += geometry.pagesPerHuge, row++) {
        if (pt.pmd.kind[row] !== PMD.NONE) return asPmdRow(row);
      }
    }
    vpn = tableEnd;
  }
  return NO_ROW;
}

/**
 * Frees the tables of [start, end) that nothing else needs: those of ranges that reach neither below `floor`
 * (end of the area before) nor above `ceiling` (start of the area behind).
 */
export function freePageTables(
  k: Kernel,
  mm: Mm,
  start: number,
  end: number,
  floor: number,
  ceiling: number,
): void {
  const { pt, geometry } = k;
  for (let row = nextUsedRow(k, mm, start, end); row !== NO_ROW; ) {
    const first = vpnOfRow(pt, row);
    const behind = first + geometry.pagesPerHuge;
    if (first >= floor && behind <= ceiling && pt.pmd.kind[row] === PMD.TABLE) freePteTable(k, mm, row);
    row = nextUsedRow(k, mm, behind, end);
  }
  const tablePages = ENTRIES_PER_TABLE * geometry.pagesPerHuge;
  const pudPages = tablePages * ENTRIES_PER_TABLE;
  for (let pgd = Math.floor(start / pudPages); pgd * pudPages < end; pgd++) {
    const pud = mm.directory.puds[pgd];
    if (pud === undefined) continue;
    freePmdTables(k, mm, pud, pgd, start, end, floor, ceiling);
    if (pgd * pudPages < floor || (pgd + 1) * pudPages > ceiling || pud.some((table) => table >= 0)) continue;
    mm.directory.puds[pgd] = undefined;
    countUpperTables(k, mm, -1);
  }
}

function freePmdTables(
  k: Kernel,
  mm: Mm,
  pud: Int32Array,
  pgd: number,
  start: number,
  end: number,
  floor: number,
  ceiling: number,
): void {
  const tablePages = ENTRIES_PER_TABLE * k.geometry.pagesPerHuge;
  for (let i = 0; i < ENTRIES_PER_TABLE; i++) {
    const table = pud[i]!;
    if (table < 0) continue;
    const first = (pgd * ENTRIES_PER_TABLE + i) * tablePages;
    if (first + tablePages <= start || first >= end) continue;
    if (first < floor || first + tablePages > ceiling || k.pt.pmdTables.used[table]! > 0) continue;
    retirePmdTable(k, mm, table);
    pud[i] = -1;
    countTables(k, mm, -1);
  }
}

/** A PMD table goes back: no TLB may know its rows any more, for their numbers will be used again. */
function retirePmdTable(k: Kernel, mm: Mm, table: number): void {
  const { pt, geometry } = k;
  const firstRow = asPmdRow(table * ENTRIES_PER_TABLE);
  for (let cpu = 0; cpu < mm.cpus.length; cpu++) {
    tlbInvalidateRows(k.tlb, cpu, firstRow, asPmdRow(firstRow + ENTRIES_PER_TABLE - 1));
  }
  const bytes = (ENTRIES_PER_TABLE * geometry.pagesPerHuge) / 8;
  for (let row = firstRow as number; row < firstRow + ENTRIES_PER_TABLE; row++) {
    addTouched(mm, -pt.pmd.touched[row]!);
    pt.pmd.touched[row] = 0;
  }
  pt.touched.fill(0, table * bytes, (table + 1) * bytes);
  pt.pmdTables.mm[table] = -1;
  pt.retired += 1;
  pt.freePmdTables.push(table);
  if (mm.directory.cachedTable === table) mm.directory.cachedTable = -1;
}
