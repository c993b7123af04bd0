/** Intel Skylake-SP servers (Xeon Scalable, 2017). */
import { makeHardware } from "./spec.ts";

const BARE_METAL =
  "published: bare-metal faults of this generation take 0.5-1.0 us (4 KiB), 80-200 us (2 MiB)";

export const skylakeSp = makeHardware({
  name: "skylake-sp",
  summary: "Xeon Scalable, 2017: 64 + 32 first-level entries, 1536 shared behind them",
  tlb: {
    l1Small: { entries: 64, ways: 4 },
    l1Huge: { entries: 32, ways: 4 },
    l2: { entries: 1536, ways: 12, hugeWays: 12 },
    walkCaches: {
      pde: { entries: 32, ways: 4 },
      pdpte: { entries: 4, ways: 4 },
      pml4e: { entries: 4, ways: 4 },
    },
  },
  tlbSource:
    "entries: CPUID dump of one (community.intel.com); second level's 12 ways and walk caches assumed",
  figures: {
    syscallNs: { value: 200, source: "assumed: with the mitigations of this generation" },
    faultNs: { value: 450, source: `assumed within ${BARE_METAL}` },
    allocPageNs: { value: 250, source: `assumed within ${BARE_METAL}` },
    zeroPageBytesPerNs: { value: 20, source: "assumed: 0.2 us of the 4 KiB fault is zeroing" },
    zeroHugeBytesPerNs: { value: 10, source: "assumed: zeroing is commonly 8-20 GB/s" },
    copyPageBytesPerNs: { value: 6, source: "assumed: as measured on Zen 4" },
    copyHugeBytesPerNs: { value: 8, source: "assumed: somewhat below zeroing" },
    clockGhz: { value: 2.7, source: "assumed: base clock of the 8180 class is 2.5, turbo on all cores 3.2" },
    secondLevelCycles: { value: 9, source: "assumed: 7 to 9 cycles are commonly given" },
    interruptRemoteCpuNs: {
      value: 500,
      source: "assumed: LATR (ASPLOS 2018) reports about 6 us for 16 cores on 2 sockets",
    },
  },
});
