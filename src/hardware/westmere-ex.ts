/**
 * Intel Westmere-EX with four sockets (Xeon E7-48xx, 2011): a machine of 4 nodes and 48 CPUs as autonumabench was
 * published for. One set of figures for all of its tables.
 */
import { makeHardware } from "./spec.ts";

const SCALED = "assumed: Zen 4 as measured, scaled by the clock";

export const westmereEx = makeHardware({
  name: "westmere-ex",
  summary: "Intel Xeon E7-48xx, 2011, four sockets: 64 + 512 TLB entries, memory a tenth as fast as today",
  tlb: {
    l1Small: { entries: 64, ways: 4 },
    l1Huge: { entries: 32, ways: 4 },
    l2: { entries: 512, ways: 4, hugeWays: 0 },
    walkCaches: "none",
  },
  tlbSource: "Intel optimization manual: Nehalem's 64 + 512 entries, 32 for huge pages",
  figures: {
    clockGhz: { value: 1.9, source: "Intel ARK: E7-4807, 1.86 GHz" },
    faultNs: { value: 1250, source: SCALED },
    allocPageNs: { value: 1300, source: SCALED },
    zeroPageBytesPerNs: { value: 4, source: "assumed: a store stream of one core of its time" },
    zeroHugeBytesPerNs: { value: 4, source: "assumed: a store stream of one core of its time" },
    copyPageBytesPerNs: { value: 2, source: "assumed: half of the store stream" },
    copyHugeBytesPerNs: { value: 2, source: "assumed: half of the store stream" },
    memoryLatencyNs: { value: 130, source: "assumed: memory behind buffers; 120 to 150 ns" },
    remoteLatencyNs: { value: 200, source: "assumed: 1.5 times the own node's" },
    streamBytesPerNs: { value: 4, source: "assumed: a store stream of one core of its time" },
    remoteStreamBytesPerNs: { value: 2.6, source: "assumed: as much slower as the latency is longer" },
    nodeBytesPerNs: {
      value: 5.1,
      source:
        "derived: published base runs zero 7200 GiB in 1512 s, 6000 GiB in 1264 s and 800 GiB in 181 s " +
        "from one node (numa01, numa01_THREADLOCAL, numa02; M. Gorman, 6 Nov 2012)",
    },
  },
});
