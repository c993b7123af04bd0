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
  type Level,
  type LevelSpec,
  makeLevel,
  makeLevels,
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

/** What is counted, one column each, by CPU. */
export interface TlbStats {
  readonly references: Float64Array;
  readonly l1Hits: Float64Array;
  readonly l2Hits: Float64Array;
  readonly walks: Float64Array;
  /** Memory references of those walks. */
  readonly walkReferences: Float64Array;
}

/** The caches of one CPU. */
export interface CpuTlb {
  readonly hugeOrder: number;
  readonly l1Small: Level;
  /** The same object as `l1Small` when the first level is shared. */
  readonly l1Huge: Level;
  readonly l2: Level;
  /** Most huge pages in a set of the second level. */
  readonly hugeWays: number;
  readonly walkCaches: WalkCaches | undefined;
  /** First levels of four ways, a second one whose sets are shifted: what the hottest loop knows. */
  readonly flat: boolean;
}

export interface Tlb {
  readonly spec: TlbSpec;
  readonly hugeOrder: number;
  /** The caches of each CPU. */
  readonly of: readonly CpuTlb[];
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
  return {
    spec,
    hugeOrder,
    of: Array.from({ length: cpus }, () => makeCpuTlb(spec, hugeOrder)),
    stats: {
      references: new Float64Array(cpus),
      l1Hits: new Float64Array(cpus),
      l2Hits: new Float64Array(cpus),
      walks: new Float64Array(cpus),
      walkReferences: new Float64Array(cpus),
    },
    remainderPs: new Float64Array(cpus),
  };
}

/** All three in one column: the hottest loop then has one to look at. */
function makeTlbLevels({ l1Small, l1Huge, l2 }: TlbSpec): readonly Level[] {
  if (l1Huge !== "shared") return makeLevels([l1Small, l1Huge, l2]);
  const [first, second] = makeLevels([l1Small, l2]);
  return [first!, first!, second!];
}

function makeCpuTlb(spec: TlbSpec, hugeOrder: number): CpuTlb {
  const [l1Small, l1Huge, l2] = makeTlbLevels(spec) as [Level, Level, Level];
  const caches = spec.walkCaches;
  return {
    hugeOrder,
    flat: l1Small.ways === 4 && l1Huge.ways === 4 && !l2.slides,
    l1Small,
    l1Huge,
    l2,
    hugeWays: spec.l2.hugeWays,
    walkCaches:
      caches === "none"
        ? undefined
        : {
            pde: makeLevel(caches.pde),
            pdpte: makeLevel(caches.pdpte),
            pml4e: makeLevel(caches.pml4e),
          },
  };
}

/** Forgets one base page. Like INVLPG it also forgets all walk caches of the CPU. */
export function tlbInvalidatePage(tlb: Tlb, cpu: number, linear: number): void {
  const t = tlb.of[cpu]!;
  const wanted = (linear << 1) | 1;
  dropFromLevel(t.l1Small, linear, wanted);
  dropFromLevel(t.l2, linear, wanted);
  clearWalkCaches(t);
}

/** Forgets one huge page. */
export function tlbInvalidateHuge(tlb: Tlb, cpu: number, row: number): void {
  const t = tlb.of[cpu]!;
  const wanted = ((HUGE_KEY + row) << 1) | 1;
  dropFromLevel(t.l1Huge, row, wanted);
  dropFromLevel(t.l2, row, wanted);
  clearWalkCaches(t);
}

/** Forgets all entries of the rows firstRow … lastRow, of either size. */
export function tlbInvalidateRows(tlb: Tlb, cpu: number, firstRow: number, lastRow: number): void {
  const t = tlb.of[cpu]!;
  const pagesPerHuge = 2 ** tlb.hugeOrder;
  const firstKey = firstRow * pagesPerHuge;
  const lastKey = lastRow * pagesPerHuge + pagesPerHuge - 1;
  dropKeys(t.l1Small, firstKey, lastKey);
  dropKeys(t.l2, firstKey, lastKey);
  dropKeys(t.l1Huge, HUGE_KEY + firstRow, HUGE_KEY + lastRow);
  dropKeys(t.l2, HUGE_KEY + firstRow, HUGE_KEY + lastRow);
  clearWalkCaches(t);
}

/** Forgets all entries of one address space; `mmOfTable` is the owner of each PMD table of 512 rows. */
export function tlbFlushMm(tlb: Tlb, cpu: number, mm: number, mmOfTable: Int32Array): void {
  const t = tlb.of[cpu]!;
  const small = { base: 0, end: HUGE_KEY, shift: tlb.hugeOrder + 9 };
  const huge = { base: HUGE_KEY, end: NO_KEY, shift: 9 };
  dropOwned(t.l1Small, small, mmOfTable, mm);
  dropOwned(t.l2, small, mmOfTable, mm);
  dropOwned(t.l1Huge, huge, mmOfTable, mm);
  dropOwned(t.l2, huge, mmOfTable, mm);
  clearWalkCaches(t);
}

/** Forgets everything a CPU has cached. */
export function tlbFlushCpu(tlb: Tlb, cpu: number): void {
  const t = tlb.of[cpu]!;
  clearLevel(t.l1Small);
  if (t.l1Huge !== t.l1Small) clearLevel(t.l1Huge);
  clearLevel(t.l2);
  clearWalkCaches(t);
}

function clearWalkCaches(t: CpuTlb): void {
  const { walkCaches } = t;
  if (walkCaches === undefined) return;
  clearLevel(walkCaches.pde);
  clearLevel(walkCaches.pdpte);
  clearLevel(walkCaches.pml4e);
}

/** Sums of one statistic over all CPUs. */
export function tlbTotal(column: Float64Array): number {
  let total = 0;
  for (const value of column) total += value;
  return total;
}
