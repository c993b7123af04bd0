/**
 * numa02: one process whose threads zero equal shares of one buffer, again and again; numa02_SMT has half as
 * many.
 *
 *     main: zero the buffer (all of it on its node) ─▶ threads: zero the own share × rounds
 */
import { AUTONUMA_SOURCE, THREADS } from "./numa01.ts";
import type { Body } from "./program.ts";
import { map, share, sweep, team, ZERO_PAGE } from "./touch.ts";
import { defineWorkload } from "./workload.ts";

const MACHINE = { nodes: 4, cpus: 16, memBytes: 16 * 2 ** 30, hugeBytes: undefined };

function program(threads: number, bytes: number, rounds: number): Body {
  return function* (self) {
    const buffer = yield* map(self, bytes);
    if (buffer === undefined) return;
    yield* sweep(self, buffer, ZERO_PAGE);
    yield* team(
      self,
      threads,
      "any",
      (i) =>
        function* (thread) {
          const { from, to } = share(buffer, i, threads);
          for (let round = 0; round < rounds; round++) yield* sweep(thread, buffer, ZERO_PAGE, from, to);
        },
    );
  };
}

const params = {
  threads: THREADS,
  size: {
    type: "bytes",
    default: 64 * 2 ** 20,
    min: 2 ** 21,
    max: 2 ** 40,
    doc: "The buffer; the program's own is 1G, 16 times the default.",
  },
  rounds: {
    type: "count",
    default: 8000,
    min: 0,
    max: 1e9,
    doc: "How often each thread zeroes its share; the program's own are 800, over 16 times the memory.",
  },
} as const;

export const numa02 = defineWorkload({
  name: "numa02",
  summary: "one process, one thread for each CPU, each zeroes its share of a buffer that one node holds",
  standsFor:
    "A program that initializes its data in one thread and then works on it in all: first touch puts " +
    "everything on one node.",
  source: AUTONUMA_SOURCE,
  machine: MACHINE,
  params,
  main: ({ threads, size, rounds }) =>
    function* (self) {
      yield* program(threads || self.machine.cpus, size, rounds)(self);
    },
});

export const numa02Smt = defineWorkload({
  name: "numa02_SMT",
  summary: "numa02 with half as many threads: the scheduler must leave no node idle",
  standsFor:
    "The same on half of the CPUs: one thread for each core of a machine with two hardware threads a core. " +
    "Whoever moves threads to memory may crowd a node and leave another one idle.",
  source: AUTONUMA_SOURCE,
  machine: MACHINE,
  params,
  main: ({ threads, size, rounds }) =>
    function* (self) {
      yield* program(threads || Math.max(1, self.machine.cpus / 2), size, rounds)(self);
    },
});
