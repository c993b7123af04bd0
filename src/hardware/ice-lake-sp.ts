/**
 * Intel Ice Lake-SP servers (Xeon Scalable, 2021). The second level is two halves of 8 ways, one for 4 KiB
 * and 2 MiB, one for 4 KiB and 1 GiB: modelled as 16 ways of which huge pages hold at most 8. The 16 extra
 * first-level entries for stores are left out.
 */
import { makeHardware } from "./spec.ts";

export const iceLakeSp = makeHardware({
  name: "ice-lake-sp",
  summary: "Xeon Scalable, 2021: 64 + 32 first-level entries, 2048 behind them, half of those for huge pages",
  tlb: {
    l1Small: { entries: 64, ways: 4 },
    l1Huge: { entries: 32, ways: 4 },
    l2: { entries: 2048, ways: 16, hugeWays: 8 },
    walkCaches: {
      pde: { entries: 32, ways: 4 },
      pdpte: { entries: 4, ways: 4 },
      pml4e: { entries: 4, ways: 4 },
    },
  },
  tlbSource: "assumed: figures as commonly given, not verified here; walk caches as for Skylake-SP",
  figures: {
    syscallNs: { value: 150, source: "assumed: fewer mitigations than Skylake-SP" },
    faultNs: { value: 400, source: "assumed: a little below Skylake-SP" },
    allocPageNs: { value: 230, source: "assumed: a little below Skylake-SP" },
    zeroHugeBytesPerNs: {
      value: 12,
      source: "assumed: eight memory channels; zeroing is commonly 8-20 GB/s",
    },
    copyHugeBytesPerNs: { value: 10, source: "assumed: somewhat below zeroing" },
    clockGhz: { value: 2.9, source: "assumed: between base clock and turbo on all cores" },
    secondLevelCycles: { value: 8, source: "assumed: 7 to 9 cycles are commonly given" },
  },
});
