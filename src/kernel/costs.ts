/**
 * What things cost, in ns, on one hardware. The kernel charges them; `hardware/` gives the figures with their
 * sources.
 */
export interface Costs {
  /** Entry, VMA look-up, accounting and return of a fault, without zeroing or copying. */
  readonly faultNs: number;
  /** Zeroing one base page. */
  readonly zeroPageNs: number;
  /** Zeroing one huge page. */
  readonly zeroHugeNs: number;
  /** Copying one base page, same node. */
  readonly copyPageNs: number;
  /** Copying one huge page, same node. */
  readonly copyHugeNs: number;
  /** A system call's round trip. */
  readonly syscallNs: number;
  /** Taking a base page from a per-CPU list. */
  readonly allocPageNs: number;
  /** Taking a huge page, without zeroing. */
  readonly allocHugeNs: number;
  /** Unmapping and freeing one base page. */
  readonly zapPageNs: number;
  /** Unmapping and freeing one huge page. */
  readonly zapHugeNs: number;
  /** Changing one PTE (protect, advise). */
  readonly changePteNs: number;
  /** Turning one huge PMD into a table. */
  readonly splitPmdNs: number;
  /** Splitting a huge page into base pages. */
  readonly splitPageNs: number;
  /** Copying one PTE at fork. */
  readonly forkPteNs: number;
  /** Copying one huge PMD at fork. */
  readonly forkPmdNs: number;
  /** fork and exit, fixed part. */
  readonly forkNs: number;
  /** Fixed part of a collapse under the write lock. */
  readonly collapseNs: number;
  /** Looking at one PTE in khugepaged's scan. */
  readonly scanPteNs: number;
  /** Looking at one page in compaction. */
  readonly compactScanNs: number;
  /** Migrating one base page, without the copy. */
  readonly migratePageNs: number;
  /** Looking at one page in reclaim. */
  readonly reclaimPageNs: number;
  /** Writing or reading one base page to or from swap. */
  readonly swapPageNs: number;
  /** Local TLB flush: one entry, all. */
  readonly flushOneNs: number;
  readonly flushAllNs: number;
  /** An interrupt round, for its sender: fixed part and for each CPU, same and other node. */
  readonly interruptNs: number;
  readonly interruptLocalCpuNs: number;
  readonly interruptRemoteCpuNs: number;
  /** The same round, for each CPU interrupted. */
  readonly interruptedNs: number;
  /** A cache line that another CPU has just written: what a list under a shared lock costs. */
  readonly contendedLineNs: number;
  /** Waking a daemon until it runs. */
  readonly wakeNs: number;
  /** One reference whose translation is in the first-level TLB, in picoseconds. */
  readonly referencePs: number;
  /** Extra for a second-level TLB hit, in picoseconds. */
  readonly secondLevelPs: number;
  /** One memory reference of a page walk, in picoseconds. */
  readonly walkReferencePs: number;
  /** A line from memory, alone: of the own node, and of one at distance 20, in picoseconds. */
  readonly lineLatencyPs: number;
  readonly remoteLatencyPs: number;
  /** A line of a prefetched stream, the same, in picoseconds. */
  readonly lineStreamPs: number;
  readonly remoteStreamPs: number;
  /** A line, for the memory of a node: whoever asks next waits that long, in picoseconds. */
  readonly nodeLinePs: number;
  /** Turns that the node's own CPUs have at it for one turn of each link; 0: all come in order of arrival. */
  readonly nearTurns: number;
  /** The same for the link of two nodes in one direction, and for the way between boards. */
  readonly linkLinePs: number;
  readonly boardLinePs: number;
  /** Nodes of a board; those of a machine that has one board, or more. */
  readonly boardNodes: number;
  /** Taking a task over to another CPU of the node; to another node in proportion to the distance. */
  readonly moveTaskNs: number;
}
