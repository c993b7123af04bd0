/** What the named workloads claim: footprint, sharing, who touches what; a comparison on several nodes. */
import { describe, expect, test } from "vitest";
import { simulate } from "../src/engine/simulation.ts";
import type { Result } from "../src/metrics/result.ts";
import { PLAIN, renderText } from "../src/report/text.ts";
import { slabPages } from "../src/workloads/generators/arenas.ts";
import { workloadByName } from "../src/workloads/generators/index.ts";
import { expectGolden } from "./samples/golden.ts";

const MIB = 2 ** 20;
const PAGE_LINES = 64;
const pagesOf = (bytes: number) => bytes / 4096;

/** Runs a workload on 2 nodes with 4 CPUs, base pages, without balancing. */
function run(text: string, settings: Record<string, string | number> = {}): Result {
  const machine = { nodes: 2, cpus: 4, memBytes: 2 ** 30 };
  const all = { thp: "never", "kernel.numa_balancing": 0, ...settings };
  return simulate(workloadByName(text), { machine, settings: all, verify: true }).result;
}

const linesOf = ({ numa }: Result): number => numa!.localLines + numa!.remoteLines;

describe("arenas", () => {
  const small = "arenas,threads=6,peak=3M,rounds=3,decay=20ms";

  test("slabs hold their objects without a rest, as jemalloc's do", () => {
    expect([16, 48, 112, 320, 1792, 4096, 14336].map(slabPages)).toEqual([1, 3, 7, 5, 7, 1, 7]);
  });

  test("map 2 MiB and more at a time for each thread, and give most of it back after a peak", () => {
    const { touchedPeakKb, vmstat } = run(small);
    expect(touchedPeakKb).toBeGreaterThan(6 * 1.5 * 1024);
    expect(touchedPeakKb).toBeLessThan(6 * 4 * 1024);
    // Pages that were given back are touched again by the second peak.
    expect(vmstat.pgfault! * 4).toBeGreaterThan(touchedPeakKb * 1.1);
  });

  test("cost more memory with huge pages at the first touch than with reservations", () => {
    const peakOf = (settings: Record<string, string | number>): number => {
      const options = { generation: "linux-6.1+reservations", settings, verify: true };
      return simulate(workloadByName(small), options).result.peakRssSumKb;
    };
    const [never, always] = [peakOf({ thp: "never" }), peakOf({ thp: "always" })];
    const reserved = peakOf({ thp: "always", promotion_threshold: 512 });
    expect(always).toBeGreaterThan(never * 1.1);
    expect(reserved).toBeLessThan(never * 1.05);
  });
});

describe("numa01", () => {
  test("is two processes whose threads all zero all of their process's memory", () => {
    const result = run("numa01,size=2M,rounds=3");
    expect(result.processes.map(({ name }) => name).sort()).toEqual(["numa01", "numa01-0", "numa01-1"]);
    expect(result.touchedPeakKb).toBe(2 * 2048);
    // 2 processes, 2 threads each; 1 round in front and 3 behind.
    expect(linesOf(result)).toBe(2 * 2 * (1 + 3) * pagesOf(2 * MIB) * PAGE_LINES);
  });

  test("THREADLOCAL's threads zero all of it once, and then each its own slice, one of two", () => {
    const result = run("numa01_THREADLOCAL,size=2M,rounds=3");
    expect(result.touchedPeakKb).toBe(2 * 2048);
    expect(linesOf(result)).toBe(2 * (2 + 3) * pagesOf(2 * MIB) * PAGE_LINES);
  });

  test("binds its memory to one node and no thread: half of the threads are near it, half are far", () => {
    const { numa } = run("numa01,size=2M,rounds=9");
    expect(numa!.localLines).toBe(numa!.remoteLines);
  });
});

describe("numa02", () => {
  test("begins with all memory on the first thread's node, so that others have it far away", () => {
    const { numa } = run("numa02,size=4M,rounds=9");
    const all = pagesOf(4 * MIB) * PAGE_LINES;
    // The first round is the main thread's; of the others, half are run by CPUs of its node.
    expect(numa!.localLines).toBe(all + (9 * all) / 2);
    expect(numa!.remoteLines).toBe((9 * all) / 2);
    expect(numa!.remoteNs).toBeGreaterThan(0);
  });

  test("SMT has half as many threads, which do the same work over more time", () => {
    const all = run("numa02,size=4M,rounds=20");
    const half = run("numa02_SMT,size=4M,rounds=20");
    expect(linesOf(half)).toBe(linesOf(all));
    expect(half.runNs).toBeGreaterThan(all.runNs * 1.3);
  });
});

describe("stream", () => {
  test("reads and writes each array as its four loops do", () => {
    // Per round: copy 2, scale 2, add 3, triad 3 pages for each page of an array; and 3 at the start.
    expect(linesOf(run("stream,size=2M,rounds=2"))).toBe((3 + 2 * 10) * pagesOf(2 * MIB) * PAGE_LINES);
  });

  test("has its memory near when every thread touches its share first, half of it far when one does", () => {
    const { numa: parallel } = run("stream,size=4M,rounds=4");
    const { numa: serial } = run("stream,size=4M,rounds=4,init=serial");
    expect(parallel!.remoteLines).toBe(0);
    expect(serial!.remoteLines).toBe(serial!.localLines - 3 * pagesOf(4 * MIB) * PAGE_LINES);
  });
});

test("gups fetches one line with each update, from all nodes alike", () => {
  const { numa, tlb } = run("gups,size=16M,updates=20000");
  const filled = pagesOf(16 * MIB) * PAGE_LINES;
  expect(numa!.localLines + numa!.remoteLines).toBe(filled + 4 * 20_000);
  expect(Math.abs(numa!.remoteLines / (4 * 20_000) - 0.5)).toBeLessThan(0.01);
  expect(tlb.walks).toBeGreaterThan(4 * 5000);
});

describe("kv", () => {
  test("forks once for each snapshot, and copies what is written meanwhile", () => {
    const saved = run("kv,size=8M,requests=20000,snapshots=2");
    expect(saved.processes.map(({ name }) => name).sort()).toEqual(["kv", "save-0", "save-1"]);
    expect(saved.cowCopiedKb).toBeGreaterThan(1000);
  });

  test("copies nothing when nobody writes, or nobody saves", () => {
    expect(run("kv,size=4M,requests=5000,writes=0").cowCopiedKb).toBe(0);
    expect(run("kv,size=4M,requests=5000,snapshots=0").cowCopiedKb).toBe(0);
  });
});

test("thp-mover's memory stays where it was without balancing, and follows with it", () => {
  const workload = "thp-mover,size=4M,stay=300ms,moves=1,threads=2";
  const quick = { scan_delay_ms: 20, scan_period_min_ms: 100, thp: "always" };
  const still = run(workload, quick);
  const moved = run(workload, { ...quick, "kernel.numa_balancing": 1 });
  expect(still.vmstat.thp_migration_success ?? 0).toBe(0);
  expect(still.numa!.remoteLines / linesOf(still)).toBeGreaterThan(0.4);
  expect(moved.vmstat.thp_migration_success).toBe(still.hugeFromFault);
  expect(moved.numa!.remoteLines / linesOf(moved)).toBeLessThan(0.35);
});

test("a comparison on several nodes shows where memory was and what balancing cost", async () => {
  const machine = { nodes: 2, cpus: 4, memBytes: 2 ** 30 };
  const workload = workloadByName("numa02,size=16M,rounds=1000");
  const columns = [0, 1].map((balancing) => {
    const settings = { numa_balancing: balancing, scan_delay_ms: 50, scan_period_min_ms: 100 };
    return { name: `numa_balancing=${balancing}`, result: simulate(workload, { machine, settings }).result };
  });
  const how = { version: "TEST", mode: "human", counters: false, widthChars: 100, painter: PLAIN } as const;
  await expectGolden("numa-compare", renderText(columns, how), "test/workloads.test.ts");
});
