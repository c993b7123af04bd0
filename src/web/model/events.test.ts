import assert from "node:assert/strict";
import fc from "fast-check";
import { test } from "vitest";
import { recordedColumns } from "../../../test/samples/recorded.ts";
import { byCode, chosen, countBefore, countSteps, eventsInRegion } from "./events.ts";

const recording = recordedColumns()[0]!.recording!;
const { events } = recording;

test("the count before a moment is that of a plain search, for every lane and moment", () => {
  const lists = byCode(events).filter((list) => list.length > 0);
  const moment = fc.oneof(
    fc.integer({ min: -10, max: 10_000_000 }),
    fc.integer({ min: 0, max: events.count - 1 }).map((i) => events.tNs[i]!),
  );
  fc.assert(
    fc.property(fc.nat(lists.length - 1), moment, (which, ns) => {
      const list = lists[which]!;
      assert.equal(countBefore(events, list, ns), list.filter((i) => events.tNs[i]! < ns).length);
    }),
  );
});

test("counts of equal steps are those between their ends, wherever they begin", () => {
  const lists = byCode(events).filter((list) => list.length > 0);
  const step = fc.record({
    fromNs: fc.integer({ min: -1000, max: 5_000_000 }),
    stepNs: fc.integer({ min: 1, max: 100_000 }),
    steps: fc.nat(40),
  });
  fc.assert(
    fc.property(fc.nat(lists.length - 1), step, (which, { fromNs, stepNs, steps }) => {
      const list = lists[which]!;
      const before = (ns: number): number => list.filter((i) => events.tNs[i]! < ns).length;
      const expected = Array.from(
        { length: steps },
        (_, i) => before(fromNs + (i + 1) * stepNs) - before(fromNs + i * stepNs),
      );
      assert.deepEqual([...countSteps(events, list, { fromNs, stepNs, steps })], expected);
    }),
  );
});

test("lists by code hold every event once, in order", () => {
  const all = byCode(events).flatMap((list) => [...list]);
  assert.deepEqual(
    all.toSorted((a, b) => a - b),
    [...chosen(recording, "all")],
  );
});

test("the events of a region are in it, newest first", () => {
  const found = eventsInRegion(recording, 1, 50);
  assert.equal(found.length, 50);
  const { mm, vpn } = recording.map.regions[1]!;
  for (const i of found) {
    assert.equal(events.a[i], mm);
    assert.ok(events.b[i]! >= vpn && events.b[i]! < vpn + 512);
  }
  assert.ok(found.every((i, place) => place === 0 || i < found[place - 1]!));
});
