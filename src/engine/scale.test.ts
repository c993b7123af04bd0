import { expect, test } from "vitest";
import { hardwareByName } from "../hardware/index.ts";
import { WORKLOADS, workloadByName } from "../workloads/generators/index.ts";
import { scaleHardware } from "./scale.ts";
import { machineSpec, simulate } from "./simulation.ts";

test("a machine at scale 16 has a sixteenth of the memory in huge pages of a sixteenth", () => {
  const machine = machineSpec({ nodes: 4, cpus: 48, memBytes: 64 * 2 ** 30, scale: 16 }, undefined);
  expect(machine.memBytes).toBe(4 * 2 ** 30);
  expect(machine.geometry.pagesPerHuge).toBe(32);
});

test("what a base page costs grows, what a huge page costs does not", () => {
  const zen4 = hardwareByName("zen4")!;
  const scaled = scaleHardware(zen4, 16);
  expect(scaled.costs.copyPageNs).toBe(zen4.costs.copyPageNs * 16);
  expect(scaled.costs.nodeLinePs).toBe(zen4.costs.nodeLinePs * 16);
  expect(scaled.costs.copyHugeNs).toBe(zen4.costs.copyHugeNs);
});

test("a machine whose memory is given is not the workload's: scale and hardware are not either", () => {
  const own = { nodes: 4, cpus: 8, memBytes: 2 ** 34, hugeBytes: undefined, scale: 256 };
  expect(machineSpec({ seed: 2 }, own).scale).toBe(256);
  const other = { nodes: 2, cpus: 2, memBytes: 2 ** 30 };
  expect(machineSpec(other, own)).toMatchObject({ memBytes: 2 ** 30, scale: 1 });
  const short = workloadByName("numa01,size=2M,rounds=0,threads=2");
  expect(simulate(short).result).toMatchObject({
    hardware: "numa-2012-4x12",
    machine: "nodes=4 cpus=48 mem=64G scale=256",
  });
  expect(simulate(short, { machine: other }).result.hardware).toBe("zen4");
  expect(simulate(short, { hardware: "zen3" }).result.hardware).toBe("zen3");
});

test("hardware that workloads name exists", () => {
  const named = WORKLOADS.flatMap(({ hardware = [] }) => hardware);
  expect(named.map((name) => hardwareByName(name)?.name)).toEqual(named);
});

/** numa02 on the machine of the published table, shortened to a tenth of its rounds. */
function numa02(generation: string, scale: number) {
  const { result } = simulate(workloadByName(`numa02,rounds=80,size=${1024 / scale}M`), {
    generation,
    hardware: "numa-2012-4x12",
    machine: { nodes: 4, cpus: 48, memBytes: 64 * 2 ** 30, scale },
  });
  return result;
}

test("the same program takes the same time at two scales, and moves as much memory", () => {
  const [coarse, fine] = [numa02("linux-3.8", 64), numa02("linux-3.8", 32)];
  expect(coarse.runNs / fine.runNs).toBeGreaterThan(0.8);
  expect(coarse.runNs / fine.runNs).toBeLessThan(1.25);
  const moved = [coarse, fine].map(({ vmstat }, i) => vmstat.numa_pages_migrated! * [64, 32][i]!);
  expect(moved[0]! / moved[1]!).toBeGreaterThan(0.8);
  expect(moved[0]! / moved[1]!).toBeLessThan(1.25);
  expect(coarse.settings["kernel.numa_balancing_scan_size_mb"]).toBe("4");
});

test("without balancing numa02 is as fast as one node's memory; balanced, it is much faster", () => {
  const base = numa02("linux-3.7-nobalance", 64).runNs;
  // 80 GiB at 5.1 GB/s are 16.8 s.
  expect(base / 1e9).toBeGreaterThan(16.8);
  expect(base / 1e9).toBeLessThan(18);
  const ratio = numa02("linux-3.8", 64).runNs / base;
  expect(ratio).toBeGreaterThan(0.25);
  // Eight of its twenty-five seconds pass before the first pages move.
  expect(ratio).toBeLessThan(0.75);
});
