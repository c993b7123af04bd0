/**
 * Threads that use the same huge pages and are moved from node to node together: their memory has to follow.
 *
 *     node 0: fill, use ──stay──▶ node 1: use ──stay──▶ node 2 … (or 0 again)
 */
import type { Body } from "./program.ts";
import { map, share, sweep, team, type Visit, ZERO_PAGE } from "./touch.ts";
import { defineWorkload } from "./workload.ts";

/** One visit: a few lines of the page, and some work on them. */
const USE: Visit = { write: true, references: 16, lines: 4, gapNs: 500 };

export const thpMover = defineWorkload({
  name: "thp-mover",
  summary: "threads that share huge pages and are moved between nodes: their memory follows, page by page",
  standsFor:
    "Virtual machines and services that are moved to other CPUs: every huge page is wanted by " +
    "several threads at the moment in which it moves. Kernels differ in how long its entry cannot be used, " +
    "who waits, and whom it interrupts.",
  source:
    'the situation of the 2021 change to huge pages\' NUMA faults (Yang Shi, "Use generic THP migration")',
  machine: { nodes: 2, cpus: 8, memBytes: 8 * 2 ** 30, hugeBytes: undefined },
  params: {
    threads: { type: "count", default: 4, min: 1, max: 1024, doc: "Threads, all on one node at a time." },
    size: { type: "bytes", default: 2 ** 28, min: 2 ** 21, max: 2 ** 40, doc: "The memory that they share." },
    stay: { type: "time", default: 3e9, min: 1e6, max: 1e12, doc: "How long they stay on a node." },
    moves: { type: "count", default: 2, min: 0, max: 1e6, doc: "How often they are moved." },
  },
  main: ({ threads, size, stay, moves }): Body =>
    function* (self) {
      const data = yield* map(self, size);
      if (data === undefined) return;
      yield { kind: "bind", affinity: { node: 0 } };
      yield* sweep(self, data, ZERO_PAGE);
      const startNs = self.nowNs;
      yield* team(
        self,
        threads,
        { node: 0 },
        (i) =>
          function* (thread) {
            const { from } = share(data, i, threads);
            for (let move = 0; move <= moves; move++) {
              yield { kind: "bind", affinity: { node: move % thread.machine.nodes } };
              const untilNs = startNs + (move + 1) * stay;
              while (yield* sweep(thread, data, USE, from, data.pages, untilNs)) {
                if (!(yield* sweep(thread, data, USE, 0, from, untilNs))) break;
              }
            }
          },
      );
    },
});
