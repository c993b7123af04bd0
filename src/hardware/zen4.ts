/**
 * AMD Zen 4 servers (EPYC 9004, 2022). Coalescing of four adjacent 4 KiB pages into one entry is left out.
 */
import { makeHardware } from "./spec.ts";

export const zen4 = makeHardware({
  name: "zen4",
  summary: "AMD EPYC 9004, 2022: 72 first-level entries of any size, 3072 behind them; costs measured on one",
  tlb: {
    l1Small: { entries: 72, ways: 72 },
    l1Huge: "shared",
    l2: { entries: 3072, ways: 12, hugeWays: 12 },
    walkCaches: {
      pde: { entries: 64, ways: 4 },
      pdpte: { entries: 16, ways: 4 },
      pml4e: { entries: 4, ways: 4 },
    },
  },
  tlbSource:
    "measured: CPUID of one (family 19h), 72 and 3072 entries; published: AMD's optimization guide for " +
    "Zen 4 (57647), as quoted by others, has the same, and 64 page-directory entries; its 24 ways are 12 " +
    "in twice as many sets here; other walk caches assumed",
  // The catalogue's defaults were measured on this processor.
  figures: {},
});
