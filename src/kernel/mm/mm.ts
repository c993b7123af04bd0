/**
 * An address space: its areas, its page tables, its memory counts.
 *
 * Models:       struct mm_struct as mm/ of v6.1 uses it for anonymous memory.
 * Not modelled: memcg, locked memory limits, architecture contexts.
 */
import { type Lock, makeLock } from "../../core/ops.ts";
import { asMm, type MmId, type Pfn, type Vpn } from "../../core/units.ts";
import { type MmNuma, makeMmNuma } from "../numa/state.ts";
import type { Kernel } from "../state.ts";
import { type Directory, makeDirectory } from "./page-table.ts";
import type { Vma } from "./vma.ts";

/** How prctl(PR_SET_THP_DISABLE) left an address space. 3: disabled except where advised (6.18). */
export type ThpDisable = 0 | 1 | 3;

/** Sums over all address spaces, with their peaks. In pages; `huge` in huge pages. */
export interface Totals {
  resident: number;
  peakResident: number;
  huge: number;
  peakHuge: number;
  touched: number;
  peakTouched: number;
}

export interface Mm {
  readonly id: MmId;
  readonly totals: Totals;
  readonly directory: Directory;
  /** Areas in order of address. Guarded by the mmap lock. */
  readonly vmas: Vma[];
  lastVma: Vma | undefined;
  readonly mmapLock: Lock;
  /** 1 for each CPU that runs it or may hold its translations. */
  readonly cpus: Uint8Array;
  /** Flush rounds so far, and how many of them each CPU had seen when it last left this address space. */
  flushes: number;
  readonly seenFlush: Uint32Array;
  /** Paths that have changed entries and not flushed yet. */
  flushesPending: number;
  /** Resident anonymous pages. */
  anonPages: number;
  /** Resident file and shared pages. */
  filePages: number;
  /** File pages come from the trace's own counts; mapping one changes nothing. */
  filePagesFromTrace: boolean;
  swapEntries: number;
  /** PMDs that map a huge page (not the huge zero page). */
  hugePmds: number;
  /** Page-table pages of all levels, deposited ones included. */
  tablePages: number;
  /** Largest anonPages + filePages so far. */
  peakPages: number;
  peakHugePmds: number;
  /** Pages with their `touched` bit set; those of them that a huge PMD maps. */
  touchedPages: number;
  hugeTouched: number;
  /** A huge PMD has been split: tables may hold pages that came with a huge page and were never touched. */
  hasSplit: boolean;
  readonly numa: MmNuma;
  /** Threads that use it; 0 when it is being torn down. */
  users: number;
  /** On khugepaged's list (MMF_VM_HUGEPAGE). */
  registered: boolean;
  /** Holds a reference to the huge zero page. */
  usesHugeZero: boolean;
  thpDisable: ThpDisable;
  /** Pages (heads) on which it holds a long-lived reference, one entry for each: see pin.ts. */
  readonly pins: Pfn[];
  /** Areas without anon_vma merge with faulted neighbours (6.16+). */
  readonly mergeUnfaulted: boolean;
  /** Heap, in pages; start -1 while there is none. */
  brkStart: number;
  brkEnd: number;
  /** For people: the source's process number and the program's name. */
  pid: number;
  name: string;
}

export function makeMm(k: Kernel): Mm {
  const id = asMm(k.mms.length);
  const mm: Mm = {
    id,
    totals: k.totals,
    directory: makeDirectory(),
    vmas: [],
    lastVma: undefined,
    mmapLock: makeLock("mmap_lock", "mmap_lock of mm " + id),
    cpus: new Uint8Array(k.machine.cpus),
    flushes: 0,
    seenFlush: new Uint32Array(k.machine.cpus),
    flushesPending: 0,
    anonPages: 0,
    filePages: 0,
    filePagesFromTrace: false,
    swapEntries: 0,
    hugePmds: 0,
    tablePages: 1,
    peakPages: 0,
    peakHugePmds: 0,
    touchedPages: 0,
    hugeTouched: 0,
    hasSplit: false,
    numa: makeMmNuma(),
    users: 1,
    registered: false,
    usesHugeZero: false,
    thpDisable: 0,
    pins: [],
    mergeUnfaulted: k.behaviours.mergeUnfaulted,
    brkStart: -1,
    brkEnd: -1,
    pid: id,
    name: "",
  };
  k.mms.push(mm);
  return mm;
}

/** Anonymous resident pages changed by `pages`; keeps the peaks. */
export function addAnonPages(mm: Mm, pages: number): void {
  mm.anonPages += pages;
  countResident(mm, pages);
}

/** File and shared pages changed by `pages`. */
export function addFilePages(mm: Mm, pages: number): void {
  mm.filePages += pages;
  countResident(mm, pages);
}

function countResident(mm: Mm, pages: number): void {
  const { totals } = mm;
  totals.resident += pages;
  if (totals.resident > totals.peakResident) totals.peakResident = totals.resident;
  const resident = mm.anonPages + mm.filePages;
  if (resident > mm.peakPages) mm.peakPages = resident;
}

/** PMDs that map huge pages changed by `count`. */
export function addHugePmds(mm: Mm, count: number): void {
  const { totals } = mm;
  mm.hugePmds += count;
  totals.huge += count;
  if (totals.huge > totals.peakHuge) totals.peakHuge = totals.huge;
  if (mm.hugePmds > mm.peakHugePmds) mm.peakHugePmds = mm.hugePmds;
}

/** Touched pages changed by `count`. */
export function addTouched(mm: Mm, count: number): void {
  const { totals } = mm;
  mm.touchedPages += count;
  totals.touched += count;
  if (totals.touched > totals.peakTouched) totals.peakTouched = totals.touched;
}

/** End of the last area: nothing is mapped at or above. */
export function highestVpn(mm: Mm): Vpn {
  return (mm.vmas.length === 0 ? 0 : mm.vmas[mm.vmas.length - 1]!.end) as Vpn;
}
