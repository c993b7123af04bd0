/**
 * The rules of mainline's NUMA balancing in which kernels differ, as choices. A mechanism asks for a rule,
 * never for a version; a generation declares all of them.
 *
 * Models:       mm/memory.c do_numa_page(), mm/huge_memory.c do_huge_pmd_numa_page(), mm/migrate.c,
 *               mm/mprotect.c change_pte_range(), kernel/sched/fair.c task_numa_work(), v5.12 to v6.18.
 * Not modelled: kernels between 3.9 and 5.11; what memory tiers added.
 */
export interface NumaRules {
  /**
   * A base page's entry becomes accessible before its page moves, so that unmapping must flush (to 5.12); or
   * only once the page has not moved (5.13+).
   */
  readonly restorePte: "before-moving" | "after-failing";
  /**
   * The same of a huge page that goes the way of every page: its PMD becomes accessible before it moves, as
   * the rework of 2021 was first posted, or only once it has not moved (5.14+).
   */
  readonly restoreHuge: "before-moving" | "after-failing";
  /**
   * A misplaced huge page is copied by a routine of its own, under its page lock, its PMD a hint all the time
   * (to 5.13); or goes the way of every page that migrates (5.14+).
   */
  readonly moveHuge: "copied-in-place" | "generic";
  /**
   * A huge page's hint fault first carries out what somebody else has changed and not flushed yet: when it is
   * about to copy (to 5.13), always (5.14), or never, since unmapping flushes (6.1).
   */
  readonly flushPending: "before-copy" | "always" | "never";
  /** A failed migration is told to the statistics even if it left the entry changed (to 6.1.106). */
  readonly accountChanged: boolean;
  /** A local fault leaves its user's mark on the page as well (to 5.14); mm/mempolicy.c mpol_misplaced(). */
  readonly localFaultMarks: boolean;
  /**
   * Which page of a private area is shared and left unmarked: one with more mappings (to 5.14), with any
   * other reference (6.1), or one that is pinned or that several processes map (6.12).
   */
  readonly sharedTest: "mappings" | "references" | "pins-and-processes";
  /** Marking a huge page flushes at once (to 5.14), or with its chunk. */
  readonly flushEachHuge: boolean;
  /** A huge page that could not move: its pages in pgmigrate_fail (and 1 in thp_migration_fail), or 1. */
  readonly failedHuge: "pages" | "one";
  /** A huge page for which there was no memory counts in thp_migration_fail (6.1+). */
  readonly countsNoMemory: boolean;
  /** The page is taken off its list before the page-table lock is dropped (6.12+), or after. */
  readonly isolateUnderLock: boolean;
  /** A huge page that several PMDs map stays (to 6.11). */
  readonly refuseSharedHuge: boolean;
  /** A hint on a page of a huge page that PTEs map is a fault like any other (6.8+), or only restored. */
  readonly hintsOnParts: boolean;
  /** A hint entry remembers that it was writable (to 6.1), or what may be written is found anew (6.2+). */
  readonly savedWrite: boolean;
  /** An area is scanned only for those who used it lately: kernel/sched/fair.c vma_is_accessed() (6.4+). */
  readonly areaFilter: boolean;
  /** kernel.numa_balancing has a tiering bit, without which fast memory is not scanned (5.18+). */
  readonly tieringMode: boolean;
  /** A task never prefers a node without CPUs: kernel/sched/fair.c task_numa_placement() (5.18+). */
  readonly preferNodeWithCpu: boolean;
}

export const NUMA_RULES_6_1: NumaRules = {
  restorePte: "after-failing",
  restoreHuge: "after-failing",
  moveHuge: "generic",
  flushPending: "never",
  accountChanged: false,
  localFaultMarks: false,
  sharedTest: "references",
  flushEachHuge: false,
  failedHuge: "pages",
  countsNoMemory: true,
  isolateUnderLock: false,
  refuseSharedHuge: true,
  hintsOnParts: false,
  savedWrite: true,
  areaFilter: false,
  tieringMode: true,
  preferNodeWithCpu: true,
};
