/**
 * Strategy:   random trees are printed and parsed again; random touches are compared with a twin in BigInt
 *             that follows the definition word by word.
 * Invariants: parse(print(script)) is the script but for line numbers; printing is stable; both cursors give
 * the same
 *             offsets, as many as `count` says, all inside the range.
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { test } from "vitest";
import type { Statement } from "./ast.ts";
import { parseScript } from "./parse.ts";
import { printScript } from "./print.ts";
import { touchesOf } from "./touches.ts";

const sizeBytes = fc.oneof(
  fc.nat(2 ** 31),
  fc.nat(4096).map((n) => n * 2 ** 20),
);
const timeNs = fc.nat(10_000_000).map((n) => n * 1_000);
const range = fc.option(
  fc.tuple(sizeBytes, fc.option(sizeBytes, { nil: undefined })).map(([from, length]) => ({
    from,
    to: length === undefined ? undefined : from + length,
  })),
  { nil: undefined },
);
const region = fc.constantFrom("a", "b-1", "heap_");
const prot = fc.constantFrom("ro" as const, "rw" as const, "none" as const);
const random = fc.record({ seed: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), count: fc.nat(1000) });
const touch = fc
  .record({
    op: fc.constantFrom("read" as const, "write" as const),
    region,
    range,
    step: fc.integer({ min: 1, max: 2 ** 22 }),
    random: fc.option(random, { nil: undefined }),
  })
  .map((t) => (t.random === undefined ? t : { ...t, step: 4096 }));
const leaf = fc.oneof(
  touch,
  fc.record({ op: fc.constant("cpu" as const), cpu: fc.nat(64) }),
  fc.record({ op: fc.constant("protect" as const), region, range, prot }),
  fc.record({ op: fc.constantFrom("unmap" as const, "split" as const), region, range }),
  fc.record({ op: fc.constant("pin" as const), region, range, prot: fc.constantFrom("ro", "rw") }),
  fc.record({ op: fc.constant("unpin" as const), region }),
  fc.record({
    op: fc.constant("thp_disable" as const),
    mode: fc.constantFrom("on", "except-advised", "off"),
  }),
  fc.record({ op: fc.constant("sleep" as const), ns: timeNs }),
  fc.record({ op: fc.constant("advise" as const), region, range, advice: fc.constantFrom("free", "cold") }),
  fc.record({
    op: fc.constant("remap" as const),
    region,
    size: sizeBytes,
    at: fc.option(fc.nat(2 ** 31), { nil: undefined }),
  }),
);
const statement = fc.letrec((tie) => ({
  one: fc.oneof({ depthSize: "small" }, leaf, tie("block")),
  block: fc.oneof(
    fc.record({ op: fc.constant("repeat"), times: fc.nat(9), body: fc.array(tie("one"), { maxLength: 3 }) }),
    fc.record({ op: fc.constant("during"), ns: timeNs, body: fc.array(tie("one"), { maxLength: 3 }) }),
  ),
})).one;

/** The same tree without line numbers. */
function withoutLines(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(value, (key, v) => (key === "line" ? undefined : typeof v === "bigint" ? `${v}n` : v)),
  );
}

test("parsing what was printed gives the same script", () => {
  fc.assert(
    fc.property(
      fc.array(statement, { maxLength: 8 }),
      fc.array(prot, { minLength: 3, maxLength: 3 }),
      (body, prots) => {
        const maps = ["a", "b-1", "heap_"].map((name, i) => ({
          op: "map" as const,
          region: name,
          size: (i + 1) * 65_536,
          at: i === 0 ? 0x6000_0000_0000 : undefined,
          align: i === 1 ? 2 ** 21 : undefined,
          prot: prots[i]!,
          shared: i === 2,
          populate: i === 1,
        }));
        const script = {
          file: "t.pw",
          machine: { nodes: 1, cpus: 2, memBytes: 2 ** 30, hugeBytes: undefined, swapBytes: 2 ** 28 },
          settings: [{ knob: "vm.swappiness", value: "10", line: 0 }],
          body: [...maps, ...body, { op: "snapshot", label: "end" }] as unknown as Statement[],
          expectations: [
            {
              line: 0,
              snapshot: "end",
              figure: "pgfault",
              comparison: "<=" as const,
              value: 7,
              tolerance: 0.5,
            },
            {
              line: 0,
              snapshot: "end",
              figure: "pgfault",
              comparison: "==" as const,
              value: 7,
              tolerance: 0,
            },
          ],
        };
        const text = printScript(script);
        const parsed = parseScript(text, "t.pw");
        assert.deepEqual(withoutLines(parsed), withoutLines(script));
        assert.equal(printScript(parsed), text);
      },
    ),
    { numRuns: 300 },
  );
});

/** Word by word as the language defines them. */
function slowOffsets(t: {
  range: { from: number; to: number };
  step: number;
  random?: { seed: bigint; count: number };
}) {
  const { from, to } = t.range;
  const offsets: number[] = [];
  if (t.random === undefined) {
    for (let at = from; at < to; at += t.step) offsets.push(at);
    return offsets;
  }
  const M = 2n ** 64n;
  const pages = BigInt(to - from) / 4096n;
  let x = (t.random.seed * 0x9e3779b97f4a7c15n + 1n) % M;
  for (let i = 0; i < t.random.count && pages > 0n; i++) {
    x = (x ^ (x << 13n)) % M;
    x ^= x >> 7n;
    x = (x ^ (x << 17n)) % M;
    offsets.push(from + Number(x % pages) * 4096);
  }
  return offsets;
}

test("the touches of a statement are those of the definition", () => {
  const ranges = fc.tuple(
    fc.nat(2 ** 20),
    fc.oneof(fc.nat(2 ** 20), fc.constant(2 ** 34), fc.constant(2 ** 40)),
  );
  fc.assert(
    fc.property(
      ranges,
      fc.integer({ min: 1, max: 70_000 }),
      fc.option(random),
      ([from, length], step, rnd) => {
        // Steps through a terabyte would take all day; only random touches go that far.
        const to = from + (rnd === null ? Math.min(length, step * 500) : length);
        const t = { range: { from, to }, step, ...(rnd === null ? {} : { random: rnd }) };
        const touches = touchesOf(
          { op: "read", line: 1, region: "a", ...t, random: rnd ?? undefined },
          2 ** 45,
        );
        const offsets: number[] = [];
        for (let at = touches.next(); at !== -1; at = touches.next()) offsets.push(at);
        assert.deepEqual(offsets, slowOffsets(t));
        assert.equal(offsets.length, touches.count);
      },
    ),
    { numRuns: 300 },
  );
});
