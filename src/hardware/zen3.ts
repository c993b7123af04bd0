/**
 * AMD Zen 3 servers (EPYC 7003, 2021). Coalescing of four adjacent 4 KiB pages into one entry is left out.
 */
import { makeHardware } from "./spec.ts";

export const zen3 = makeHardware({
  name: "zen3",
  summary: "AMD EPYC 7003, 2021: 64 first-level entries of any size, 2048 behind them",
  tlb: {
    l1Small: { entries: 64, ways: 64 },
    l1Huge: "shared",
    l2: { entries: 2048, ways: 16, hugeWays: 16 },
    walkCaches: {
      pde: { entries: 64, ways: 4 },
      pdpte: { entries: 16, ways: 4 },
      pml4e: { entries: 4, ways: 4 },
    },
  },
  tlbSource: "assumed: figures as commonly given, not verified here; Zen 2 has 64 and 2048 (wikichip.org)",
  figures: {
    faultNs: { value: 700, source: "assumed: Zen 4 as measured, scaled by the clock" },
    allocPageNs: { value: 720, source: "assumed: Zen 4 as measured, scaled by the clock" },
    zeroHugeBytesPerNs: { value: 11, source: "assumed: zeroing is commonly 8-20 GB/s" },
    copyHugeBytesPerNs: { value: 12, source: "assumed: a little below Zen 4" },
    clockGhz: { value: 3.4, source: "assumed: between base clock and boost" },
  },
});
