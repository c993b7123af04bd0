/**
 * A key-value server whose keys are asked for by Zipf's law; now and then it forks a child that saves a
 * snapshot while the server goes on.
 *
 *     fill ─▶ requests … fork ─▶ requests … (each first write to a page copies it) … fork ─▶ …
 *                          └─▶ child: read everything, compute, end
 */
import { unit } from "../../lib/prng.ts";
import type { Body, Self } from "./program.ts";
import type { Buffer } from "./space.ts";
import {
  add,
  clear,
  fork,
  inherit,
  isFull,
  join,
  joinAll,
  map,
  type Step,
  startThread,
  sweep,
  type Visit,
  ZERO_PAGE,
} from "./touch.ts";
import { defineWorkload } from "./workload.ts";
import { drawZipf, makeZipf, type Zipf } from "./zipf.ts";

/** A request: parsing, the look-up, the answer; a value of a few lines. */
const REQUEST_NS = 1_500;
const GET: Visit = { write: false, references: 16, lines: 4, gapNs: REQUEST_NS };
const SET: Visit = { write: true, references: 16, lines: 4, gapNs: REQUEST_NS };
/** The saving child reads a page, packs it and writes it out. */
const SAVE: Visit = { write: false, references: 512, lines: 64, gapNs: 4_000 };
/** Scatters ranks over the pages: a permutation for powers of two, and near to one for others. */
const SCATTER = 2_654_435_761;

/** Asks for `requests` keys. */
function* serve(self: Self, data: Buffer, zipf: Zipf, writes: number, requests: number): Step {
  const { batch, random } = self;
  for (let left = requests; left > 0; ) {
    for (clear(batch); left > 0 && !isFull(batch); left--) {
      const page = (Math.imul(drawZipf(zipf, random), SCATTER) >>> 0) % data.pages;
      add(batch, data.firstPage + page, unit(random) < writes ? SET : GET);
    }
    yield batch;
  }
}

function save(data: Buffer): Body {
  return function* (self) {
    yield* sweep(self, inherit(self, data), SAVE);
  };
}

export const kv = defineWorkload({
  name: "kv",
  summary: "a key-value server with Zipf's keys that forks to save snapshots",
  standsFor:
    "In-memory databases such as redis with background saves: few keys get most requests; while a child " +
    "saves, every first write to a page copies it; with huge pages whole ones, or they are broken up.",
  source:
    "keys as in YCSB (Cooper et al., SoCC 2010; θ 0.99), saves as redis' BGSAVE; times of requests assumed",
  machine: { nodes: 2, cpus: 4, memBytes: 4 * 2 ** 30, hugeBytes: undefined },
  params: {
    threads: { type: "count", default: 1, min: 1, max: 1024, doc: "Threads that serve; redis has one." },
    size: { type: "bytes", default: 2 ** 28, min: 2 ** 21, max: 2 ** 40, doc: "The data." },
    requests: { type: "count", default: 400_000, min: 0, max: 1e12, doc: "Requests of each thread." },
    writes: { type: "ratio", default: 0.2, min: 0, max: 1, doc: "Share of requests that write." },
    theta: { type: "ratio", default: 0.99, min: 0.01, max: 0.999, doc: "Zipf's exponent." },
    snapshots: { type: "count", default: 2, min: 0, max: 1000, doc: "Saves, evenly spread over the run." },
  },
  main: ({ threads, size, requests, writes, theta, snapshots }): Body =>
    function* (self) {
      const data = yield* map(self, size);
      if (data === undefined) return;
      yield* sweep(self, data, ZERO_PAGE);
      const zipf = makeZipf(data.pages, theta);
      const others: number[] = [];
      for (let i = 1; i < threads; i++) {
        const body: Body = (thread) => serve(thread, data, zipf, writes, requests);
        others.push(yield* startThread(self, `server-${i}`, "any", body));
      }
      const part = Math.ceil(requests / (snapshots + 1));
      yield* serve(self, data, zipf, writes, Math.min(requests, part));
      for (let i = 0, left = requests - part; i < snapshots; i++, left -= part) {
        const child = yield* fork(self, `save-${i}`, "any", save(data));
        yield* serve(self, data, zipf, writes, Math.max(0, Math.min(left, part)));
        yield join(child);
      }
      yield* joinAll(others);
    },
});
