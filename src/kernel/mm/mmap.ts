/**
 * mmap of anonymous memory (and of files, as far as counts go), and brk.
 *
 *     choose an address ──▶ neighbours take it in? ──▶ else a new area ──▶ populate if asked
 *
 * Models:       mm/util.c __vm_enough_memory() mode 0, v4.19 and v5.1; mm/mmap.c mmap_region(),
 *               do_brk_flags(), mm/huge_memory.c thp_get_unmapped_area(), v6.1 and v6.13.
 * Not modelled: hints without MAP_FIXED, rlimits, MAP_LOCKED, the stack guard gap; overcommit except mode 0.
 */
import { C } from "../../core/counters.ts";
import type { Path } from "../../core/ops.ts";
import { placeTopDown } from "../../core/placement.ts";
import { PAGE_BYTES, type Vpn } from "../../core/units.ts";
import { totalReservePages } from "../buddy/watermarks.ts";
import { khugepagedEnter } from "../khugepaged/register.ts";
import { containerOfNewArea } from "../reservation/reserve.ts";
import { type Kernel, spend } from "../state.ts";
import { mergeNew } from "./edges.ts";
import { ERRNO } from "./errno.ts";
import type { Mm } from "./mm.ts";
import { unmapLocked } from "./munmap.ts";
import { insertVma, VM, type Vma, vmaIndex } from "./vma.ts";

/** First page that mmap never hands out: the top of the area for mappings without address randomization. */
export const MMAP_TOP_VPN = 0x7ffff7fff000 / PAGE_BYTES;
/** vm.mmap_min_addr: nothing is placed below. */
const MMAP_BOTTOM_VPN = 0x10000 / PAGE_BYTES;
/** End of user addresses: 47 bits less a guard page. */
export const TASK_END_VPN = 0x7ffffffff000 / PAGE_BYTES;

export interface MmapRequest {
  /** Page asked for; undefined lets the kernel choose. */
  readonly at: number | undefined;
  readonly pages: number;
  /** VM flags: READ, WRITE, EXEC, SHARED, NORESERVE, FILE, UNKNOWN. */
  readonly flags: number;
  /** MAP_FIXED replaces what is there; MAP_FIXED_NOREPLACE refuses. */
  readonly replace: boolean;
  /** MAP_STACK. */
  readonly stack: boolean;
}

/** The highest free place for that many pages, by this kernel's alignment rule; -1 if there is none. */
export function chooseAddress(k: Kernel, mm: Mm, pages: number, anonymous: boolean): number {
  const count = mm.vmas.length;
  const starts = new Float64Array(count);
  const ends = new Float64Array(count);
  for (let i = 0; i < count; i++) {
    starts[i] = mm.vmas[i]!.start;
    ends[i] = mm.vmas[i]!.end;
  }
  const alignment = anonymous ? k.behaviours.mmapAlignment : "page";
  return placeTopDown(
    { starts, ends, count },
    {
      length: pages,
      bottom: MMAP_BOTTOM_VPN,
      top: MMAP_TOP_VPN,
      alignment,
      hugeSize: k.geometry.pagesPerHuge,
    },
  );
}

/** mmap. Returns the first page, or an errno negated. */
export function* mmap(k: Kernel, mm: Mm, request: MmapRequest): Path<number> {
  spend(k, k.costs.syscallNs);
  yield mm.mmapLock.acquire;
  const result = yield* mmapLocked(k, mm, request);
  yield mm.mmapLock.release;
  return result;
}

function* mmapLocked(k: Kernel, mm: Mm, request: MmapRequest): Path<number> {
  const { pages } = request;
  if (pages <= 0) return -ERRNO.EINVAL;
  const at = request.at ?? chooseAddress(k, mm, pages, (request.flags & VM.FILE) === 0);
  if (at < 0 || at + pages > TASK_END_VPN) return -ERRNO.ENOMEM;
  if (!Number.isInteger(at)) return -ERRNO.EINVAL;
  if (overlaps(mm, at, at + pages)) {
    if (!request.replace) return -ERRNO.EEXIST;
    yield* unmapLocked(k, mm, at, at + pages);
  }
  if (isAccounted(request.flags) && overcommitRefuses(k, request.pages)) return -ERRNO.ENOMEM;
  placeArea(k, mm, at, request);
  return at;
}

function overlaps(mm: Mm, start: number, end: number): boolean {
  const vma = mm.vmas[vmaIndex(mm, start)];
  return vma !== undefined && vma.start < end;
}

/** Whether memory counts against the overcommit limit: what is private, writable and not MAP_NORESERVE. */
function isAccounted(flags: number): boolean {
  return (flags & (VM.WRITE | VM.SHARED | VM.FILE | VM.NORESERVE)) === VM.WRITE;
}

/**
 * Mode 0 since v5.1 refuses only what is larger than all memory that the allocator has and swap together;
 * before, what is not less than the memory that is free now, swap and what nobody has touched of reservations
 * included, above the reserve. (The caller is root: others leave 8 MiB more.)
 */
export function overcommitRefuses(k: Kernel, pages: number): boolean {
  if (k.tunables.overcommitMemory === 1) return false;
  if (k.behaviours.overcommitGuess === "free-now") return availableForGuess(k) <= pages;
  const managed = k.buddy.zones.reduce((sum, zone) => sum + zone.managedPages, 0);
  return pages > managed + k.swap.useCount.length;
}

/**
 * Pages that one more mapping must be less than, before v5.1. Page tables, which the allocator does not know
 * of here, are not free.
 */
export function availableForGuess(k: Kernel): number {
  const tables = k.vmstat[C.nr_page_table_pages]!;
  const free = k.buddy.freePages - tables + k.swap.free + k.vmstat[C.nr_thp_reserved]!;
  return free - totalReservePages(k.buddy);
}

/** Puts the mapping into the address space: as part of a neighbour, or as an area of its own. */
function placeArea(k: Kernel, mm: Mm, at: number, request: MmapRequest): void {
  let flags = request.flags;
  const plain = (flags & (VM.FILE | VM.SHARED | VM.UNKNOWN)) === 0;
  if (plain && (flags & (VM.WRITE | VM.NORESERVE)) === VM.WRITE) flags |= VM.ACCOUNT;
  if (request.stack && k.behaviours.stackNoHuge) flags |= VM.NOHUGEPAGE;
  const end = at + request.pages;
  if (plain) {
    const merged = mergeNew(k, mm, { start: at, end, flags, pgoff: at });
    if (merged !== undefined) {
      khugepagedEnter(k, merged);
      return;
    }
  }
  const shared = (flags & (VM.SHARED | VM.FILE)) === VM.SHARED;
  const vma: Vma = {
    mm,
    start: at as Vpn,
    end: end as Vpn,
    flags,
    pgoff: shared ? 0 : at,
    anonVma: undefined,
    chain: [],
    readAhead: undefined,
    shared: shared ? { pages: new Map(), sizePages: request.pages, users: 1 } : undefined,
    hasReservations: containerOfNewArea(k, flags),
  };
  insertVma(mm, vma);
  khugepagedEnter(k, vma);
}

/** brk: the heap now ends at page `end`. Grows by areas that merge, shrinks by unmapping. */
export function* brk(k: Kernel, mm: Mm, start: number, end: number): Path<number> {
  spend(k, k.costs.syscallNs);
  yield mm.mmapLock.acquire;
  if (mm.brkStart < 0) {
    mm.brkStart = start;
    mm.brkEnd = start;
  }
  const from = mm.brkEnd;
  if (end > from) {
    if (overlaps(mm, from, end)) yield* unmapLocked(k, mm, from, end);
    const request: MmapRequest = {
      at: from,
      pages: end - from,
      flags: VM.READ | VM.WRITE,
      replace: false,
      stack: false,
    };
    placeArea(k, mm, from, request);
  } else if (end < from) {
    yield* unmapLocked(k, mm, end, from);
  }
  mm.brkEnd = end;
  yield mm.mmapLock.release;
  return end;
}
