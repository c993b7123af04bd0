/**
 * Data TLBs of every CPU: two levels and the walk caches, as flat columns.
 *
 *     reference ─▶ first level ─▶ second level ─▶ walk (walk caches, page table) ─▶ fill both
 *                  4 KiB │ huge     4 KiB + huge
 *
 * Keys are *linear pages* (PMD row × pages of a huge page + index) for base pages and `HUGE_KEY + row` for
 * huge pages. Both are unique over all address spaces, so no address-space id is needed, and their low bits
 * are those of the virtual page number (of the huge page number), which choose the set. An entry remembers
 * whether it may be written without a walk: its PTE was writable and dirty when it was cached.
 *
 * Models:       two-level x86 data TLBs with true LRU; arch/x86/mm/tlb.c what is flushed, v6.1.
 * Not modelled: instruction TLBs, 1 GiB entries, coalescing of adjacent PTEs (AMD), store-only entries (Ice
 * Lake),
 *               prefetched translations, sharing between hyper-threads, limits on address-space ids (PCID).
 */
import { assert } from "../../lib/assert.ts";
import {
  clearLevel,
  dropFromLevel,
  dropKeys,
  dropOwned,
  EMPTY,
  type Level,
  type LevelSpec,
  levelPlaces,
  makeLevel,
  newestPlace,
} from "./level.ts";

export interface TlbSpec {
  /** First level for base pages. */
  readonly l1Small: LevelSpec;
  /** First level for huge pages; "shared": they live in `l1Small`, which holds any size. */
  readonly l1Huge: LevelSpec | "shared";
  /** Second level. `hugeWays` of each set's ways may hold huge pages: 0 none, `ways` any. */
  readonly l2: LevelSpec & { readonly hugeWays: number };
  /** Paging-structure caches, by the entry that they hold: PDE (names a PTE table), PDPTE, PML4E. */
  readonly walkCaches: WalkCacheSpec | "none";
}

export interface WalkCacheSpec {
  readonly pde: LevelSpec;
  readonly pdpte: LevelSpec;
  readonly pml4e: LevelSpec;
}

export interface WalkCaches {
  /** Key: PMD row. */
  readonly pde: Level;
  /** Key: PMD table. */
  readonly pdpte: Level;
  /** Key: number of the PUD table over all address spaces. */
  readonly pml4e: Level;
}

/** The key of no page: an empty tag's. */
const NO_KEY = 2 ** 31 - 1;
/** First key of huge pages. Rows are fewer than 8176 × 512, so that every linear page lies below. */
export const HUGE_KEY = 2 ** 31 - 2 ** 22;

/** A place of `tags` that never holds an entry. */
export const NOWHERE = 0;

/** What is counted, one column each, by CPU. */
export interface TlbStats {
  readonly references: Float64Array;
  readonly l1Hits: Float64Array;
  readonly l2Hits: Float64Array;
  readonly walks: Float64Array;
  /** Memory references of those walks. */
  readonly walkReferences: Float64Array;
}

/** Where the sets of one CPU lie in `tlb.tags`: set = first + (index & mask) × ways. */
export interface FastSets {
  readonly tags: Int32Array;
  /** First level, base pages. `ways` 0: a level that must be searched by `translate`. */
  readonly smallFirst: number;
  readonly smallMask: number;
  readonly smallWays: number;
  /** First level, huge pages. */
  readonly hugeFirst: number;
  readonly hugeMask: number;
  readonly hugeWays: number;
  /** Second level. */
  readonly secondFirst: number;
  readonly secondMask: number;
  readonly secondWays: number;
}

export interface Tlb {
  readonly spec: TlbSpec;
  readonly cpus: number;
  readonly hugeOrder: number;
  /**
   * Tags of the three levels below, in one array: the hot loop takes one column for all. Place 0 is always
   * empty: the set of levels that the hot loop cannot search itself.
   */
  readonly tags: Int32Array;
  readonly l1Small: Level;
  /** The same object as `l1Small` when the first level is shared. */
  readonly l1Huge: Level;
  readonly l2: Level;
  readonly hugeWays: number;
  readonly walkCaches: WalkCaches | undefined;
  /** Where the sets of each CPU lie, for the hot loop. */
  readonly fast: readonly FastSets[];
  readonly stats: TlbStats;
  /** Picoseconds of references that have not yet made a nanosecond, by CPU. */
  readonly remainderPs: Float64Array;
}

/** The TLBs of that many CPUs, empty. `hugeOrder` is the geometry's. */
export function makeTlb(spec: TlbSpec, cpus: number, hugeOrder = 9): Tlb {
  assert(
    spec.l2.hugeWays >= 0 && spec.l2.hugeWays <= spec.l2.ways,
    "huge pages use at most all ways of a set",
  );
  assert(spec.l2.ways <= 16, "a second level has at most 16 ways");
  const hugeBase = 1 + levelPlaces(spec.l1Small, cpus);
  const l2Base = hugeBase + (spec.l1Huge === "shared" ? 0 : levelPlaces(spec.l1Huge, cpus));
  const tags = new Int32Array(l2Base + levelPlaces(spec.l2, cpus));
  tags[NOWHERE] = EMPTY;
  const l1Small = makeLevel(spec.l1Small, cpus, tags, 1);
  const caches = spec.walkCaches;
  const fast: FastSets[] = [];
  const tlb: Tlb = {
    spec,
    cpus,
    hugeOrder,
    l1Small,
    tags,
    l1Huge: spec.l1Huge === "shared" ? l1Small : makeLevel(spec.l1Huge, cpus, tags, hugeBase),
    l2: makeLevel(spec.l2, cpus, tags, l2Base),
    hugeWays: spec.l2.hugeWays,
    walkCaches:
      caches === "none"
        ? undefined
        : {
            pde: makeLevel(caches.pde, cpus),
            pdpte: makeLevel(caches.pdpte, cpus),
            pml4e: makeLevel(caches.pml4e, cpus),
          },
    fast,
    stats: {
      references: new Float64Array(cpus),
      l1Hits: new Float64Array(cpus),
      l2Hits: new Float64Array(cpus),
      walks: new Float64Array(cpus),
      walkReferences: new Float64Array(cpus),
    },
    remainderPs: new Float64Array(cpus),
  };
  for (let cpu = 0; cpu < cpus; cpu += 1) fast.push(fastSets(tlb, cpu));
  return tlb;
}

/** The sets of one CPU. Levels that are linked, or limit huge pages, are left to `translate`. */
function fastSets(tlb: Tlb, cpu: number): FastSets {
  const { l1Small, l1Huge, l2 } = tlb;
  const small = !l1Small.linked;
  const huge = !l1Huge.linked && tlb.hugeWays === l2.ways;
  const first = (level: Level) => level.base + newestPlace(level, cpu, 0);
  return {
    tags: tlb.tags,
    smallFirst: small ? first(l1Small) : NOWHERE,
    smallMask: l1Small.setMask,
    smallWays: small ? l1Small.ways : 0,
    hugeFirst: huge ? first(l1Huge) : NOWHERE,
    hugeMask: l1Huge.setMask,
    hugeWays: huge ? l1Huge.ways : 0,
    secondFirst: first(l2),
    secondMask: l2.setMask,
    secondWays: l2.ways,
  };
}

/** Forgets one base page. Like INVLPG it also forgets all walk caches of the CPU. */
export function tlbInvalidatePage(tlb: Tlb, cpu: number, linear: number): void {
  const wanted = (linear << 1) | 1;
  dropFromLevel(tlb.l1Small, cpu, linear, wanted);
  dropFromLevel(tlb.l2, cpu, linear, wanted);
  clearWalkCaches(tlb, cpu);
}

/** Forgets one huge page. */
export function tlbInvalidateHuge(tlb: Tlb, cpu: number, row: number): void {
  const wanted = ((HUGE_KEY + row) << 1) | 1;
  dropFromLevel(tlb.l1Huge, cpu, row, wanted);
  dropFromLevel(tlb.l2, cpu, row, wanted);
  clearWalkCaches(tlb, cpu);
}

/** Forgets all entries of the rows firstRow … lastRow, of either size. */
export function tlbInvalidateRows(tlb: Tlb, cpu: number, firstRow: number, lastRow: number): void {
  const pagesPerHuge = 2 ** tlb.hugeOrder;
  const firstKey = firstRow * pagesPerHuge;
  const lastKey = lastRow * pagesPerHuge + pagesPerHuge - 1;
  dropKeys(tlb.l1Small, cpu, firstKey, lastKey);
  dropKeys(tlb.l2, cpu, firstKey, lastKey);
  dropKeys(tlb.l1Huge, cpu, HUGE_KEY + firstRow, HUGE_KEY + lastRow);
  dropKeys(tlb.l2, cpu, HUGE_KEY + firstRow, HUGE_KEY + lastRow);
  clearWalkCaches(tlb, cpu);
}

/** Forgets all entries of one address space; `mmOfTable` is the owner of each PMD table of 512 rows. */
export function tlbFlushMm(tlb: Tlb, cpu: number, mm: number, mmOfTable: Int32Array): void {
  const small = { base: 0, end: HUGE_KEY, shift: tlb.hugeOrder + 9 };
  const huge = { base: HUGE_KEY, end: NO_KEY, shift: 9 };
  dropOwned(tlb.l1Small, cpu, small, mmOfTable, mm);
  dropOwned(tlb.l2, cpu, small, mmOfTable, mm);
  dropOwned(tlb.l1Huge, cpu, huge, mmOfTable, mm);
  dropOwned(tlb.l2, cpu, huge, mmOfTable, mm);
  clearWalkCaches(tlb, cpu);
}

/** Forgets everything a CPU has cached. */
export function tlbFlushCpu(tlb: Tlb, cpu: number): void {
  clearLevel(tlb.l1Small, cpu);
  if (tlb.l1Huge !== tlb.l1Small) clearLevel(tlb.l1Huge, cpu);
  clearLevel(tlb.l2, cpu);
  clearWalkCaches(tlb, cpu);
}

function clearWalkCaches(tlb: Tlb, cpu: number): void {
  if (tlb.walkCaches === undefined) return;
  clearLevel(tlb.walkCaches.pde, cpu);
  clearLevel(tlb.walkCaches.pdpte, cpu);
  clearLevel(tlb.walkCaches.pml4e, cpu);
}

/** Sums of one statistic over all CPUs. */
export function tlbTotal(column: Float64Array): number {
  let total = 0;
  for (const value of column) total += value;
  return total;
}
