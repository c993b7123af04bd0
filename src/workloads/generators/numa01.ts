/**
 * numa01 and its variant with a slice for each thread: two processes, half of the machine's threads each.
 *
 *     main ──fork──▶ process 0 ─▶ threads: memory from one node: zero all ─▶ default policy: zero × rounds
 *           └───────▶ process 1 ─▶ …
 *
 * Threads may run anywhere from the first moment: it is their memory alone that is bound for the first round,
 * and all of them zero all of it, whatever they keep to later.
 */
import { below } from "../../lib/prng.ts";
import type { Body } from "./program.ts";
import { fork, joinAll, map, share, sweep, team, ZERO_PAGE } from "./touch.ts";
import { defineWorkload, type ParamSpec } from "./workload.ts";

export const AUTONUMA_SOURCE =
  "autonuma-benchmark (github.com/pholasek/autonuma-benchmark), autonumabench in Mel Gorman's mmtests";

export const THREADS: ParamSpec & { readonly type: "count" } = {
  type: "count",
  default: 0,
  min: 0,
  max: 4096,
  doc: "Threads in all; 0 is one for each CPU.",
};

interface Numa01 {
  readonly threads: number;
  readonly size: number;
  readonly rounds: number;
}

/** `own`: each thread zeroes its own slice, not the whole buffer. */
function program({ threads, size, rounds }: Numa01, own: boolean): Body {
  return function* (self) {
    const each = Math.max(1, Math.floor((threads || self.machine.cpus) / 2));
    const children: number[] = [];
    // The node is drawn before the fork: both processes' memory begins on the same one.
    const node = below(self.random, self.machine.nodes);
    for (let i = 0; i < 2; i++) {
      children.push(yield* fork(self, `numa01-${i}`, "any", worker(each, size, rounds, own, node)));
    }
    yield* joinAll(children);
  };
}

function worker(threads: number, size: number, rounds: number, own: boolean, node: number): Body {
  return function* (self) {
    const buffer = yield* map(self, size);
    if (buffer === undefined) return;
    yield* team(
      self,
      threads,
      "any",
      (i) =>
        function* (thread) {
          const { from, to } = own ? share(buffer, i, threads) : { from: 0, to: buffer.pages };
          yield { kind: "mempolicy", node };
          yield* sweep(thread, buffer, ZERO_PAGE);
          yield { kind: "mempolicy", node: undefined };
          for (let round = 0; round < rounds; round++) yield* sweep(thread, buffer, ZERO_PAGE, from, to);
        },
    );
  };
}

/**
 * The machine of the tables of 2012, scaled: nothing but a memory that everybody waits for makes this program
 * slow, and designs take minutes to spread it.
 */
const PUBLISHED_MACHINE = {
  machine: { nodes: 4, cpus: 48, memBytes: 64 * 2 ** 30, hugeBytes: undefined, scale: 256 },
  hardware: "numa-2012-4x12",
};

const size = {
  type: "bytes",
  default: 12 * 2 ** 20,
  min: 2 ** 21,
  max: 2 ** 40,
  doc: "Buffer of each process; the program's own is 3G, which is 12M at a scale of 256.",
} as const;

function rounds(own: number) {
  return { type: "count", default: own, min: 0, max: 1e9, doc: "Rounds after the first one." } as const;
}

export const numa01 = defineWorkload({
  name: "numa01",
  summary: "two processes, all threads of each zero one buffer: nothing that fits one node",
  standsFor:
    "The hard case of the NUMA balancing benchmark: each thread of a process uses all of its memory, and a " +
    "process has more threads than a node has CPUs. Its memory begins on one node.",
  source: AUTONUMA_SOURCE,
  ...PUBLISHED_MACHINE,
  params: { threads: THREADS, size, rounds: rounds(50) },
  main: (values) => program(values, false),
});

export const numa01ThreadLocal = defineWorkload({
  name: "numa01_THREADLOCAL",
  summary: "the same, but each thread zeroes a slice of its own: every page has one user",
  standsFor:
    "Programs whose threads keep to data that was first touched on the wrong node: the case " +
    "that NUMA balancing was made for. (numa01_THREAD_ALLOC of the benchmark.)",
  source: AUTONUMA_SOURCE,
  ...PUBLISHED_MACHINE,
  params: { threads: THREADS, size, rounds: rounds(1000) },
  main: (values) => program(values, true),
});
