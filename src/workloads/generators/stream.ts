/**
 * STREAM: four kernels over three arrays, a share of each array for each thread.
 *
 *     init ─▶ ( copy c=a ─┃─ scale b=sc ─┃─ add c=a+b ─┃─ triad a=b+sc ─┃─ ) × rounds      ┃ barrier
 */
import { type Body, makeBarrier, type Self } from "./program.ts";
import type { Buffer } from "./space.ts";
import { add, clear, isFull, map, READ_PAGE, type Step, share, sweep, team, ZERO_PAGE } from "./touch.ts";
import { defineWorkload } from "./workload.ts";

/** What one kernel reads and writes: indices of the arrays a, b, c. */
const KERNELS: readonly { readonly from: readonly number[]; readonly to: number }[] = [
  { from: [0], to: 2 },
  { from: [2], to: 1 },
  { from: [0, 1], to: 2 },
  { from: [1, 2], to: 0 },
];

interface Stream {
  readonly threads: number;
  readonly size: number;
  readonly rounds: number;
  readonly init: string;
}

function program({ threads: asked, size, rounds, init }: Stream): Body {
  return function* (self) {
    const threads = asked || self.machine.cpus;
    const arrays: Buffer[] = [];
    for (let i = 0; i < 3; i++) {
      const array = yield* map(self, size);
      if (array === undefined) return;
      arrays.push(array);
    }
    if (init === "serial") for (const array of arrays) yield* sweep(self, array, ZERO_PAGE);
    const barrier = makeBarrier(threads);
    yield* team(
      self,
      threads,
      "any",
      (i) =>
        function* (thread) {
          const { from, to } = share(arrays[0]!, i, threads);
          if (init === "parallel")
            for (const array of arrays) yield* sweep(thread, array, ZERO_PAGE, from, to);
          yield { kind: "barrier", barrier };
          for (let round = 0; round < rounds; round++) {
            for (const kernel of KERNELS) {
              yield* runKernel(
                thread,
                kernel.from.map((at) => arrays[at]!),
                arrays[kernel.to]!,
                from,
                to,
              );
              yield { kind: "barrier", barrier };
            }
          }
        },
    );
  };
}

/** Page by page: the sources are read, the target is written. */
function* runKernel(self: Self, sources: readonly Buffer[], target: Buffer, from: number, to: number): Step {
  const { batch } = self;
  clear(batch);
  for (let page = from; page < to; page++) {
    for (const source of sources) {
      add(batch, source.firstPage + page, READ_PAGE);
      if (isFull(batch)) yield* flush(self);
    }
    add(batch, target.firstPage + page, ZERO_PAGE);
    if (isFull(batch)) yield* flush(self);
  }
  if (batch.length > 0) yield batch;
}

function* flush({ batch }: Self): Step {
  yield batch;
  clear(batch);
}

export const stream = defineWorkload({
  name: "stream",
  summary: "STREAM: four loops over three arrays, as fast as memory gives them",
  standsFor:
    "Array codes that are limited by memory bandwidth. Each thread works on its share; init=serial: the " +
    "first thread has touched everything before, as careless programs do.",
  source: "John McCalpin's STREAM benchmark (www.cs.virginia.edu/stream)",
  machine: { nodes: 2, cpus: 8, memBytes: 8 * 2 ** 30, hugeBytes: undefined },
  params: {
    threads: { type: "count", default: 0, min: 0, max: 4096, doc: "Threads; 0 is one for each CPU." },
    size: {
      type: "bytes",
      default: 64 * 2 ** 20,
      min: 2 ** 21,
      max: 2 ** 40,
      doc: "Each of the three arrays.",
    },
    rounds: { type: "count", default: 10, min: 1, max: 1e9, doc: "How often the four loops run." },
    init: {
      type: "choice",
      default: "parallel",
      choices: ["parallel", "serial"],
      doc: "Who touches the arrays first: each thread its share, or the first thread everything.",
    },
  },
  main: program,
});
