import assert from "node:assert/strict";
import { test } from "vitest";
import { progressText } from "./progress.ts";

test("progress says how fast it goes, and how long still, once that can be told", () => {
  const text = "1 of 2, thp=never: 3.1 s of simulated time";
  const records = 2_500_000;
  assert.equal(
    progressText({ text, records, share: 0.25, elapsedMs: 1000 }),
    "1 of 2, thp=never: 3.1 s of simulated time, 2.5 M records/s, 25%, 3 s left",
  );
  assert.equal(
    progressText({ text, records: 900, share: 0.001, elapsedMs: 1000 }),
    "1 of 2, thp=never: 3.1 s of simulated time, 900 records/s",
  );
});
