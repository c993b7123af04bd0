/**
 * GUPS: random updates of a table, one line from memory each.
 *
 *     threads: fill the own share ─▶ updates anywhere
 */
import { below } from "../../lib/prng.ts";
import type { Body } from "./program.ts";
import { add, clear, isFull, map, share, sweep, team, type Visit, ZERO_PAGE } from "./touch.ts";
import { defineWorkload } from "./workload.ts";

/** Reads a word and writes it back; the update itself takes a few cycles. */
const UPDATE: Visit = { write: true, references: 2, lines: 1, gapNs: 2 };

export const gups = defineWorkload({
  name: "gups",
  summary: "GUPS: random updates all over a table, where neither caches nor TLBs help",
  standsFor:
    "Hash joins, graph walks and others whose next address is random: every update is a TLB miss on " +
    "small pages and a line from memory, wherever it lies. No placement is right for more than one node.",
  source:
    "HPC Challenge RandomAccess (icl.utk.edu/hpcc); its own table is half of the memory, updated 4 times",
  machine: { nodes: 2, cpus: 8, memBytes: 8 * 2 ** 30, hugeBytes: undefined },
  params: {
    threads: { type: "count", default: 0, min: 0, max: 4096, doc: "Threads; 0 is one for each CPU." },
    size: { type: "bytes", default: 2 ** 28, min: 2 ** 21, max: 2 ** 40, doc: "The table." },
    updates: { type: "count", default: 500_000, min: 0, max: 1e12, doc: "Updates of each thread." },
  },
  main: ({ threads: asked, size, updates }): Body =>
    function* (self) {
      const table = yield* map(self, size);
      if (table === undefined) return;
      const threads = asked || self.machine.cpus;
      yield* team(
        self,
        threads,
        "any",
        (i) =>
          function* (thread) {
            const { batch, random } = thread;
            const { from, to } = share(table, i, threads);
            yield* sweep(thread, table, ZERO_PAGE, from, to);
            for (let left = updates; left > 0; ) {
              for (clear(batch); left > 0 && !isFull(batch); left--) {
                add(batch, table.firstPage + below(random, table.pages), UPDATE);
              }
              yield batch;
            }
          },
      );
    },
});
