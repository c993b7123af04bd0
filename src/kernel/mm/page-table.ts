/**
 * Four-level page tables as columns.
 *
 *     PGD ─▶ PUD ─▶ PMD table ─▶ PMD row ─▶ PTE table ─▶ PTE
 *                               (row = table × 512 + index)     (slot × pagesPerHuge + index)
 *
 * A PMD row is one huge-page-sized region of one mm. Its number is unique over all address spaces and fits 31
 * bits together with the page's index, so `row × pagesPerHuge + index` (a *linear page*) is the TLB's tag: no
 * address-space id is needed, and the low bits of the tag are those of the virtual page number.
 *
 * Models:       arch/x86 four-level tables, mm/memory.c pmd_alloc()/free_pgtables(), v6.1.
 * Not modelled: five levels, PUD-mapped memory, page tables as frames of the buddy allocator (only counted).
 */

import type { Geometry } from "../../core/geometry.ts";
import { type Columns, makeTable, type Table } from "../../core/table.ts";
import { asPmdRow, asVpn, NO_ROW, type PmdRow, type Vpn } from "../../core/units.ts";
import { assert } from "../../lib/assert.ts";

/** Flags of a PTE (`pt.pteFlags`) and, for the first five, of a huge PMD (`pt.pmd.flags`). 0: none. */
export const PTE = {
  PRESENT: 1,
  WRITE: 2,
  YOUNG: 4,
  DIRTY: 8,
  /**
   * PROT_NONE protection of a present entry: a NUMA hint mark, or what mprotect left of a page without
   * access.
   */
  HINT: 16,
  /** The shared zero page: no frame. */
  ZERO: 32,
  /** A swap entry: `ptePfn` is the swap slot; PRESENT is clear. */
  SWAP: 64,
  /** A page of a file: no frame of ours. */
  FILE: 128,
} as const;

/**
 * In a swap entry: no fork shares what it names (pte_swp_exclusive). It is the bit of WRITE, so that fork
 * takes it from swap entries as it does from present ones.
 */
export const SWAP_EXCLUSIVE = PTE.WRITE;

/** What a PMD row is (`pt.pmd.kind`). */
export const PMD = {
  NONE: 0,
  /** Points at a PTE table: `value` is its slot. */
  TABLE: 1,
  /** Maps a huge page: `value` is its head frame. */
  HUGE: 2,
  /** Maps the huge zero page. */
  HUGE_ZERO: 3,
} as const;

/**
 * In `pmd.flags` of a row that points at a table: its pages came as a huge page, so some may never have been
 * touched.
 */
export const WAS_HUGE = 128;

/** Entries of an upper-level table. */
export const ENTRIES_PER_TABLE = 512;

/** One row a PMD entry. Guarded by the page-table lock of the row. */
export const PMD_COLUMNS = {
  kind: Uint8Array,
  flags: Uint8Array,
  value: Int32Array,
  /** How many pages of the row the program has touched: the set bits of `pt.touched`. */
  touched: Uint16Array,
} as const satisfies Columns;

/** One row a PMD table. */
export const PMD_TABLE_COLUMNS = {
  /** The mm it belongs to; -1 when free. */
  mm: Int32Array,
  /** First page of the range that the table covers. */
  firstVpn: Float64Array,
  /** How many of its rows are not NONE. */
  used: Uint16Array,
} as const satisfies Columns;

export interface PageTables {
  readonly geometry: Geometry;
  readonly pmd: Table<typeof PMD_COLUMNS>;
  readonly pmdTables: Table<typeof PMD_TABLE_COLUMNS>;
  /**
   * Frame, swap slot, or nothing, of each PTE. Grows: take it anew after anything that may allocate a table.
   */
  ptePfn: Int32Array;
  pteFlags: Uint8Array;
  /** One bit a page of a PMD row: touched by the program since it was mapped. Byte = linear page >> 3. */
  readonly touched: Uint8Array;
  /**
   * The same for a page that was touched: by reads alone, so that it still holds the zeros it came with. A
   * bit of a page that was not touched means nothing.
   */
  readonly onlyRead: Uint8Array;
  /** A bit of `onlyRead` was ever set: until then nobody need look. */
  someOnlyRead: boolean;
  /** Free PTE table slots and PMD tables, as stacks; `*Next` is the first never used. */
  readonly freePteTables: number[];
  readonly freePmdTables: number[];
  nextPteTable: number;
  nextPmdTable: number;
  /** PMD tables given back so far: whoever remembers rows looks here whether they may have gone. */
  retired: number;
}

/**
 * Most PMD tables (1 GiB of address space each, in life): 31-bit linear pages allow 2^31 / (512 × 512) =
 * 8192, of which the last 16 are kept free: their numbers are the TLB's keys of huge pages (`HUGE_KEY` in
 * kernel/tlb/tlb.ts).
 */
const PMD_TABLES_MAX = 8176;

export function makePageTables(
  geometry: Geometry,
  pteTablesMax: number,
  pmdTablesMax = PMD_TABLES_MAX,
): PageTables {
  const rows = pmdTablesMax * ENTRIES_PER_TABLE;
  const pmdTables = makeTable(PMD_TABLE_COLUMNS, pmdTablesMax);
  pmdTables.mm.fill(-1);
  const entries = pteTablesMax * geometry.pagesPerHuge;
  return {
    geometry,
    pmd: makeTable(PMD_COLUMNS, rows),
    pmdTables,
    ptePfn: new Int32Array(entries),
    pteFlags: new Uint8Array(entries),
    touched: new Uint8Array((rows * geometry.pagesPerHuge) / 8),
    onlyRead: new Uint8Array((rows * geometry.pagesPerHuge) / 8),
    someOnlyRead: false,
    freePteTables: [],
    freePmdTables: [],
    nextPteTable: 0,
    nextPmdTable: 0,
    retired: 0,
  };
}

/**
 * The upper levels of one mm: PGD and PUD tables. Present PUD tables are counted for `nr_page_table_pages`.
 */
export interface Directory {
  /** PGD index → PUD table. A PUD table: PUD index → PMD table, or -1. */
  readonly puds: (Int32Array | undefined)[];
  /** Last PMD table looked up and the first page it covers: most look-ups end here. */
  cachedTable: number;
  cachedFirstVpn: number;
}

export function makeDirectory(): Directory {
  return { puds: [], cachedTable: -1, cachedFirstVpn: -1 };
}

/** The PMD row of a page, or NO_ROW when no PMD table covers it. */
export function findRow(pt: PageTables, directory: Directory, vpn: Vpn): PmdRow {
  const g = pt.geometry;
  const tablePages = ENTRIES_PER_TABLE * g.pagesPerHuge;
  const offset = vpn - directory.cachedFirstVpn;
  if (directory.cachedTable >= 0 && offset >= 0 && offset < tablePages) {
    return asPmdRow(directory.cachedTable * ENTRIES_PER_TABLE + (offset >>> g.hugeOrder));
  }
  const gib = Math.floor(vpn / tablePages);
  const pud = directory.puds[Math.floor(gib / ENTRIES_PER_TABLE)];
  if (pud === undefined) return NO_ROW;
  const table = pud[gib % ENTRIES_PER_TABLE]!;
  if (table < 0) return NO_ROW;
  directory.cachedTable = table;
  directory.cachedFirstVpn = gib * tablePages;
  return asPmdRow(table * ENTRIES_PER_TABLE + ((vpn - directory.cachedFirstVpn) >>> g.hugeOrder));
}

/** The first page of a row's region. */
export function vpnOfRow(pt: PageTables, row: PmdRow): Vpn {
  const table = (row / ENTRIES_PER_TABLE) | 0;
  return asVpn(pt.pmdTables.firstVpn[table]! + (row % ENTRIES_PER_TABLE) * pt.geometry.pagesPerHuge);
}

/** The linear page (TLB tag) of a page whose row is known. */
export function linearPage(pt: PageTables, row: PmdRow, vpn: Vpn): number {
  return row * pt.geometry.pagesPerHuge + (vpn % pt.geometry.pagesPerHuge);
}

/** Whether a page may hold something other than zeros: its program wrote to it since it was mapped. */
export function holdsData({ touched, onlyRead }: PageTables, linear: number): boolean {
  return (touched[linear >> 3]! & ~onlyRead[linear >> 3]! & (1 << (linear & 7))) !== 0;
}

/** The program touched a page: `read` if for the first time since it was mapped, and to read. */
export function noteOnlyRead(pt: PageTables, linear: number, read: boolean): void {
  if (read) {
    pt.onlyRead[linear >> 3]! |= 1 << (linear & 7);
    pt.someOnlyRead = true;
  } else if (pt.someOnlyRead) pt.onlyRead[linear >> 3]! &= ~(1 << (linear & 7));
}

/**
 * A page's mark of having been touched goes along to another place: so does what is known of its contents.
 */
export function copyOnlyRead(pt: PageTables, from: number, into: number): void {
  if (pt.someOnlyRead) noteOnlyRead(pt, into, (pt.onlyRead[from >> 3]! & (1 << (from & 7))) !== 0);
}

/** Index of a page's PTE in the PTE columns; the row must point at a table. */
export function pteIndex(pt: PageTables, row: PmdRow, vpn: Vpn): number {
  return pt.pmd.value[row]! * pt.geometry.pagesPerHuge + (vpn % pt.geometry.pagesPerHuge);
}

/** Takes a PTE table slot with all entries none. Growing doubles the columns. */
export function takePteTable(pt: PageTables): number {
  const slot = pt.freePteTables.pop() ?? pt.nextPteTable++;
  const n = pt.geometry.pagesPerHuge;
  if ((slot + 1) * n > pt.ptePfn.length) {
    const pfn = new Int32Array(pt.ptePfn.length * 2);
    pfn.set(pt.ptePfn);
    const flags = new Uint8Array(pt.pteFlags.length * 2);
    flags.set(pt.pteFlags);
    pt.ptePfn = pfn;
    pt.pteFlags = flags;
  }
  return slot;
}

/** Gives a PTE table back; its entries must be none. */
export function givePteTable(pt: PageTables, slot: number): void {
  pt.freePteTables.push(slot);
}

/** Takes a PMD table for that mm and address; the caller hangs it into the directory. */
export function takePmdTable(pt: PageTables, mm: number, firstVpn: number): number {
  const table = pt.freePmdTables.pop() ?? pt.nextPmdTable++;
  assert(
    table < pt.pmdTables.rows,
    "address spaces together use at most 8176 PMD tables (8 TiB of touched ranges)",
  );
  pt.pmdTables.mm[table] = mm;
  pt.pmdTables.firstVpn[table] = firstVpn;
  pt.pmdTables.used[table] = 0;
  return table;
}
