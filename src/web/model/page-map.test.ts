import assert from "node:assert/strict";
import { test } from "vitest";
import { recordedColumns } from "../../../test/samples/recorded.ts";
import { columnsFor, layOut } from "./map-layout.ts";
import { goToFrame, historyOf, openingOf, openPages } from "./page-map.ts";

const recording = recordedColumns()[1]!.recording!;

test("states at a look are the same from before, from behind and from nowhere", () => {
  const frames = recording.map.frameNs.length;
  const forward = openPages(recording);
  const seen = recording.map.frameNs.map((_, frame) => {
    goToFrame(forward, frame);
    return forward.states.reduce((sum, state, page) => (sum * 31 + state * (page + 1)) % 1_000_003, 7);
  });
  for (const frame of [frames - 1, 3, 17, 2, 0, frames - 1, 16]) {
    goToFrame(forward, frame);
    const now = forward.states.reduce((sum, state, page) => (sum * 31 + state * (page + 1)) % 1_000_003, 7);
    assert.equal(now, seen[frame], `look ${frame}`);
  }
});

test("a map that was opened bit by bit, by nobody or by half, is the map that is opened at once", () => {
  const other = recordedColumns()[0]!.recording!;
  const statesAt = (pages: ReturnType<typeof openPages>): Uint8Array => {
    goToFrame(pages, 9);
    return pages.states.slice();
  };
  openPages(other);
  const atOnce = statesAt(openPages(recording));
  for (const steps of [0, 1, 7, 100_000]) {
    openPages(other);
    const work = openingOf(recording);
    for (let i = 0; i < steps; i++) work.next();
    assert.deepEqual(statesAt(openPages(recording)), atOnce, `${steps} steps`);
  }
});

test("a region's history ends with what the map shows of it last", () => {
  const pages = openPages(recording);
  const history = historyOf(pages, 0);
  assert.ok(history.some(({ huge }) => huge === 512));
  assert.deepEqual({ ...history.at(-1), frame: 0 }, { frame: 0, huge: 0, base: 0, other: 0 });
});

test("every region has a cell of its own, and an address space begins a new row", () => {
  const layout = layOut(recording, columnsFor(recording, 800, 400));
  assert.equal(new Set(layout.cellOf).size, recording.map.regions.length);
  layout.cellOf.forEach((cell, region) => {
    assert.equal(layout.regionAt[cell], region);
  });
  assert.equal(layout.headings.length, new Set(recording.map.regions.map(({ mm }) => mm)).size);
});
