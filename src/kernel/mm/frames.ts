/**
 * Physical frames: one row a base page, one row a pageblock.
 *
 * A huge page (order hugeOrder) is a *head* frame, aligned to its size, and its *tails*. Reference count, LRU
 * flags of the whole live in the head's row, rmap and list links in a row of their own (`PAGE_COLUMNS`);
 * `mapCount` counts PTE mappings page by page; PMD mappings are counted in the pageblock's row, since a huge
 * page is exactly one pageblock.
 *
 * Models:       struct page / struct folio as mm/ of v6.1 uses them for anonymous memory.
 * Not modelled: page contents, memcg, KSM, writeback flags, hwpoison.
 */
import { type Columns, makeTable, type Table } from "../../core/table.ts";

/** Flags of a frame (`frames.flags`). For a huge page they are the head's, except HEAD/TAIL/EXCLUSIVE. */
export const FRAME = {
  /** First frame of a huge page. */
  HEAD: 1,
  /** Another frame of a huge page. */
  TAIL: 2,
  /** Anonymous: has an anon_vma and an index. */
  ANON: 4,
  /** On an LRU list (`next`/`prev` are LRU links). */
  LRU: 8,
  /** On (or bound for) the active list. */
  ACTIVE: 16,
  /** Referenced since the last time reclaim looked. */
  REFERENCED: 32,
  DIRTY: 64,
  LOCKED: 128,
  /** Needs swap to be reclaimed; cleared by MADV_FREE (lazy-free). */
  SWAPBACKED: 256,
  /** In the swap cache, which holds a reference for each base page; its slots are in `swapSlot`. */
  SWAPCACHE: 512,
  /** This base page belongs to one mm alone (PG_anon_exclusive, v5.19+). Per base page, tails too. */
  EXCLUSIVE: 1024,
  /** Sits in a per-CPU LRU add batch, which holds a reference. */
  BATCHED: 2048,
  /** Taken off the LRU by reclaim, compaction or migration. */
  ISOLATED: 4096,
  /** First frame of a free block in the buddy lists; `anonVma` holds its order. */
  BUDDY: 8192,
  /** Free, in a per-CPU list. */
  PCP: 16384,
  /** Not available to the allocator: a hole, the kernel's own, or held by a fragmented starting state. */
  RESERVED: 32768,
} as const;

/**
 * One row a frame. Guarded by the zone lock while free, by the page-table lock and the page lock while
 * mapped.
 */
export const FRAME_COLUMNS = {
  flags: Uint16Array,
  /**
   * References: one for each mapping (a PMD mapping is one), one for the LRU batch, pins, swap cache. 0:
   * free.
   */
  refCount: Int32Array,
  /** How many PTEs map this base page. */
  mapCount: Int32Array,
} as const satisfies Columns;

/**
 * What a page has as a whole: one row a frame, and behind those one a pageblock, for its huge page. So what
 * a huge page needs lies together, and mapping one touches a fraction of the memory: see `rowOfPage`.
 */
export const PAGE_COLUMNS = {
  /** rmap: id of the anon_vma of an anonymous page; order of a free block (BUDDY). */
  anonVma: Int32Array,
  /** rmap: linear page index in the anon_vma's VMAs, modulo 2^32. */
  index: Uint32Array,
  /** List links: LRU, or free list for orders below hugeOrder. NO_FRAME ends a list. */
  next: Int32Array,
  prev: Int32Array,
  /** First swap slot of a page that is in the swap cache (SWAPCACHE); else nothing. */
  swapSlot: Int32Array,
} as const satisfies Columns;

/** Flags of a pageblock (`blocks.flags`). */
export const BLOCK = {
  /**
   * Its huge page is mapped by PMD and by PTE at once; every subpage then holds an extra map count
   * (PG_double_map, ≤ 6.1).
   */
  DOUBLE_MAP: 1,
  /** On the deferred split queue. */
  DEFERRED: 2,
  /** Partially mapped (6.12+). */
  PARTIAL: 4,
} as const;

/** One row a pageblock of 2^hugeOrder frames. */
export const BLOCK_COLUMNS = {
  flags: Uint8Array,
  /** Migratetype: see `kernel/buddy`. */
  migrateType: Uint8Array,
  /** How many PMDs map the huge page of this block. */
  hugeMapCount: Int32Array,
  /** How many base pages of the huge page are mapped by some PTE. */
  ptePages: Int32Array,
  /** Deferred split queue links: block numbers, -1 ends. */
  deferredNext: Int32Array,
  deferredPrev: Int32Array,
  /** Free-list links of blocks of order hugeOrder and above: block numbers, -1 ends. */
  freeNext: Int32Array,
  freePrev: Int32Array,
  /** Order + 1 of the free block of order ≥ hugeOrder that starts here; 0: none. */
  freeOrder: Uint8Array,
} as const satisfies Columns;

/** `rows` is the number of frames. */
export type Frames = Table<typeof FRAME_COLUMNS> & Table<typeof PAGE_COLUMNS>;
export type Blocks = Table<typeof BLOCK_COLUMNS>;

export function makeFrames(frames: number, pagesPerHuge: number): Frames {
  const whole = makeTable(PAGE_COLUMNS, frames + Math.ceil(frames / pagesPerHuge));
  return { ...whole, ...makeTable(FRAME_COLUMNS, frames) };
}

/** Row of the huge page that fills a frame's pageblock, in the columns of whole pages. */
export function rowOfHuge({ rows }: Frames, hugeOrder: number, pfn: number): number {
  return rows + (pfn >>> hugeOrder);
}

/** Row of the page whose head (or only frame) this is, in the columns of whole pages. */
export function rowOfPage({ rows, flags }: Frames, hugeOrder: number, pfn: number): number {
  return (flags[pfn]! & FRAME.HEAD) !== 0 ? rows + (pfn >>> hugeOrder) : pfn;
}

export function makeBlocks(frames: number, pagesPerHuge: number): Blocks {
  return makeTable(BLOCK_COLUMNS, Math.ceil(frames / pagesPerHuge));
}
