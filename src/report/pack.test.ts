import assert from "node:assert/strict";
import fc from "fast-check";
import { expect, test } from "vitest";
import { recordedColumns } from "../../test/samples/recorded.ts";
import { readResults, renderJson } from "./json.ts";
import { pack, unpack } from "./pack.ts";

test("what is packed comes back equal", () => {
  const [column] = recordedColumns();
  assert.deepEqual(unpack(pack(column)), column);
});

test("columns of any numbers come back equal", () => {
  const numbers = fc.array(fc.oneof(fc.double(), fc.maxSafeInteger(), fc.integer({ min: -300, max: 300 })));
  fc.assert(
    fc.property(numbers, fc.uint8Array(), fc.uint32Array(), (doubles, bytes, words) => {
      const value = { a: Float64Array.from(doubles), b: [{ bytes }], words, i: Int32Array.from(words) };
      assert.deepEqual(unpack(pack(value)), value);
    }),
  );
});

test("columns that are cut off are refused", () => {
  const { json, bytes } = pack({ a: Float64Array.of(1, 2, 300) });
  expect(() => unpack({ json, bytes: bytes.subarray(0, 2) })).toThrow(/cut off/);
});

test("results that are read are those that were written", () => {
  const columns = recordedColumns().map(({ name, result }) => ({ name, result }));
  assert.deepEqual(readResults(renderJson(columns), "r.json"), JSON.parse(JSON.stringify(columns)));
});

test("results from the future, cut off, or of another kind are refused in a sentence", () => {
  const text = renderJson(recordedColumns());
  const refusals = [
    [text.replace('"version":1', '"version":7'), /its version is 7, this Pagewise reads up to 1/],
    [text.slice(0, 500), /no JSON, or cut off/],
    ['{"columns":[]}', /expected "format": "pagewise-results"/],
    [text.replace('"series"', '"serious"'), /column 1 has no 'series'/],
    [text.replace(/"columns":.*/, '"columns":[]}'), /holds no columns/],
  ] as const;
  for (const [bad, message] of refusals) expect(() => readResults(bad, "r.json")).toThrow(message);
});
