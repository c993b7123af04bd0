/**
 * Strategy: random insertions and removals over forty addresses; the dumb twin is an array with one delta an
 * address. Invariants: both agree on every address; pieces ascend, do not overlap, are not empty, and no two
 * that touch have the same delta.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import { insertPiece, makePieces, pieceAt, removePieces } from "./pieces.ts";

const SIZE = 40;
const step = fc.record({
  insert: fc.boolean(),
  start: fc.integer({ min: 0, max: SIZE }),
  end: fc.integer({ min: 0, max: SIZE }),
  delta: fc.integer({ min: 0, max: 2 }),
});

test("pieces agree with an array of addresses", () => {
  const claim = fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
    const p = makePieces();
    const twin: (number | undefined)[] = new Array(SIZE).fill(undefined);
    for (const { insert, start, end, delta } of steps) {
      if (insert) insertPiece(p, start, end, delta);
      else removePieces(p, start, end);
      for (let i = start; i < end; i++) twin[i] = insert ? delta : undefined;
    }
    const found = twin.map((_, address) => {
      const i = pieceAt(p, address);
      return i < 0 ? undefined : p.deltas[i];
    });
    expect(found).toEqual(twin);
    expect(p.count).toBe(p.starts.length);
    for (let i = 0; i < p.count; i++) {
      expect(p.starts[i]!).toBeLessThan(p.ends[i]!);
      if (i === 0) continue;
      expect(p.starts[i]!).toBeGreaterThanOrEqual(p.ends[i - 1]!);
      if (p.starts[i] === p.ends[i - 1]) expect(p.deltas[i]).not.toBe(p.deltas[i - 1]);
    }
  });
  fc.assert(claim, { numRuns: 500 });
});
