/**
 * Machines of 2012 for which autonumabench was published, one description for each, used for every row of its
 * table. What one node's memory gives is derived from the table's base column alone: without balancing, all
 * traffic goes to one node, and three programs of different size and number of rounds agree on its rate.
 */
import { type HardwareParts, makeHardware } from "./spec.ts";

const SCALED = "assumed: Zen 4 as measured, scaled by the clock";
const STORES = "assumed: a store stream of one core of its time";
const TLB = {
  l1Small: { entries: 64, ways: 4 },
  l1Huge: { entries: 32, ways: 4 },
  l2: { entries: 512, ways: 4, hugeWays: 0 },
  walkCaches: "none",
} as const;

/** What the three have in common. */
const COMMON: HardwareParts["figures"] = {
  clockGhz: { value: 1.9, source: "assumed: 1.9 to 2.3 GHz were common in servers of four sockets" },
  faultNs: { value: 1250, source: SCALED },
  allocPageNs: { value: 1300, source: SCALED },
  zeroPageBytesPerNs: { value: 4, source: STORES },
  zeroHugeBytesPerNs: { value: 4, source: STORES },
  copyPageBytesPerNs: { value: 2, source: "assumed: half of the store stream" },
  copyHugeBytesPerNs: { value: 2, source: "assumed: half of the store stream" },
  memoryLatencyNs: { value: 130, source: "assumed: memory behind buffers; 120 to 150 ns" },
  remoteLatencyNs: { value: 200, source: "assumed: 1.5 times the own node's" },
  streamBytesPerNs: { value: 4, source: STORES },
  remoteStreamBytesPerNs: { value: 2.6, source: "assumed: as much slower as the latency is longer" },
};

function machine(name: string, summary: string, figures: HardwareParts["figures"]) {
  const tlbSource = "published: Intel optimization manual, Nehalem's 64 + 512 entries, 32 for huge pages";
  return makeHardware({ name, summary, tlb: TLB, tlbSource, figures: { ...COMMON, ...figures } });
}

/** Links of two nodes, one direction: two thirds of what the signal could carry. */
const QPI = {
  value: 6.4,
  source: "assumed: two thirds of QPI's 9.6 GB/s at 4.8 GT/s; every node has a link to every other",
};
const HYPERTRANSPORT = {
  value: 8.5,
  source: "assumed: two thirds of HyperTransport 3's 12.8 GB/s; every node has a link to every other",
};

/** M. Gorman's: 4 nodes, 48 CPUs, 64 GiB. */
export const numa4x12 = machine("numa-2012-4x12", "4 nodes, 48 CPUs (M. Gorman's machine of 2012)", {
  nodeBytesPerNs: {
    value: 5.1,
    source:
      "published: base runs zero 7200 GiB in 1512 s, 6000 GiB in 1264 s and 800 GiB in 181 s from one node " +
      "(numa01, numa01_THREADLOCAL, numa02; 6 Nov 2012)",
  },
  nearTurns: {
    value: 2,
    source:
      "published: base runs keep 43.2, 43.9 and 39.8 of 48 CPUs busy (numa01, numa01_THREADLOCAL, numa02; " +
      "9 Dec 2012), since threads next to the memory are done early; two turns give 41.9, 41.9 and 41.5",
  },
  linkBytesPerNs: QPI,
});

/** I. Molnar's: 4 nodes, 32 CPUs, 64 GiB. */
export const numa4x8 = machine("numa-2012-4x8", "4 nodes, 32 CPUs (I. Molnar's Opteron of 2012)", {
  nodeBytesPerNs: {
    value: 15.2,
    source:
      "published: base runs zero 4800 GiB in 340 s, 6000 GiB in 425 s and 800 GiB in 56 s from one node " +
      "(numa01, numa01_THREAD_ALLOC, numa02; Nov 2012)",
  },
  linkBytesPerNs: HYPERTRANSPORT,
});

/** S. Dronamraju's: 8 nodes, 64 CPUs. */
export const numa8x8 = machine("numa-2012-8x8", "8 nodes, 64 CPUs (S. Dronamraju's machine of 2012)", {
  nodeBytesPerNs: {
    value: 6.4,
    source:
      "published: base runs zero 9600 GiB in 1596 s and 800 GiB in 133 s from one node (numa01, numa02; " +
      "numa01_THREAD_ALLOC is slower, 6000 GiB in 1234 s)",
  },
  streamBytesPerNs: {
    value: 0.51,
    source: "published: numa02 bound by hand zeroes 800 GiB in 26 s with 64 CPUs",
  },
  remoteStreamBytesPerNs: { value: 0.34, source: "assumed: as much slower as the other machines'" },
  linkBytesPerNs: QPI,
  boardNodes: { value: 4, source: "assumed: two boards of four sockets, as machines of eight were built" },
  boardBytesPerNs: {
    value: 2.9,
    source:
      "published: half of 800 GiB in 133 s from one node, all of it in 345 s bound the wrong way round " +
      "(numa02, base and INVERSE_BIND) are 3.2 and 2.5 GB/s between the boards, if the way is shared by " +
      "both directions",
  },
});
