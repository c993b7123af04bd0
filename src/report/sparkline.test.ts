import assert from "node:assert/strict";
import { test } from "vitest";
import { sampleResult } from "../../test/samples/results.ts";
import { memoryLines, sparkline } from "./sparkline.ts";

test("a line goes as high as the highest value in each part of the time", () => {
  const line = (tNs: number[], values: number[]) =>
    sparkline(tNs, values, { endNs: 8, most: 7, widthChars: 8 });
  assert.equal(line([0, 1, 2, 3, 4, 5, 6, 7, 8], [0, 1, 2, 3, 4, 5, 6, 7, 7]), "▁▂▃▄▅▆▇█");
  assert.equal(line([0, 4, 8], [0, 7, 0]), "▁▁▁▁████");
  assert.equal(line([0, 1, 2], [7, 7, 7]), "███");
});

test("runs are drawn on one scale of time and memory; what has no course is not drawn", () => {
  const series = { ...sampleResult().series, tNs: [0, 1e9, 2e9, 3e9], rssKb: [0, 1024, 2048, 0] };
  const long = sampleResult({ series, runNs: 3e9 });
  const [head, line] = memoryLines([{ name: "a", result: long }]);
  assert.equal(head, "resident memory over 3 s, up to 2 MiB");
  assert.match(line!, /^ {2}a {2}▁+▅+█+▁?$/);
  assert.deepEqual(memoryLines([{ name: "a", result: sampleResult() }]), []);
});
