/**
 * The designs of NUMA balancing of 2012 against the tables that were published for them (docs/designs.md): M.
 * Gorman's machine of 4 nodes and 48 CPUs at a scale of 256, one hardware description for everything.
 */
import { expect, test } from "vitest";
import { simulate } from "../src/engine/simulation.ts";
import { workloadByName } from "../src/workloads/generators/index.ts";

const hardware = "numa-2012-4x12";
const machine = { nodes: 4, cpus: 48, memBytes: 64 * 2 ** 30, scale: 256 };

function secondsOf(workload: string, generation: string): number {
  return simulate(workloadByName(workload), { generation, hardware, machine }).result.runNs / 1e9;
}

/** Seconds of numa02 by the kernel that was measured: 6 November or 9 December 2012, and its table's base. */
const NUMA02: Readonly<Record<string, readonly [seconds: number, base: number]>> = {
  "autonuma-27": [60.65, 181.52],
  "autonuma-28": [53.45, 176.81],
  "numacore-october": [52.68, 181.52],
  numacore: [51.14, 176.81],
  "linux-3.8": [49.77, 176.81],
};

test("numa02 gains what was published, to within a quarter, under every design", () => {
  const base = secondsOf("numa02,size=4M,rounds=800", "linux-3.7-nobalance");
  // 800 GiB at one node's 5.1 GB/s are 168 s.
  expect(base).toBeGreaterThan(168);
  expect(base).toBeLessThan(172);
  for (const [generation, [seconds, publishedBase]] of Object.entries(NUMA02)) {
    const off = secondsOf("numa02,size=4M,rounds=800", generation) / base / (seconds / publishedBase) - 1;
    expect([generation, Math.abs(off) < 0.25]).toEqual([generation, true]);
  }
});

test("numa01 has the order that was published: numa/core, AutoNUMA, balancenuma, base", () => {
  // A sixth of the program's memory: the runs take a sixth of its time.
  const seconds = ["numacore", "autonuma", "linux-3.8", "linux-3.7-nobalance"].map((generation) =>
    secondsOf("numa01,size=2M", generation),
  );
  expect(seconds.toSorted((a, b) => a - b)).toEqual(seconds);
  // 1200 GiB from one node.
  expect(seconds.at(-1)).toBeGreaterThan(1200 / 5.1);
});

test("the command that names no machine runs on the published one", () => {
  const bare = simulate(workloadByName("numa01,size=2M,rounds=1"), { generation: "numacore" }).result;
  const named = simulate(workloadByName("numa01,size=2M,rounds=1"), {
    generation: "numacore",
    hardware,
    machine,
  });
  expect(JSON.stringify(bare)).toBe(JSON.stringify(named.result));
});
