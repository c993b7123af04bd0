/**
 * Behaviours: the closed set of choices in which kernels differ. A mechanism asks for a behaviour, never for
 * a version; a generation (`generations/`) is a value of this type with its knobs. Each field says who reads
 * it and where the alternatives come from (kernel, function, version).
 */

import type { NumaDesign } from "./numa/design.ts";
import type { NumaRules } from "./numa/rules.ts";
import type { Tunables } from "./tunables.ts";

export interface Behaviours {
  /**
   * Write fault on the huge zero page. mm/huge_memory.c do_huge_pmd_wp_page(): 5.8–6.12 split, else a new
   * huge page.
   */
  readonly writeToHugeZero: "split-then-4k" | "allocate-huge";
  /**
   * Write fault on a huge page shared through fork. mm/huge_memory.c do_huge_pmd_wp_page(): before 5.8 a huge
   * page of one's own (or 512 base pages), since then the PMD is split and one base page copied.
   */
  readonly writeToSharedHuge: "split-then-4k" | "copy-huge";
  /** Whether a faulting process's huge page may come from another node: never before 5.4. */
  readonly hugeFaultNodes: "local" | "local-then-any";
  /**
   * What lets a write after fork keep its page: nobody else maps it (before 5.19), or it is marked as this
   * process's own or has no other reference. mm/memory.c do_wp_page(), mm/swapfile.c reuse_swap_page().
   */
  readonly reuseTest: "map-count" | "exclusive";
  /** New anonymous pages start on the active list (before 5.9). */
  readonly newPagesActive: boolean;
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
   * Which split of a huge PMD leaves entries that are dirty if it was: none before 6.1; one of the page,
   * whose migration entries remember it, from 6.1 on; each from 6.3 on.
   */
  readonly splitKeepsDirty: "never" | "page" | "always";
  /**
   * Which unmapping of a huge page's part queues it for deferred split. rmap: ≤ 6.1 any subpage lost by its
   * last PTE;
   * before 5.5 also when its last PMD mapping goes.
   */
  readonly deferredSplit: "any-unmap" | "any-subpage" | "partially-mapped";
  /** Every anonymous huge page is on the deferred queue from birth, for the underused scan (6.12+). */
  readonly underusedShrinker: boolean;
  /** Entries of a per-CPU LRU add batch: 15 to 6.1, 31 later. */
  readonly lruBatch: number;
  /** `pgfault` counts at entry, or only for faults that complete (6.4+: a retry is not counted twice). */
  readonly pgfaultAt: "entry" | "completion";
  /**
   * What a fault maps of a huge page in the swap cache: its first page alone, and copies of the others,
   * because a tail's own index is never set (ksm_might_need_to_copy(), before 6.8), or its pages, all in one
   * fault where they can be (6.10+).
   */
  readonly hugeInSwapCache: "copy-tails" | "map";
  /** Pages of nothing but zeros are not written to swap, only noted there (6.12+). */
  readonly swapNotesZeros: boolean;
  /** A read fault on what is in swap and this process's alone maps it for writing (6.11+). */
  readonly swapInWritable: boolean;
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
  /** Pages that belong to a huge page already: khugepaged copies them (5.8+), or leaves the region alone. */
  readonly collapseCompound: "refuse" | "copy";
  /**
   * Young pages that khugepaged wants in a region: one (half of them if some are swapped out, 5.8+), or half
   * of them always, which is found out after the huge page was allocated. __collapse_huge_page_swapin().
   */
  readonly collapseReferenced: "one" | "half";
  /** The node of several with equally many pages: the lowest, or the next one in turn (before 6.1). */
  readonly collapseNode: "lowest" | "rotate";
  /** thp_scan_exceed_*_pte exist (5.17+). */
  readonly scanExceedCounters: boolean;
  /** khugepaged drains all LRU batches before a pass (5.8+); else their pages look as if on no list. */
  readonly khugepagedDrains: boolean;
  /** What per-CPU lists keep: orders 0–3 and 9 (5.13+), or base pages alone. */
  readonly perCpuLists: "orders-0-3-and-9" | "order-0";
  /** The allocator keeps migratetypes apart and boosts watermarks where it cannot (5.0+). */
  readonly avoidsFragmentation: boolean;
  /** Largest vm.min_free_kbytes that the kernel computes from memory: 65536 before 5.12. */
  readonly minFreeKbMax: number;
  /** Calls of direct compaction that count as compact_stall, by the best that came of any zone. */
  readonly compactStall: "not-skipped" | "every" | "neither-skipped-nor-deferred";
  /** After which first attempt at compaction a request that may not retry gives up. */
  readonly noRetryAfter: "skipped-or-deferred" | "deferred";
  /**
   * vm.overcommit_memory 0: refuse what exceeds all memory and swap (5.1+), or what exceeds memory that is
   * free now. mm/util.c __vm_enough_memory().
   */
  readonly overcommitGuess: "total" | "free-now";
  /**
   * 4 KiB write fault on a page of a PTE-mapped huge page after fork: reuse needs a folio with few references
   * (6.1), does not happen (6.12), or is exact (6.15+).
   */
  readonly reuseOfPartOfHuge: "refcount" | "never" | "exact";
  /**
   * smaps leaves out a huge page that may not be accessed now (6.1): PROT_NONE, or a NUMA hint mark. So does
   * the splitter of debugfs.
   */
  readonly smapsSkipsHiddenHuge: boolean;
  /**
   * A huge page that is split gives back the base pages that hold nothing but zeros (6.12+). mm/migrate.c
   * try_to_map_unused_to_zeropage().
   */
  readonly splitFreesZeros: boolean;
  /**
   * MADV_FREE, MADV_COLD and MADV_PAGEOUT on PTEs of a huge page: split it (6.1), or take it whole if the
   * range maps all of it (6.10+). mm/madvise.c madvise_folio_pte_batch().
   */
  readonly adviceOnPtes: "by-page" | "by-folio";
  /**
   * Which base page's map count MADV_FREE looks at before it splits a huge page for one of its PTEs
   * ("by-page" above): that PTE's own, or the first of all (Debian's 6.1.192: folio_estimated_sharers()).
   */
  readonly freeTests: "own-page" | "first-page";
  /** prctl(PR_SET_THP_DISABLE) takes PR_THP_DISABLE_EXCEPT_ADVISED (6.18+). */
  readonly thpDisableExceptAdvised: boolean;
  /**
   * mprotect to writable upgrades a dirty private PTE at once (5.14+); mm/mprotect.c change_pte_range().
   */
  readonly protectUpgrades: boolean;
  /**
   * mprotect counts the huge PMDs that it changes in numa_huge_pte_updates, as the scanner does (3.13+);
   * mm/mprotect.c change_pmd_range().
   */
  readonly protectCountsHuge: boolean;
  /** Mainline's NUMA balancing: see there. */
  readonly numaRules: NumaRules;
  /** Areas without anon_vma merge with faulted neighbours (6.16+). mm/vma.c is_mergeable_anon_vma(). */
  readonly mergeUnfaulted: boolean;
  /** What this kernel does where later ones have a knob that it lacks. */
  readonly fixed?: Readonly<Partial<Tunables>>;
  /** Automatic NUMA balancing: which design, in which of its forms. */
  readonly numaDesign: NumaDesign;
  /**
   * Reservations of huge pages: none, as posted in November 2018 (areas have containers, a shrinker), or as
   * its review wanted them (address spaces have them, dropped under pressure, promoted at the fault).
   */
  readonly reservations: "none" | "posted" | "reviewed";
}
