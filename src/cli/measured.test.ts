import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, test } from "vitest";
import { readMeasurements } from "./measured.ts";

const folder = mkdtempSync(join(tmpdir(), "pagewise-measured-"));
afterAll(() => rmSync(folder, { recursive: true }));

function read(text: string): unknown {
  const path = join(folder, "m.json");
  writeFileSync(path, text);
  return readMeasurements(path).measurements;
}

test("figures that were not measured are left out", () => {
  const text = '{"source": "Linux", "columns": [{"column": "thp=always", "huge_pages": 20}]}';
  assert.deepEqual(read(text), [{ column: "thp=always", source: "Linux", hugePages: 20 }]);
});

test("anything else is refused with what was expected", () => {
  for (const text of ["{", "[]", '{"source": "x"}', '{"source": "x", "columns": [{"column": 1}]}']) {
    assert.throws(() => read(text), /expected \{"source": TEXT/);
  }
  assert.throws(
    () => read('{"source":"x","columns":[{"column":"a","page_faults":"3"}]}'),
    /found \{"column":"a"/,
  );
});
