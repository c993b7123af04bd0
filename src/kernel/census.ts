/**
 * A census of memory: one walk over everything that may refer to a frame, for the invariants to compare with
 * what the kernel has counted as it went along.
 *
 *     page tables ─┐
 *     LRU batches ─┼─▶ owners of each frame, mappings of each frame, figures of each address space
 *     pins, shared ┤     swap cache
 *     reservations ┘
 *
 * Models:       nothing of the kernel: what CONFIG_DEBUG_VM's checks look at, all at once.
 * Not modelled: paths that are half-way (their references have no owner that a walk could find).
 */
import { asPfn, asPmdRow, NO_FRAME, type Pfn, type Vpn } from "../core/units.ts";
import { assert } from "../lib/assert.ts";
import { FRAME } from "./mm/frames.ts";
import type { Mm } from "./mm/mm.ts";
import { ENTRIES_PER_TABLE, PMD, PTE, vpnOfRow } from "./mm/page-table.ts";
import { headOf } from "./mm/rmap.ts";
import { findVma, noAccessMark, type SharedMemory, type Vma } from "./mm/vma.ts";
import type { Kernel } from "./state.ts";

/** What the walk found of one address space. */
export interface MmCensus {
  anonPages: number;
  /** Pages of files and of shared memory. */
  filePages: number;
  swapEntries: number;
  hugePmds: number;
  /** Page-table pages of all levels. */
  tablePages: number;
  touchedPages: number;
  /** Those of them that lie in huge PMDs. */
  hugeTouched: number;
}

export interface Census {
  /** By frame: PTEs that map it; references that have an owner (heads only). */
  readonly pteMaps: Int32Array;
  readonly owners: Int32Array;
  /** By pageblock: PMDs that map its huge page. */
  readonly pmdMaps: Int32Array;
  /** By swap slot: entries that name it. */
  readonly slotUses: Int32Array;
  /** Heads and base pages that have an owner, each once. */
  readonly owned: Pfn[];
  readonly mms: Map<number, MmCensus>;
  /** PMD rows that point at a PTE table. */
  pteTables: number;
  /** PTE tables, deposited ones included, and PMD tables: what nr_page_table_pages counts. */
  lowerTables: number;
  /** The first thing that the walk itself found to be wrong. */
  wrong: string | undefined;
}

/** Walks everything. */
export function takeCensus(k: Kernel): Census {
  const census: Census = {
    pteMaps: new Int32Array(k.frames.rows),
    owners: new Int32Array(k.frames.rows),
    pmdMaps: new Int32Array(k.blocks.rows),
    slotUses: new Int32Array(k.swap.useCount.length),
    owned: [],
    mms: new Map(),
    pteTables: 0,
    lowerTables: 0,
    wrong: undefined,
  };
  for (const mm of k.mms) if (mm !== undefined) census.mms.set(mm.id, emptyCensus(mm));
  for (let table = 0; table < k.pt.nextPmdTable; table++) walkTable(k, table, census);
  ownBatches(k, census);
  ownPins(k, census);
  ownSwapCache(k, census);
  ownShared(k, census);
  ownReservations(k, census);
  return census;
}

/** Of the upper levels: the top one, and the tables below it that are there. */
function emptyCensus(mm: Mm): MmCensus {
  const puds = mm.directory.puds.filter((pud) => pud !== undefined).length;
  return {
    anonPages: 0,
    filePages: 0,
    swapEntries: 0,
    hugePmds: 0,
    tablePages: 1 + puds,
    touchedPages: 0,
    hugeTouched: 0,
  };
}

function complain(census: Census, what: string): void {
  census.wrong ??= what;
}

function own(census: Census, head: Pfn, count: number): void {
  if (census.owners[head] === 0) census.owned.push(head);
  census.owners[head]! += count;
}

function walkTable(k: Kernel, table: number, census: Census): void {
  const { pmdTables, pmd } = k.pt;
  const mm = k.mms[pmdTables.mm[table]!];
  if (pmdTables.mm[table]! < 0) return;
  const figures = mm === undefined ? undefined : census.mms.get(mm.id);
  assert(mm !== undefined && figures !== undefined, "a PMD table belongs to an address space that lives");
  figures.tablePages++;
  census.lowerTables++;
  let used = 0;
  for (let row = table * ENTRIES_PER_TABLE; row < (table + 1) * ENTRIES_PER_TABLE; row++) {
    countTouched(k, row, figures, census);
    if (pmd.kind[row] === PMD.NONE) continue;
    used++;
    walkRow(k, mm, row, figures, census);
  }
  if (used !== pmdTables.used[table])
    complain(census, `PMD table ${table} counts ${pmdTables.used[table]} rows, ${used} are in use`);
}

/** The marks of what the program touched, bit by bit. */
function countTouched(k: Kernel, row: number, figures: MmCensus, census: Census): void {
  const { pt, geometry } = k;
  const n = geometry.pagesPerHuge;
  // Most rows of a table were never used: their byte says so at once.
  if (n <= 8 && pt.pmd.touched[row] === 0 && pt.touched[(row * n) >> 3] === 0) return;
  let touched = 0;
  for (let page = row * n; page < (row + 1) * n; page++) {
    const byte = pt.touched[page >> 3]!;
    if (byte === 0 && (page & 7) === 0) page += 7;
    else if ((byte & (1 << (page & 7))) !== 0) touched++;
  }
  figures.touchedPages += touched;
  if (pt.pmd.kind[row] === PMD.HUGE) figures.hugeTouched += touched;
  if (pt.pmd.touched[row] !== touched)
    complain(census, `PMD row ${row} counts ${pt.pmd.touched[row]} touched pages, ${touched} bits are set`);
}

function walkRow(k: Kernel, mm: Mm, row: number, figures: MmCensus, census: Census): void {
  const { pmd } = k.pt;
  const n = k.geometry.pagesPerHuge;
  const kind = pmd.kind[row];
  figures.tablePages++;
  census.lowerTables++;
  const first = vpnOfRow(k.pt, asPmdRow(row));
  if (kind === PMD.TABLE) {
    census.pteTables++;
    for (let i = 0; i < n; i++)
      walkEntry(k, mm, pmd.value[row]! * n + i, (first + i) as Vpn, figures, census);
    return;
  }
  const vma = findVma(mm, first);
  if (vma === undefined || vma.end < first + n)
    complain(census, `the huge PMD at page ${first} of mm ${mm.id} is not inside one area`);
  if (kind !== PMD.HUGE) return;
  const head = asPfn(pmd.value[row]!);
  figures.anonPages += n;
  figures.hugePmds++;
  census.pmdMaps[head >> k.geometry.hugeOrder]! += 1;
  own(census, head, 1);
}

function mayUse(vma: Vma | undefined): boolean {
  return vma !== undefined && noAccessMark(vma.flags) === 0;
}

function walkEntry(k: Kernel, mm: Mm, pte: number, vpn: Vpn, figures: MmCensus, census: Census): void {
  const flags = k.pt.pteFlags[pte]!;
  if (flags === 0) return;
  if (findVma(mm, vpn) === undefined) complain(census, `page ${vpn} of mm ${mm.id} is mapped in no area`);
  if ((flags & PTE.SWAP) !== 0) {
    figures.swapEntries++;
    census.slotUses[k.pt.ptePfn[pte]!]! += 1;
    return;
  }
  if ((flags & PTE.HINT) !== 0 && (flags & (PTE.ZERO | PTE.FILE)) !== 0 && mayUse(findVma(mm, vpn)))
    complain(census, `page ${vpn} of mm ${mm.id} is a NUMA hint on nothing that could move`);
  if ((flags & PTE.FILE) !== 0) figures.filePages++;
  if ((flags & (PTE.ZERO | PTE.FILE)) !== 0) return;
  const pfn = asPfn(k.pt.ptePfn[pte]!);
  const head = headOf(k, pfn);
  if ((k.frames.flags[head]! & FRAME.ANON) !== 0) figures.anonPages++;
  else figures.filePages++;
  census.pteMaps[pfn]! += 1;
  own(census, head, 1);
}

function ownBatches(k: Kernel, census: Census): void {
  const { lru, frames } = k;
  for (let cpu = 0; cpu < k.machine.cpus; cpu++) {
    for (let i = 0; i < lru.batched[cpu]!; i++) {
      const pfn = asPfn(lru.batch[cpu * lru.batchEntries + i]!);
      if ((frames.flags[pfn]! & FRAME.BATCHED) === 0) complain(census, `frame ${pfn} is batched unawares`);
      own(census, pfn, 1);
    }
  }
}

function ownSwapCache(k: Kernel, census: Census): void {
  for (const pfn of k.swap.cachedPage) if (pfn !== NO_FRAME) own(census, headOf(k, asPfn(pfn)), 1);
}

function ownPins(k: Kernel, census: Census): void {
  for (const [head, count] of k.pins) own(census, asPfn(head), count);
}

/** Shared memory holds a reference to each of its pages, however many areas map it. */
function ownShared(k: Kernel, census: Census): void {
  const users = new Map<SharedMemory, number>();
  for (const mm of k.mms) {
    for (const { shared } of mm?.vmas ?? []) {
      if (shared !== undefined) users.set(shared, (users.get(shared) ?? 0) + 1);
    }
  }
  for (const [shared, count] of users) {
    if (shared.users !== count) complain(census, `shared memory counts ${shared.users} areas of ${count}`);
    for (const pfn of shared.pages.values()) own(census, pfn, 1);
  }
}

/** A reservation holds a reference to each of its frames. */
function ownReservations(k: Kernel, census: Census): void {
  if (k.reservations.live === 0) return;
  const { region } = k.reservations.blocks;
  for (let block = 0; block < region.length; block++) {
    if (region[block] === 0) continue;
    const head = block << k.geometry.hugeOrder;
    for (let pfn = head; pfn < head + k.geometry.pagesPerHuge; pfn++) own(census, asPfn(pfn), 1);
  }
}
