import assert from "node:assert/strict";
import { test } from "vitest";
import { brokenExpectations, describeBroken, type SnapshotFigures } from "./expectations.ts";
import { parseScript } from "./parse.ts";

const snapshot: SnapshotFigures = {
  vmstat: { thp_fault_alloc: 31, pgfault: 103 },
  maps: { buf: { rss_kb: 64, anon_huge_kb: 0, anon_kb: 64, swap_kb: 0, node_pages: [16, 0] } },
};

/** The messages of the expectations that break. */
function broken(...lines: string[]): string[] {
  const script = parseScript(["map buf 64K", "map gone 4K", "snapshot s", ...lines].join("\n"), "t.pw");
  return brokenExpectations(script, (label) => (label === "s" ? snapshot : undefined)).map((each) =>
    describeBroken("t.pw", each),
  );
}

test("expectations that hold say nothing; a counter that did not change is 0", () => {
  assert.deepEqual(
    broken("expect thp_fault_alloc == 31", "expect thp_split_pmd == 0", "expect buf.node_pages[0] > 15"),
    [],
  );
});

test("a broken expectation says where, what was expected and what the run had", () => {
  assert.deepEqual(broken("expect thp_fault_alloc == 32", "expect gone.rss_kb == 0"), [
    "t.pw:4: expected thp_fault_alloc == 32, found 31 (snapshot s)",
    "t.pw:5: expected gone.rss_kb == 0, found nothing: no such region at that moment (snapshot s)",
  ]);
});

test("a tolerance widens every comparison below it, and != narrows", () => {
  assert.deepEqual(
    broken(
      "tolerance pgfault 3",
      "expect pgfault == 100",
      "expect pgfault <= 100",
      "expect pgfault >= 106",
      "expect pgfault < 101",
    ),
    [],
  );
  assert.equal(broken("tolerance pgfault 3", "expect pgfault == 99").length, 1);
  assert.equal(broken("tolerance pgfault 3", "expect pgfault != 105").length, 1);
});

test("of a snapshot that was never reached, counters and regions alike say just that", () => {
  const script = parseScript(
    ["map buf 64K", "snapshot s", "expect pgfault == 0", "expect buf.rss_kb == 0"].join("\n"),
    "t.pw",
  );
  const messages = brokenExpectations(script, () => undefined).map((each) => describeBroken("t.pw", each));
  assert.deepEqual(messages, [
    "t.pw:3: expected pgfault == 0, found nothing: the run did not reach that snapshot (snapshot s)",
    "t.pw:4: expected buf.rss_kb == 0, found nothing: the run did not reach that snapshot (snapshot s)",
  ]);
});
