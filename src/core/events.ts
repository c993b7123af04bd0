/**
 * Events, not log calls. The kernel emits typed events; metrics, timelines, the web page and tests listen to
 * one stream. An event is a code and four numbers, so that recording one allocates nothing; with no listener
 * it costs a branch.
 */

/** Event codes; the comment names the four numbers a, b, c, d. */
export const EVENT = {
  /** A fault was handled: mm, vpn, fault kind (`FAULT_KINDS` index), latency ns. */
  fault: 0,
  /** A huge page came from a fault: mm, vpn, head pfn. */
  hugeFault: 1,
  /** khugepaged or MADV_COLLAPSE made a huge page: mm, vpn, head pfn, pages copied. */
  collapse: 2,
  /** A huge PMD became a table: mm, vpn, head pfn (-1: the huge zero page). */
  splitPmd: 3,
  /** A huge page became base pages: head pfn. */
  splitPage: 4,
  /** A TLB flush round: mm, pages, CPUs interrupted, cause (`FLUSH_CAUSES` index). */
  shootdown: 5,
  /** khugepaged looked at a region and left it: mm, vpn, reason (`SCAN_RESULTS` index). */
  scanRefused: 6,
  /** khugepaged finished a pass: regions looked at, collapsed, time ns. */
  scanPass: 7,
  /** Direct compaction ran: node, order, 1 if a block came of it, time ns. */
  compaction: 8,
  /** Reclaim ran: node, pages scanned, pages freed, time ns. */
  reclaim: 9,
  /** fork: parent mm, child mm, time ns. */
  fork: 10,
  /** exit: mm. */
  exit: 11,
  /** Nothing could be allocated: mm, order. */
  oom: 12,
  /** A page was copied after fork: mm, vpn. */
  cowCopy: 13,
  /** A page moved to another node: vpn, from node, to node, order. */
  migrate: 14,
  /** A block was reserved for a region: mm, vpn, head pfn. */
  reserve: 15,
  /** A reservation was released: mm, vpn, pages that were unused, cause (`RELEASE_CAUSES` index). */
  release: 16,
  /** A reservation became a huge page in place: mm, vpn, head pfn, pages that were unused. */
  promote: 17,
  /** A hint fault's page did not move: from node, to node, order, reason (`MOVE_FAILURES` index). */
  migrateFailed: 18,
  /** For how long others could not use a hint fault's page: order, 1 if it moved, time ns. */
  moveWindow: 19,
  /** A fault waited for a page on its way: head pfn, time ns. */
  moveWait: 20,
  /** A hint fault: mm, order, 1 if the page is on the CPU's node, time ns. */
  hintFault: 21,
  /** NUMA balancing's scanner made a pass: mm, pages looked at, entries marked (in pages), time ns. */
  numaScan: 22,
} as const;

export type EventCode = (typeof EVENT)[keyof typeof EVENT];

export const FAULT_KINDS = [
  "anon-4k",
  "anon-huge",
  "zero-4k",
  "zero-huge",
  "cow-copy",
  "cow-reuse",
  "cow-huge",
  "swap-in",
  "file",
  "hint-4k",
  "hint-huge",
  "spurious",
  "failed",
] as const;
export type FaultKind = (typeof FAULT_KINDS)[number];

/** Why a reservation was released. */
export const RELEASE_CAUSES = [
  "zap",
  "cow",
  "split",
  "merge",
  "remap",
  "swap",
  "migrate",
  "pressure",
  "collapse",
] as const;
export type ReleaseCause = (typeof RELEASE_CAUSES)[number];
export const MOVE_FAILURES = [
  /** Mapped more than once, or lazily freed and dirty: it may not move. */
  "refused",
  /** The node has too little free memory. */
  "no-room",
  /** On no list: in a CPU's batch, or isolated by somebody else. */
  "not-isolated",
  /** The allocator had no block of its size. */
  "no-memory",
  /** Somebody else refers to it: a pin, another fault. */
  "busy",
] as const;
export type MoveFailure = (typeof MOVE_FAILURES)[number];

export const FLUSH_CAUSES = [
  "unmap",
  "protect",
  "split",
  "collapse",
  "remap",
  "fork",
  "cow",
  "advise",
  "reclaim",
  "scan",
  "migrate",
  "exit",
] as const;
export type FlushCause = (typeof FLUSH_CAUSES)[number];

/** Listens to the kernel's events. `tNs` is simulated time, `cpu` the CPU on which it happened. */
export type KernelListener = (
  code: EventCode,
  tNs: number,
  cpu: number,
  a: number,
  b: number,
  c: number,
  d: number,
) => void;
