/**
 * Behaviours: the closed set of choices in which kernels differ. A mechanism asks for a behaviour, never for
 * a version; a generation (`generations/`) is a value of this type with its knobs. Each field says who reads
 * it and where the alternatives come from (kernel, function, version).
 */
import type { NumaDesign } from "./numa/design.ts";
import type { Tunables } from "./tunables.ts";

export interface Behaviours {
  /**
   * Write fault on the huge zero page. mm/huge_memory.c do_huge_pmd_wp_page(): 5.8–6.12 split, else a new
   * huge page.
   */
  readonly writeToHugeZero: "split-then-4k" | "allocate-huge";
  /**
   * How mmap places anonymous memory. mm/mmap.c: < 6.7 page; 6.7–6.12 length ≥ 2 MiB; 6.13+ length a multiple
   * of it.
   */
  readonly mmapAlignment: "page" | "huge-if-large" | "huge-if-multiple";
  /** MAP_STACK sets VM_NOHUGEPAGE (6.7+). */
  readonly stackNoHuge: boolean;
  /** khugepaged and MADV_COLLAPSE want a writable PTE in the region (dropped in 6.18). */
  readonly collapseNeedsWritable: boolean;
  /** MADV_DONTNEED of a whole region frees its PTE table (CONFIG_PT_RECLAIM, 6.14+). */
  readonly dontneedFreesTable: boolean;
  /** mprotect to writable upgrades a huge PMD at once (6.2+), else the next write faults once. */
  readonly protectUpgradesHuge: boolean;
  /**
   * Which unmapping of a huge page's part queues it for deferred split. rmap: ≤ 6.1 any subpage lost by its
   * last PTE.
   */
  readonly deferredSplit: "any-subpage" | "partially-mapped";
  /** Every anonymous huge page is on the deferred queue from birth, for the underused scan (6.12+). */
  readonly underusedShrinker: boolean;
  /** Entries of a per-CPU LRU add batch: 15 to 6.1, 31 later. */
  readonly lruBatch: number;
  /** `pgfault` counts at entry, or only for faults that complete (6.4+: a retry is not counted twice). */
  readonly pgfaultAt: "entry" | "completion";
  /** MADV_COLLAPSE exists (6.1+). */
  readonly madviseCollapse: boolean;
  /**
   * After its first collapse MADV_COLLAPSE goes on to the area's end (6.1), or stays within what was asked.
   */
  readonly collapseRange: "to-area-end" | "as-asked";
  /**
   * A page shared through fork: khugepaged copies up to max_ptes_shared (5.8+), by page or by folio (6.18).
   */
  readonly collapseShared: "refuse" | "by-page" | "by-folio";
  /**
   * 4 KiB write fault on a page of a PTE-mapped huge page after fork: reuse needs a folio with few references
   * (6.1), or is exact (6.15+).
   */
  readonly reuseOfPartOfHuge: "refcount" | "exact";
  /** smaps leaves out a huge page that may not be accessed now (6.1): PROT_NONE, or a NUMA hint mark. */
  readonly smapsSkipsHiddenHuge: boolean;
  /** Areas without anon_vma merge with faulted neighbours (6.16+). mm/vma.c is_mergeable_anon_vma(). */
  readonly mergeUnfaulted: boolean;
  /** What this kernel does where later ones have a knob that it lacks. */
  readonly fixed?: Readonly<Partial<Tunables>>;
  /** Automatic NUMA balancing: which design, in which of its forms. */
  readonly numaDesign: NumaDesign;
}
