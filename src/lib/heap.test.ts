import { expect, test } from "vitest";
import { makeHeap, peekTimeNs, popHeap, pushHeap, sizeOf } from "./heap.ts";

test("the earliest entry leaves first, and an empty heap has no time", () => {
  const h = makeHeap(2);
  expect(peekTimeNs(h)).toBe(Number.POSITIVE_INFINITY);
  for (const timeNs of [30, 10, 20]) pushHeap(h, timeNs, timeNs + 1);
  expect(sizeOf(h)).toBe(3);
  expect(peekTimeNs(h)).toBe(10);
  expect([popHeap(h), popHeap(h), popHeap(h)]).toEqual([11, 21, 31]);
  expect(sizeOf(h)).toBe(0);
});

test("equal times leave in the order in which they came", () => {
  const h = makeHeap(1);
  for (let id = 0; id < 100; id++) pushHeap(h, 7, id);
  expect(Array.from({ length: 100 }, () => popHeap(h))).toEqual(Array.from({ length: 100 }, (_, id) => id));
});

test("taking from an empty heap, or waiting for no time at all, is a bug of the caller", () => {
  const h = makeHeap(1);
  expect(() => popHeap(h)).toThrow("an entry is taken only from a heap that has one");
  expect(() => pushHeap(h, Number.NaN, 0)).toThrow("an event has a time");
});
