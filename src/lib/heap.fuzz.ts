/**
 * Strategy:   random pushes (few distinct times, so that ties are common) and pops, on the heap and on a list
 *             that is sorted by (time, arrival) at every step.
 * Invariants: both give the same id, the same size and the same next time after every step.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import { makeHeap, peekTimeNs, popHeap, pushHeap, sizeOf } from "./heap.ts";

const step = fc.oneof(
  fc.record({ push: fc.integer({ min: 0, max: 9 }) }),
  fc.record({ push: fc.double({ min: 0, max: 2 ** 52, noNaN: true }) }),
  fc.constant("pop" as const),
);

test("the heap does what a sorted list does", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const heap = makeHeap(1);
      const list: { timeNs: number; id: number }[] = [];
      steps.forEach((action, id) => {
        if (action !== "pop") {
          pushHeap(heap, action.push, id);
          list.push({ timeNs: action.push, id });
          list.sort((a, b) => a.timeNs - b.timeNs || a.id - b.id);
        } else if (list.length > 0) {
          expect(popHeap(heap)).toBe(list.shift()!.id);
        }
        expect(sizeOf(heap)).toBe(list.length);
        expect(peekTimeNs(heap)).toBe(list[0]?.timeNs ?? Number.POSITIVE_INFINITY);
      });
    }),
    { numRuns: 500 },
  );
});
