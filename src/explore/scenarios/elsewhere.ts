/** Entries of the review catalogue that this model does not express, each with the reason. */
import type { Elsewhere } from "../scenario.ts";

function elsewhere(entry: string, name: string, claim: string, why: string): Elsewhere {
  return { kind: "elsewhere", name, entries: [entry], claim, why };
}

export const ELSEWHERE: readonly Elsewhere[] = [
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
  elsewhere(
    "B08",
    "freed-table-live-pointer",
    "nobody looks into a table that was freed",
    "an area's container is part of the area here: no pointer outlives it",
  ),
  elsewhere(
    "B09",
    "shrinker-against-exit",
    "the shrinker drops its spinlock before its reference on the process",
    "containers' locks are not modelled: what they guard changes in single steps",
  ),
  elsewhere(
    "B10",
    "allocation-under-the-table-lock",
    "a reservation is allocated without a spinlock held",
    "containers' locks are not modelled: no allocation happens under one",
  ),
  elsewhere(
    "B11",
    "wrong-node-shrunk",
    "pressure on a node takes reservations of that node",
    "the descriptors' memory is not modelled: a descriptor is always on the node of its block",
  ),
  elsewhere(
    "B12",
    "dump-all-against-shrinker",
    "dropping all reservations reclaims no more page cache than a shrinker",
    "the page cache is not modelled",
  ),
  elsewhere(
    "B13",
    "split-by-hand",
    "512 base pages are made by the split primitive",
    "a block becomes base pages in one step, with the counts of split_page()",
  ),
  elsewhere(
    "B19",
    "two-tables-locked",
    "the locks of two tables are taken in one order",
    "containers' locks are not modelled: no two are nested",
  ),
  elsewhere(
    "B24",
    "put-without-a-table",
    "putting no table is harmless",
    "there is no container to put: see B08",
  ),
  elsewhere(
    "B25",
    "seventeen-against-118",
    "one touched page in each 2 MiB: 118 children fit with reservations, 17 without",
    "it needs 256 GiB: two regions of a small machine tell nothing of it",
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
