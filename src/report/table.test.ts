import assert from "node:assert/strict";
import { test } from "vitest";
import { sampleHuge, sampleResult } from "../../test/samples/results.ts";
import type { Result } from "../metrics/result.ts";
import { contentionOf, jsonColumn, renderJson } from "./json.ts";
import { type Cell, counterRows, tableOf } from "./table.ts";

const columns = [
  { name: "thp=never", result: sampleResult() },
  { name: "thp=always", result: sampleHuge() },
];

function cellsOf(key: string, results: readonly Result[]): readonly Cell[] | undefined {
  const groups = tableOf(results.map((result, i) => ({ name: `c${i}`, result })));
  return groups.flatMap((group) => group.rows).find((row) => row.key === key)?.cells;
}

test("every figure that compare promises has a row", () => {
  const keys = tableOf(columns).flatMap((group) => group.rows.map((row) => row.key));
  const promised =
    "touched peak_rss_sum mean_rss_sum peak_rss peak_bloat huge_from_fault huge_collapsed " +
    "huge_split huge_fallback " +
    "huge_share_mean page_faults faults_anon_4k faults_anon_huge fault_time fault_p50 fault_p99 " +
    "fault_p999 fault_max " +
    "tlb_misses walk_time khugepaged_time compaction_time run_time";
  assert.deepEqual(
    promised.split(" ").filter((key) => !keys.includes(key)),
    [],
  );
});

test("more memory is worse, fewer faults are better, and what is neither is not judged", () => {
  const results = [sampleResult(), sampleHuge()];
  assert.equal(cellsOf("peak_rss_sum", results)![1]!.verdict, "worse");
  assert.equal(cellsOf("page_faults", results)![1]!.verdict, "better");
  assert.equal(cellsOf("huge_share_mean", results)![1]!.verdict, "better");
  assert.equal(cellsOf("touched", results)![1]!.verdict, "neutral");
  assert.equal(cellsOf("peak_rss_sum", results)![0]!.verdict, "neutral");
});

test("a difference below half a percent is called the same", () => {
  const results = [
    sampleResult({ runNs: 1000 }),
    sampleResult({ runNs: 1004 }),
    sampleResult({ runNs: 1006 }),
  ];
  assert.deepEqual(
    cellsOf("run_time", results)!.map((cell) => cell.verdict),
    ["neutral", "same", "worse"],
  );
});

test("nothing is related to a first column of 0", () => {
  const cell = cellsOf("peak_bloat", [sampleResult(), sampleHuge()])![1]!;
  assert.equal(cell.relative, undefined);
  assert.equal(cell.verdict, "worse");
});

test("TLB rows are left out when the trace holds faults alone, and rare rows when all are 0", () => {
  const faultsOnly = [
    sampleResult({ referencesComplete: false }),
    sampleResult({ referencesComplete: false }),
  ];
  assert.equal(cellsOf("tlb_misses", faultsOnly), undefined);
  assert.equal(cellsOf("cow_copied", faultsOnly), undefined);
  assert.ok(cellsOf("cow_copied", [sampleResult({ cowCopiedKb: 4 }), sampleResult()]));
});

test("counters come in kernel order, those that only one column has with 0 in the others", () => {
  const rows = counterRows(columns);
  assert.deepEqual(
    rows.map((row) => [row.key, ...row.cells.map((cell) => cell.value)]),
    [
      ["pgfault", 1024, 620],
      ["thp_fault_alloc", 0, 20],
    ],
  );
});

test(
  "JSON has every scalar figure of a result in snake_case, and counters under their kernel " + "names",
  () => {
    const column = jsonColumn(columns[1]!);
    assert.equal(column.name, "thp=always");
    assert.partialDeepStrictEqual(column.vmstat, { pgfault: 620, thp_fault_alloc: 20, thp_split_page: 0 });
    assert.equal(column.peak_rss_kb, 4388);
    assert.equal(column.peak_anon_huge_kb, 4096);
    assert.equal((column.faults_all as Record<string, number>).p999_ns, 176_000);
    assert.equal((column.faults as Record<string, Record<string, number>>).anon_huge!.count, 20);
    assert.equal((column.tlb as Record<string, number>).walk_ns, 1500);
    const whole = JSON.parse(renderJson(columns)).columns as { vmstat: object }[];
    assert.deepEqual(Object.keys(whole[0]!.vmstat), Object.keys(whole[1]!.vmstat));
    assert.partialDeepStrictEqual(whole[0]!.vmstat, { pgfault: 1024, thp_fault_alloc: 0 });
  },
);

test("contention says of each class of lock that was taken how often and how long it was waited for", () => {
  const of = (lockClass: string, acquisitions: number) => ({
    ...{ lockClass, acquisitions, waits: 2, waitTotalNs: 30, waitMaxNs: 20 },
  });
  const locks = [of("mmap_lock", 7), of("lru", 0)];
  const mmapLock = { acquisitions: 7, waits: 2, wait_total_ns: 30, wait_max_ns: 20 };
  assert.deepEqual(contentionOf({ locks }), { mmap_lock: mmapLock });
  const column = jsonColumn({ name: "a", result: { ...columns[1]!.result, locks } });
  assert.deepEqual(column.contention, { mmap_lock: mmapLock });
});
