/**
 * Reading from swap into the swap cache: the page that is wanted, and with it those that are likely next. How
 * many follows from how many of the last ones were used; they are neighbours in the address space.
 *
 *     the last fault was one page before: forwards   one behind: backwards   elsewhere: around this one
 *     pages: 8 at first (2^page-cluster), then as many as were used, rounded up; alone if none was
 *
 * Models:       mm/swap_state.c swap_vma_readahead(), swap_ra_info(), __swapin_nr_pages(),
 *               lookup_swap_cache(), read_swap_cache_async(), v6.1; the same decisions in v6.12.
 * Not modelled: read-ahead by slot (disks that turn, kernels before 4.14).
 */
import { C } from "../../core/counters.ts";
import type { Path } from "../../core/ops.ts";
import { NO_FRAME, type Pfn, type PmdRow, type Vpn } from "../../core/units.ts";
import { allocFast, allocPages } from "../buddy/alloc.ts";
import { putPage } from "../buddy/free.ts";
import { GFP_USER } from "../buddy/gfp.ts";
import { wantedNode } from "../fault/node.ts";
import { PMD, PTE, pteIndex } from "../mm/page-table.ts";
import { isHuge } from "../mm/rmap.ts";
import type { ReadAhead, Vma } from "../mm/vma.ts";
import { type Kernel, spend } from "../state.ts";
import { lruAdd, lruDrain } from "./lru.ts";
import { ZEROS } from "./swap.ts";
import { addRead, cachedPage } from "./swap-cache.ts";

/** What an area begins with: as if the last four pages had been of use. */
const NOTHING_READ: ReadAhead = { vpn: 0, window: 0, hits: 4 };
/** Most hits that are remembered, and the largest window as a power of two. */
const HITS_MAX = 63;
const WINDOW_ORDER_MAX = 5;

/** The swap slot that a page's entry names, or -1. */
export function slotAt({ pt }: Kernel, row: PmdRow, vpn: number): number {
  if (pt.pmd.kind[row] !== PMD.TABLE) return -1;
  const pte = pteIndex(pt, row, vpn as Vpn);
  return (pt.pteFlags[pte]! & PTE.SWAP) === 0 ? -1 : pt.ptePfn[pte]!;
}

/** Whether a slot's page is all zeros, so that nothing is read. */
export function isNotedZero(k: Kernel, slot: number): boolean {
  return (k.swap.zeros[slot]! & ZEROS.NOTED) !== 0;
}

/** A fault found its page in the swap cache: if that was read ahead, reading ahead was right. */
export function noteFound(k: Kernel, vma: Vma, vpn: number, slot: number): void {
  if (isHuge(k, cachedPage(k, slot))) return;
  const last = vma.readAhead ?? NOTHING_READ;
  const ahead = k.swap.readAhead[slot]!;
  k.swap.readAhead[slot] = 0;
  k.vmstat[C.swap_ra_hit]! += ahead;
  vma.readAhead = { vpn, window: last.window, hits: Math.min(last.hits + ahead, HITS_MAX) };
}

/** How many pages to read, the wanted one among them. */
export function windowPages(last: ReadAhead, vpn: number, maxPages: number): number {
  let pages: number;
  if (last.hits === 0) pages = Math.abs(vpn - last.vpn) === 1 ? 2 : 1;
  else for (pages = 4; pages < last.hits + 2; ) pages *= 2;
  return Math.max(Math.min(pages, maxPages), Math.floor(last.window / 2));
}

/** The first page of the window. */
function windowStart(last: ReadAhead, vpn: number, pages: number): number {
  if (vpn === last.vpn + 1) return vpn;
  if (vpn === last.vpn - 1) return vpn - pages + 1;
  return vpn - Math.floor((pages - 1) / 2);
}

/**
 * Reads one page of a region into the swap cache unless it is there. The page that was read goes to
 * `reading`, with a reference, so that nobody frees it before its reader has it. False: no memory.
 */
function* readPage(k: Kernel, row: PmdRow, vpn: number, ahead: boolean, reading: Pfn[]): Path<boolean> {
  const slot = slotAt(k, row, vpn);
  if (slot < 0 || cachedPage(k, slot) !== NO_FRAME) return true;
  let pfn = allocFast(k, 0, wantedNode(k), GFP_USER);
  if (pfn === NO_FRAME) pfn = yield* allocPages(k, 0, wantedNode(k), GFP_USER);
  if (pfn === NO_FRAME) return false;
  reading.push(pfn);
  if (slotAt(k, row, vpn) !== slot || cachedPage(k, slot) !== NO_FRAME) return true;
  addRead(k, pfn, slot);
  if (k.witness !== undefined) k.witness.swappedIn(slot, pfn);
  if (isNotedZero(k, slot)) {
    k.vmstat[C.swpin_zero]! += 1;
  } else {
    k.vmstat[C.pswpin]! += 1;
    spend(k, k.costs.swapPageNs);
  }
  lruAdd(k, pfn);
  if (ahead) {
    k.swap.readAhead[slot] = 1;
    k.vmstat[C.swap_ra]! += 1;
  }
  return true;
}

function letGo(k: Kernel, reading: readonly Pfn[]): void {
  for (const pfn of reading) putPage(k, pfn);
}

/**
 * Reads a page, and its neighbours as far as that seems worth while. Answers with the window; 0: no memory.
 */
export function* readAround(k: Kernel, vma: Vma, row: PmdRow, vpn: Vpn): Path<number> {
  const maxPages = 2 ** Math.min(k.tunables.pageCluster, WINDOW_ORDER_MAX);
  const last = vma.readAhead ?? NOTHING_READ;
  const window = maxPages === 1 ? 1 : windowPages(last, vpn, maxPages);
  const reading: Pfn[] = [];
  if (maxPages > 1) vma.readAhead = { vpn, window, hits: 0 };
  if (window > 1) {
    const first = windowStart(last, vpn, window);
    const regionStart = vpn - (vpn % k.geometry.pagesPerHuge);
    const to = Math.min(first + window, vma.end, regionStart + k.geometry.pagesPerHuge);
    for (let at = Math.max(first, vma.start, regionStart); at < to; at++) {
      yield* readPage(k, row, at, at !== vpn, reading);
    }
    lruDrain(k, k.cpu);
  }
  const read = yield* readPage(k, row, vpn, false, reading);
  letGo(k, reading);
  return read ? window : 0;
}

/** MADV_WILLNEED: reads what is in swap of a range of one region. */
export function* readRegion(k: Kernel, row: PmdRow, from: number, to: number): Path {
  for (let vpn = from; vpn < to; vpn++) {
    const reading: Pfn[] = [];
    yield* readPage(k, row, vpn, false, reading);
    letGo(k, reading);
  }
}
