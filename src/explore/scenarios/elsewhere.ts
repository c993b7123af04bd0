/** Entries of the review catalogue that this model does not express, each with the reason. */
import type { Elsewhere } from "../scenario.ts";

function elsewhere(entry: string, name: string, claim: string, why: string): Elsewhere {
  return { kind: "elsewhere", name, entries: [entry], claim, why };
}

const NO_RESERVATIONS = "reservations of huge pages have no scenario yet";

export const ELSEWHERE: readonly Elsewhere[] = [
  elsewhere(
    "A02",
    "lost-hint-information",
    "a thread that uses a page while it is being moved is still seen",
    "needs the first posted form of the 2021 refactor, which no generation here has",
  ),
  elsewhere(
    "A03",
    "writer-in-the-window",
    "a write between restoring and unmapping is flushed and kept",
    "needs the same form as A02",
  ),
  elsewhere(
    "A15",
    "locked-executable-page",
    "a shared executable huge page is unlocked after a refusal",
    "files' pages are counted, not modelled",
  ),
  elsewhere(
    "A19",
    "architecture-without-thp-migration",
    "where huge pages cannot migrate, none is marked",
    "the model is of x86-64, which can",
  ),
  elsewhere("B01", "threshold-one-is-neutral", "a threshold of 1 gives today's counters", NO_RESERVATIONS),
  elsewhere(
    "B02",
    "fault-that-reaches-the-threshold",
    "the fault that reaches the threshold promotes, or khugepaged does at its next visit",
    NO_RESERVATIONS,
  ),
  elsewhere("B03", "zero-page-fault-reserves", "a read fault reserves nothing", NO_RESERVATIONS),
  elsewhere(
    "B04",
    "parent-writes-after-fork",
    "a parent's write after fork keeps its reservation",
    NO_RESERVATIONS,
  ),
  elsewhere(
    "B05",
    "child-uses-the-parents-reservation",
    "no reservation is mapped writable by two processes",
    NO_RESERVATIONS,
  ),
  elsewhere(
    "B06",
    "read-only-remap",
    "pages that fork left read-only do not keep a region small for ever",
    NO_RESERVATIONS,
  ),
  elsewhere("B07", "reserved-counter-drift", "nr_thp_reserved is the sum of unused pages", NO_RESERVATIONS),
  elsewhere("B08", "freed-table-live-pointer", "nobody looks into a table that was freed", NO_RESERVATIONS),
  elsewhere(
    "B09",
    "shrinker-against-exit",
    "the shrinker drops its spinlock before its reference on the process",
    NO_RESERVATIONS,
  ),
  elsewhere(
    "B10",
    "allocation-under-the-table-lock",
    "a reservation is allocated without a spinlock held",
    NO_RESERVATIONS,
  ),
  elsewhere(
    "B11",
    "wrong-node-shrunk",
    "pressure on a node takes reservations of that node",
    NO_RESERVATIONS,
  ),
  elsewhere(
    "B12",
    "dump-all-against-shrinker",
    "dropping all reservations reclaims no more page cache than a shrinker",
    NO_RESERVATIONS,
  ),
  elsewhere("B13", "split-by-hand", "512 base pages are made by the split primitive", NO_RESERVATIONS),
  elsewhere(
    "B14",
    "count-of-a-reserved-page",
    "a page of the block may have one reference more, others not",
    NO_RESERVATIONS,
  ),
  elsewhere("B15", "all-zero-region", "a region of zero pages is not promoted", NO_RESERVATIONS),
  elsewhere(
    "B16",
    "area-split-inside-a-reservation",
    "a straddling reservation is freed, others stay on their side",
    NO_RESERVATIONS,
  ),
  elsewhere(
    "B17",
    "merge-with-an-area-without-table",
    "a merge keeps or frees every reservation, and the counter",
    NO_RESERVATIONS,
  ),
  elsewhere(
    "B18",
    "mremap-of-reservations",
    "a reservation's address stays a multiple of a huge page",
    NO_RESERVATIONS,
  ),
  elsewhere("B19", "two-tables-locked", "the locks of two tables are taken in one order", NO_RESERVATIONS),
  elsewhere("B20", "swap-out-of-a-reserved-page", "swap-out releases the reservation first", NO_RESERVATIONS),
  elsewhere(
    "B21",
    "conversion-against-pins",
    "a pinned page's count is not reset by the conversion",
    NO_RESERVATIONS,
  ),
  elsewhere("B22", "two-threads-reserve", "of two first faults one reserves", NO_RESERVATIONS),
  elsewhere(
    "B23",
    "per-area-ownership",
    "bookkeeping by area loses reservations that bookkeeping by process keeps",
    NO_RESERVATIONS,
  ),
  elsewhere("B24", "put-without-a-table", "putting no table is harmless", NO_RESERVATIONS),
  elsewhere(
    "B25",
    "seventeen-against-118",
    "one touched page in each 2 MiB: 118 children fit with reservations, 17 without",
    NO_RESERVATIONS,
  ),
  elsewhere(
    "C09",
    "expected-count-of-two-or-three",
    "the count is two after the caller's put and three before it",
    "it is a planted fault: swapped constants are among the mutations of test/explore-mutations.test.ts",
  ),
  elsewhere(
    "D02",
    "write-notified-shared-file",
    "a write-notified entry of a shared file is not taken for a hint",
    "files' pages are counted, not modelled",
  ),
  elsewhere(
    "D04",
    "split-after-the-handler",
    "who goes on with a huge PMD that was split looks again",
    "numa/core's caller that goes on is modelled by what it costs (D03); it acts on no page table",
  ),
  elsewhere(
    "D05",
    "splitting-pmd-falls-through",
    "no PTE walk on a PMD that is still huge",
    "a split is one step under the page-table lock here: nobody sees a PMD that is splitting",
  ),
  elsewhere(
    "D11",
    "hugetlb-area",
    "the marker leaves hugetlb areas to their own routine",
    "hugetlbfs is not modelled",
  ),
  elsewhere(
    "E15",
    "scanner-stopped-with-a-live-mm",
    "stopping the scanner unlinks only who exits",
    "switching AutoNUMA off while it scans is not modelled",
  ),
  elsewhere(
    "E16",
    "descriptor-pinned-while-scanning",
    "one exited process's descriptor at most is kept over a sleep",
    "the memory of descriptors is not modelled",
  ),
  elsewhere(
    "E19",
    "torn-statistics",
    "parts and sum of the balancer's figures agree, or are clamped",
    "the figures are flushed in one step here; weightOf clamps what its caller reads",
  ),
  elsewhere(
    "E26",
    "watermark-of-one-batch",
    "two migrators together respect the watermark",
    "each batch looks for itself, as posted; kswapd's wake-up by migrators is not modelled",
  ),
  elsewhere(
    "E27",
    "enabled-test-on-hot-paths",
    "one precomputed flag is tested on hot paths",
    "the model charges no time for a test of a flag",
  ),
];
