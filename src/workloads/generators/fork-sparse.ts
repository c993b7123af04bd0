/**
 * fork-sparse: children map much memory and touch little of each huge page's worth, until a map fails.
 *
 *     main ─▶ child 1: map, touch, stay ─▶ child 2: map, touch, stay ─▶ … ─▶ child N: map fails ─▶ end
 *
 * The experiment of the RFC of huge page reservations (A. Yznaga, 8 November 2018): on 256 GB, with 16 GB a
 * child, the 17th failed without reservations and the 118th with them. Its mail says "1 page or a random
 * number of pages in each huge page region" and no more: the laws here are those whose mean fits 118.
 */
import { below, type Prng } from "../../lib/prng.ts";
import { type Barrier, type Body, makeBarrier, type Self } from "./program.ts";
import type { Buffer } from "./space.ts";
import { add, clear, fork, isFull, join, map, type Step, tell, type Visit } from "./touch.ts";
import { defineWorkload } from "./workload.ts";

const GIB = 2 ** 30;
const REGION_PAGES = 512;
/** One write a page, wherever the line is: what counts is that the page is there. */
const TOUCH: Visit = { write: true, references: 1, lines: 1, gapNs: 0 };

/** Pages that a child touches in one region; drawn from the child's own random numbers, region by region. */
export const LAWS: Readonly<
  Record<string, { readonly words: string; readonly draw: (random: Prng) => number }>
> = {
  "one-or-256": {
    words: "of each region with probability 1/2 one page, else 1 to 256 (64.75 on average)",
    draw: (random) => (below(random, 2) === 0 ? 1 : 1 + below(random, 256)),
  },
  "up-to-128": {
    words: "of each region 1 to 128 pages (64.5 on average)",
    draw: (random) => 1 + below(random, 128),
  },
  "one-or-512": {
    words: "of each region with probability 3/4 one page, else 1 to 512 (64.9 on average)",
    draw: (random) => (below(random, 4) < 3 ? 1 : 1 + below(random, 512)),
  },
  "up-to-512": {
    words: "of each region 1 to 512 pages (256.5 on average)",
    draw: (random) => 1 + below(random, 512),
  },
  one: { words: "of each region one page", draw: () => 1 },
};

/** Touches the first pages of each region of a buffer, as many as the law draws. */
function* touchSparsely(self: Self, buffer: Buffer, draw: (random: Prng) => number): Step<number> {
  const { batch } = self;
  const first = buffer.firstPage;
  const end = first + buffer.pages;
  let touched = 0;
  clear(batch);
  for (let region = first - (first % REGION_PAGES); region < end; region += REGION_PAGES) {
    const from = Math.max(region, first);
    const to = Math.min(from + draw(self.random), region + REGION_PAGES, end);
    for (let page = from; page < to; page++) {
      add(batch, page, TOUCH);
      if (!isFull(batch)) continue;
      yield batch;
      clear(batch);
    }
    touched += to - from;
  }
  if (batch.length > 0) yield batch;
  clear(batch);
  return touched;
}

interface Plan {
  readonly size: number;
  readonly own: number;
  readonly draw: (random: Prng) => number;
}

/** What the parent learns of its children. */
interface Told {
  failed: boolean;
  touchedPages: number;
}

function child({ size, own, draw }: Plan, done: Barrier, told: Told): Body {
  return function* (self) {
    if (own > 0) yield* map(self, own, { populate: true });
    const buffer = yield* map(self, size);
    if (buffer === undefined) told.failed = true;
    else told.touchedPages += yield* touchSparsely(self, buffer, draw);
    yield { kind: "barrier", barrier: done };
    // Stays, with its memory, until its parent ends.
    yield join(0);
  };
}

export const forkSparse = defineWorkload({
  name: "fork-sparse",
  summary: "children map 16G each and touch little of every huge page's worth, until a map fails",
  standsFor:
    "The test by which huge page reservations were proposed: sparse use of large mappings. Ends only on " +
    "kernels whose mmap asks what is free now (before 5.1), or with a number of children given.",
  source: "A. Yznaga, [RFC PATCH] mm: thp: implement THP reservations for anonymous memory, 8 November 2018",
  // With this much swap, 256.5 GiB count as free before the first child.
  machine: { nodes: 1, cpus: 2, memBytes: 256 * GIB, hugeBytes: undefined, swapBytes: 7_069_515_776 },
  settings: [["transparent_hugepage/defrag", "always"]],
  params: {
    size: { type: "bytes", default: 16 * GIB, min: 2 ** 21, max: 2 ** 44, doc: "What a child maps." },
    law: {
      type: "choice",
      default: "one-or-256",
      choices: ["one-or-256", "up-to-128", "one-or-512", "up-to-512", "one"],
      doc: "How many pages of a region a child touches; the mail does not say.",
    },
    children: {
      type: "count",
      default: 100_000,
      min: 1,
      max: 100_000,
      doc: "Most children, for kernels whose mmap does not fail.",
    },
    own: {
      type: "bytes",
      default: 1_228_800,
      min: 0,
      max: GIB,
      doc: "Stack, heap and what the kernel keeps for a child: assumed.",
    },
  },
  assumes: ({ law, size, own }) => [
    `a child touches ${LAWS[law]!.words}; the mail says only "1 page or a random number of pages"`,
    `a child maps ${size / GIB} GiB, and ${(own / 2 ** 20).toFixed(1)} MiB besides are its own; on the ` +
      "workload's own machine 256.5 GiB count as free before the first child, swap included",
    "a huge page, or a reservation where the design allows it, may be compacted for (defrag=always), so " +
      "that a region which reaches a threshold can become huge; the mail says nothing of defrag",
  ],
  main: ({ size, law, children, own }) =>
    function* (self) {
      const told: Told = { failed: false, touchedPages: 0 };
      const plan = { size, own, draw: LAWS[law]!.draw };
      let count = 0;
      while (!told.failed && count < children) {
        count++;
        const done = makeBarrier(2);
        yield* fork(self, `child-${count}`, "any", child(plan, done, told));
        yield { kind: "barrier", barrier: done };
      }
      const mapped = told.failed ? count - 1 : count;
      if (told.failed) yield* tell("failing_child", count);
      yield* tell("children_that_mapped", mapped);
      const regions = (mapped * size) / 2 ** 21;
      if (regions > 0) yield* tell("pages_touched_a_region", told.touchedPages / regions);
    },
});
