import { describe, expect, test } from "vitest";
import type { ScriptLine } from "../engine/simulate.ts";
import { parseScript } from "../workloads/script/parse.ts";
import { claimRows } from "./claims.ts";
import { compareRuns, LIVE, SHARED } from "./compare.ts";
import { renderVerdict } from "./difference-table.ts";

const script = parseScript("map r 4M\nwrite r\nsnapshot s\n", "x.pw");
const region = { rss_kb: 4096, anon_huge_kb: 2048, anon_kb: 4096, swap_kb: 0, node_pages: [1024] };

function snapshot(vmstat: Record<string, number>, r: Partial<typeof region> | null = {}): ScriptLine {
  const maps = r === null ? {} : { r: { ...region, ...r } };
  return { snapshot: "s", vmstat, maps } as ScriptLine;
}

/** The figures that differ, as `figure model/kernel`. */
function differing(model: readonly ScriptLine[], kernel: readonly ScriptLine[], of = script): string[] {
  const { rows } = compareRuns(of, model, kernel, LIVE);
  return rows.filter(({ agrees }) => !agrees).map((row) => `${row.figure} ${row.model}/${row.kernel}`);
}

describe("what agrees and what does not", () => {
  test("a counter of huge pages must be exact, a missing one is zero", () => {
    expect(differing([snapshot({ thp_fault_alloc: 1 })], [snapshot({ thp_fault_alloc: 2 })])).toEqual([
      "thp_fault_alloc 1/2",
    ]);
    expect(differing([snapshot({})], [snapshot({ thp_split_pmd: 1 })])).toEqual(["thp_split_pmd 0/1"]);
  });

  test("pgfault may differ by three, not by four", () => {
    expect(differing([snapshot({ pgfault: 10 })], [snapshot({ pgfault: 13 })])).toEqual([]);
    expect(differing([snapshot({ pgfault: 10 })], [snapshot({ pgfault: 14 })])).toEqual(["pgfault 10/14"]);
  });

  test("swap is exact until memory has been short on both sides: then claims alone hold", () => {
    const swapping = parseScript("machine nodes=1 cpus=1 mem=1G swap=1G\nmap r 4M\nsnapshot s\n", "x.pw");
    const short = { pgscan_kswapd: 9 };
    const run = (scans: object, pswpout: number) => [snapshot({ pswpout, ...scans })];
    expect(differing(run({}, 10), run({}, 11), swapping)).toEqual(["pswpout 10/11"]);
    expect(differing(run({}, 10), run(short, 11), swapping)).toEqual(["pswpout 10/11"]);
    expect(differing(run(short, 10), run(short, 11), swapping)).toEqual([]);
  });

  test("counters that the script does not cause are not compared", () => {
    expect(differing([snapshot({})], [snapshot({ nr_free_pages: -12, numa_hit: 9 })])).toEqual([]);
  });

  test("on a machine that others use too, regions are compared and counters are not", () => {
    const other = [snapshot({ thp_fault_alloc: 9, pgfault: 900 }, { rss_kb: 4092 })];
    const { rows } = compareRuns(script, [snapshot({})], other, SHARED);
    expect(rows.filter(({ agrees }) => !agrees).map(({ figure }) => figure)).toEqual(["r.rss_kb"]);
  });

  test("what a script expects must hold of both, of their counters only where they are the script's", () => {
    const lines = "expect r.rss_kb == 4096\nexpect thp_fault_alloc == 1\n";
    const claims = parseScript(`map r 4M\nwrite r\nsnapshot s\n${lines}`, "x.pw");
    const sides = [
      [snapshot({ thp_fault_alloc: 1 })],
      [snapshot({ thp_fault_alloc: 1 }, { rss_kb: 8 })],
    ] as const;
    const told = (closeness: typeof LIVE) =>
      claimRows(claims, ...sides, closeness).map(
        (row) => `${row.figure}: ${row.model}/${row.kernel} ${row.agrees}`,
      );
    expect(told(LIVE)).toEqual(["r.rss_kb == 4096: 4096/8 false", "thp_fault_alloc == 1: 1/1 true"]);
    expect(told(SHARED)).toEqual(["r.rss_kb == 4096: 4096/8 false"]);
  });

  test("a region's figures are exact, node by node, and it is mapped on both sides or on none", () => {
    expect(differing([snapshot({})], [snapshot({}, { rss_kb: 4092 })])).toEqual(["r.rss_kb 4096/4092"]);
    expect(differing([snapshot({})], [snapshot({}, { node_pages: [1000, 24] })])).toEqual([
      "r.node_pages[0] 1024/1000",
      "r.node_pages[1] 0/24",
    ]);
    expect(differing([snapshot({})], [snapshot({}, null)])).toContain("r.rss_kb 4096/not mapped");
  });

  test("a call that fails on one side alone differs, whatever the snapshots say", () => {
    const failed: ScriptLine = { errno: 22, op: "advise", line: 2 };
    expect(differing([snapshot({})], [failed, snapshot({})])).toEqual([
      "errno succeeds/line 2: advise fails with 22",
    ]);
  });

  test("a snapshot that only one side reached differs", () => {
    expect(differing([], [snapshot({})])).toEqual(["snapshot never reached/reached"]);
  });

  test("in a block of during, a call that fails again and again counts once", () => {
    const text = "map r 4M\nduring 1s {\n  advise r collapse\n}\nsnapshot s\n";
    const failed: ScriptLine = { errno: 22, op: "advise", line: 3 };
    const busy = parseScript(text, "x.pw");
    expect(differing([failed, failed, snapshot({})], [failed, snapshot({})], busy)).toEqual([]);
  });
});

describe("what is shown", () => {
  test("a difference stands in the table with both figures, the tolerance and why", () => {
    const comparison = compareRuns(script, [snapshot({ pgfault: 10 })], [snapshot({ pgfault: 20 })], LIVE);
    const text = renderVerdict("x", { kind: "differs", comparison }, false);
    expect(text).toMatch(/^DIFFERS {2}x: 1 of \d+ figures\n/);
    expect(text).toMatch(/s +pgfault +10 +20 +± 3 +DIFFERS +a program faults on its own pages too\n/);
  });

  test("what was not run says so and why", () => {
    expect(renderVerdict("x", { kind: "not-run", why: "the guest hung" }, false)).toBe(
      "NOT RUN  x: the guest hung\n",
    );
  });
});
