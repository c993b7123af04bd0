/**
 * Which design of NUMA balancing a kernel has, and in which of its forms: every choice that a mechanism of
 * `early`, `balancenuma`, `numacore` or `autonuma` asks for. A form that a review found wrong stays
 * selectable: it is what was posted.
 *
 * Models:       the designs of 2012: AutoNUMA (alpha14 to 28), numacore (numa/core, October and November),
 *               balancenuma (Linux 3.8 with the three answers of January 2013), beside what mainline has now.
 * Not modelled: home nodes per process (the first sched/numa of spring 2012), schednuma before October 2012.
 */

/** No balancing: pages stay where they were first touched. */
export interface NoBalancing {
  readonly policy: "none";
}

/** Mainline since 3.13: task work scans, cpupids filter, tasks are placed by their faults. */
export interface Mainline {
  readonly policy: "mainline";
}

/** Linux 3.8: the basic foundation that was merged. */
export interface Balancenuma {
  readonly policy: "balancenuma";
  /**
   * migrate_misplaced_transhuge_page() and references that it does not expect, in five historical forms.
   * F0: no look at page_count. F1: refuses, and leaves the page isolated. F2: puts it back, but not its
   * count in NR_ISOLATED. F3: one exit that restores the count; a PMD that changed still passes for success.
   * F4: the look stands in the isolation, which keeps the caller's reference where it fails.
   */
  readonly hugeCount: "F0" | "F1" | "F2" | "F3" | "F4";
  /**
   * The scanner's look at a huge PMD's map count: of the page, or as 3.8 has it, of what the PMD says after
   * it has been cleared, so that no huge page is ever marked.
   */
  readonly hugeMark: "as-intended" | "as-written";
}

/** numa/core: whole areas lose their protection; the faulting task migrates, at once and without limit. */
export interface Numacore {
  readonly policy: "numacore";
  /** What a huge page's hint leads to: only its restoring, a split, or the move of the whole page. */
  readonly huge: "restore" | "split" | "native";
  /**
   * The caller of the huge hint's handler goes on with the PMD that it read before (a write then allocates
   * and copies a huge page in vain), or starts the fault again.
   */
  readonly afterHuge: "old-pmd" | "retry";
  /** What must come twice: a node, or a CPU, which also tells private from shared pages. */
  readonly filter: "last-nid" | "last-cpu";
  /** One pass: the whole address space, or a window of it. */
  readonly pass: "whole" | "window";
  /**
   * Where a task runs: at home, on the node of most faults; or, told private or shared, on an ideal CPU:
   * then shared tasks gather by process, and their memory is spread over the nodes that have them.
   */
  readonly tasks: "home" | "classed";
}

/** AutoNUMA: a kernel thread scans every address space, others migrate what faults queue for them. */
export interface Autonuma {
  readonly policy: "autonuma";
  /** Queues and knuma_migratedN (to 24), or the faulting task itself with a rate limit (27, 28). */
  readonly migrate: "queues" | "on-fault";
  /** A page that is queued and used from elsewhere: out of the queue, or only if it waits for that node. */
  readonly cancel: "if-queued" | "if-for-another";
  /** An enqueue is decided before the page's compound lock is taken, or looked at again under it. */
  readonly enqueue: "before-lock" | "under-lock";
  /** The tail of a split page joins the queue before its migrate_nid says so, or with it. */
  readonly tail: "queued-first" | "together";
  /** The migrator's own reference is dropped before the page is isolated (alpha), or after. */
  readonly reference: "before-isolation" | "after-isolation";
  /** A page that a split found freed: forgotten with its reference and its queue, or let go properly. */
  readonly splitFreed: "forgotten" | "let-go";
  /** pages_migrated counts pages that were isolated for it, or those that moved. */
  readonly counted: "isolated" | "moved";
  /** An address space joins the scanner's list at fork, under the global mutex, or when first scanned. */
  readonly listed: "fork" | "scanner";
  /** Whoever unlinks an exiting address space leaves a mark for its exit, or does not. */
  readonly unlink: "marked" | "unmarked";
  /** A scanner that is stopped takes the address space it is at off its list: any, or only one that exits. */
  readonly stopped: "unlinks-any" | "unlinks-exiting";
  /**
   * Between two passes: the pause twice, with the migrators' turn in between; in two halves; or at once, and
   * batches of the LRU are emptied after it.
   */
  readonly pause: "twice" | "halves" | "once";
  /**
   * A page that was used from another node before: it stays; or its user moves no page until the first fault
   * of the next pass is over (28).
   */
  readonly falseSharing: "stops-page" | "stops-task";
  /** Hint faults of a task with a memory policy of its own: as any others, or left alone (24 and later). */
  readonly taskPolicy: "ignored" | "left-alone";
  /** The address space's statistics count what its pass found resident, or what its tasks faulted on. */
  readonly statistics: "resident" | "faults";
}

export type NumaDesign = NoBalancing | Mainline | Balancenuma | Numacore | Autonuma;
