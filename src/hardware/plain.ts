/**
 * Plain: the two-level TLB on which three independent models agree, without walk caches. For comparing
 * counters with other simulators, not for times.
 */
import { makeHardware } from "./spec.ts";

export const plain = makeHardware({
  name: "plain",
  summary: "The textbook TLB: 64 + 32 entries, 1536 shared behind them, four references a walk",
  tlb: {
    l1Small: { entries: 64, ways: 4 },
    l1Huge: { entries: 32, ways: 4 },
    l2: { entries: 1536, ways: 12, hugeWays: 12 },
    walkCaches: "none",
  },
  tlbSource: "assumed: the common geometry of simulators; counters equal those of a C loop and DynamoRIO's",
  figures: {
    clockGhz: { value: 3, source: "assumed: a round figure" },
  },
});
