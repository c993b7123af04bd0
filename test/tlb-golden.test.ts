/**
 * TLB counters on which three independent models agree (a C loop, a JavaScript loop and, where it can
 * express the case, DynamoRIO's drcachesim): 16,777,216 references of bench/streams.ts on the TLB of
 * src/hardware/plain.ts. Here they go the whole way: stored trace, replay, faults, look-ups.
 */
import { expect, test } from "vitest";
import { benchMachine } from "../bench/machines.ts";
import {
  STREAM_NAMES,
  STREAM_REFERENCES,
  type StreamName,
  storeStream,
  streamPages,
} from "../bench/streams.ts";
import { simulateTrace } from "../src/engine/simulate.ts";
import { generationByName } from "../src/generations/index.ts";
import { hardwareByName } from "../src/hardware/index.ts";
import { openTrace } from "../src/workloads/trace/reader.ts";

interface Counters {
  readonly l1: number;
  readonly l2: number;
  readonly walks: number;
  readonly walkrefs: number;
  readonly faults: number;
}

const GOLDEN: Readonly<Record<"4k" | "thp_always", Record<StreamName, Counters>>> = {
  "4k": {
    seq: { l1: 16515072, l2: 0, walks: 262144, walkrefs: 1048576, faults: 262144 },
    rand: { l1: 4179, l2: 94844, walks: 16678193, walkrefs: 66712772, faults: 262144 },
    zipf: { l1: 3670485, l2: 4497374, walks: 8609357, walkrefs: 34437428, faults: 261903 },
  },
  thp_always: {
    seq: { l1: 16776704, l2: 0, walks: 512, walkrefs: 1536, faults: 512 },
    rand: { l1: 1049262, l2: 15727442, walks: 512, walkrefs: 1536, faults: 512 },
    zipf: { l1: 3603133, l2: 13173571, walks: 512, walkrefs: 1536, faults: 512 },
  },
};

test.each(STREAM_NAMES)(
  "%s: hits, walks and faults are those of three other models, to the digit",
  (name) => {
    const stream = storeStream({
      mappedPages: 2 ** 18,
      before: new Uint32Array(0),
      pages: streamPages(name, STREAM_REFERENCES),
    });
    for (const [mode, enabled] of [
      ["4k", "never"],
      ["thp_always", "always"],
    ] as const) {
      const result = simulateTrace({
        generation: generationByName("linux-6.1")!,
        machine: benchMachine(4),
        hardware: hardwareByName("plain")!,
        settings: [["transparent_hugepage/enabled", enabled]],
        verify: false,
        name,
        trace: openTrace(stream.bytes),
      });
      const { tlb } = result;
      expect(tlb.references).toBe(STREAM_REFERENCES);
      const counters: Counters = {
        l1: tlb.firstLevelHits,
        l2: tlb.secondLevelHits,
        walks: tlb.walks,
        walkrefs: tlb.walkReferences,
        faults: result.vmstat.pgfault ?? 0,
      };
      expect(counters).toEqual(GOLDEN[mode][name]);
    }
  },
);
