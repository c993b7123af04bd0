/**
 * AMD Zen 5 servers (EPYC 9005, 2024). Coalescing of four adjacent 4 KiB pages into one entry is left out.
 */
import { defaultFigures, type FigureSet, makeHardware } from "./spec.ts";

/** What was measured on Zen 4 stands in until it has been measured on a quiet Zen 5. */
const AS_ZEN_4 = Object.fromEntries(
  Object.entries(defaultFigures()).map(([name, { value, source }]) => [
    name,
    { value, source: source.startsWith("measured") ? "assumed: as measured on Zen 4" : source },
  ]),
) as FigureSet;

export const zen5 = makeHardware(
  {
    name: "zen5",
    summary: "AMD EPYC 9005, 2024: 96 first-level entries of any size, 4096 behind them",
    tlb: {
      l1Small: { entries: 96, ways: 96 },
      l1Huge: "shared",
      l2: { entries: 4096, ways: 16, hugeWays: 16 },
      walkCaches: {
        pde: { entries: 64, ways: 4 },
        pdpte: { entries: 16, ways: 4 },
        pml4e: { entries: 4, ways: 4 },
      },
    },
    tlbSource:
      "published: AMD's optimization guide for Zen 5 (58455), as quoted by others: 96, and 4096 in 16 " +
      "ways; `pagewise calibrate` found both on one (family 1Ah, model 2); walk caches assumed, as Zen 4",
    figures: {},
  },
  AS_ZEN_4,
);
