/**
 * Strategy: random records and events of a few threads, written in blocks of a random size, read back in
 * pieces of a random size. The dumb twin is the list of what was written.
 * Invariants: everything comes back, in order, each number as it was; the totals count what was written.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import { isBatch, REF } from "../records.ts";
import { openTrace } from "./reader.ts";
import { makeMemoryWriter } from "./writer.ts";

const THREADS = 3;
const u32 = fc.oneof(
  fc.integer({ min: 0, max: 3 }),
  fc.integer({ min: 0, max: 300 }),
  fc.integer({ min: 0, max: 0xffffffff }),
);
const page = fc.oneof(fc.integer({ min: 0, max: 5 }), fc.integer({ min: 0, max: 70_000 }), u32);
const flags = fc.constantFrom(0, REF.FIRST, REF.FIRST | REF.FAULT, REF.FAULT | REF.PROTECTION | REF.KERNEL);
const reference = fc.tuple(
  fc.integer({ min: 0, max: THREADS - 1 }),
  page,
  fc.integer({ min: 0, max: 3 }),
  flags,
  u32,
  u32,
  u32,
);
const item = fc.oneof(
  { weight: 8, arbitrary: reference },
  { weight: 1, arbitrary: fc.constant("event" as const) },
);

test("a stored trace reads back as it was written", () => {
  const claim = fc.property(
    fc.array(item, { maxLength: 120 }),
    fc.integer({ min: 1, max: 400 }),
    fc.integer({ min: 1, max: 400 }),
    (items, blockBytes, pieceBytes) => {
      const w = makeMemoryWriter({ blockBytes });
      for (let t = 0; t < THREADS; t++) w.thread({ pid: t, tid: t, process: t, name: "" });
      for (const each of items) {
        if (each === "event") w.event({ kind: "cpu", thread: 1, gap: 3, cpu: 2 });
        else w.reference(each[0], each[1], each[2] | each[3], each[4], each[5], each[6]);
      }
      const totals = w.end();
      const bytes = w.bytes();
      let at = 0;
      const read = (): Uint8Array | undefined => {
        const piece = bytes.subarray(at, at + pieceBytes);
        at += piece.length;
        return piece.length > 0 ? piece : undefined;
      };
      const reader = openTrace({ read });
      const back: unknown[] = [];
      for (let next = reader.next(); next !== undefined; next = reader.next()) {
        if (!isBatch(next)) back.push("event");
        else {
          for (let i = 0; i < next.length; i++) {
            const kind = next.kind[i]!;
            const use = kind & REF.KIND;
            const row = [
              next.thread,
              next.page[i],
              use,
              kind - use,
              next.reads[i],
              next.writes[i],
              next.gap[i],
            ];
            back.push(row);
            if (next.alike[i] === 1) expect(row.slice(2)).toEqual((back.at(-2) as number[]).slice(2));
          }
        }
      }
      expect(back).toEqual(items);
      expect(reader.totals).toEqual(totals);
      expect(totals.records + totals.events).toBe(items.length);
    },
  );
  fc.assert(claim, { numRuns: 300 });
});
