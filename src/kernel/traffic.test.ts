import { expect, test } from "vitest";
import { LIFE } from "../core/geometry.ts";
import { hardwareByName } from "../hardware/index.ts";
import type { MachineSpec } from "./machine.ts";
import { askMemory, countLines, LINE_COUNTS, linesBySide, makeTraffic } from "./traffic.ts";

const { costs } = hardwareByName("zen4")!;

/** Three nodes in a row, two CPUs each: neighbours at 20, the ends at 30. */
const machine: MachineSpec = {
  nodes: 3,
  cpus: 6,
  memBytes: 2 ** 30,
  geometry: LIFE,
  distances: [10, 20, 30, 20, 10, 20, 30, 20, 10],
  swapBytes: 0,
  fragmentedRatio: 0,
  seed: 1,
};

const visitPs = (from: number, to: number, lines: number): number =>
  makeTraffic(machine, costs).visitPs[(from * 3 + to) * LINE_COUNTS + lines]!;

test("one line takes the latency, which grows with the distance", () => {
  expect(visitPs(0, 0, 1)).toBe(costs.lineLatencyPs);
  expect(visitPs(0, 1, 1)).toBe(costs.remoteLatencyPs);
  expect(visitPs(0, 2, 1)).toBe(costs.lineLatencyPs + 2 * (costs.remoteLatencyPs - costs.lineLatencyPs));
  expect(visitPs(0, 2, 0)).toBe(0);
});

test("the lines behind the first come as a stream", () => {
  expect(visitPs(1, 1, 64)).toBe(costs.lineLatencyPs + 63 * costs.lineStreamPs);
  expect(visitPs(1, 2, 64)).toBe(costs.remoteLatencyPs + 63 * costs.remoteStreamPs);
});

test("a CPU alone never waits for its node's memory", () => {
  const t = makeTraffic(machine, costs);
  for (let nowNs = 0; nowNs < 1e6; ) {
    const doneNs = nowNs + (64 * costs.lineStreamPs) / 1000;
    expect(askMemory(t, 0, 64, nowNs, doneNs)).toBe(doneNs);
    nowNs = doneNs;
  }
  expect(t.waitNs).toBe(0);
});

test("CPUs that ask for more than a node gives wait until it has given it, however they take turns", () => {
  const t = makeTraffic(machine, costs);
  const cpus = 64;
  const clocks = new Float64Array(cpus);
  const visits = 4000;
  for (let i = 0; i < visits * cpus; i++) {
    const cpu = i % cpus;
    const fromNs = clocks[cpu]!;
    clocks[cpu] = askMemory(t, 1, 64, fromNs, fromNs + (64 * costs.lineStreamPs) / 1000);
  }
  const allNs = (visits * cpus * 64 * costs.nodeLinePs) / 1000;
  expect(Math.max(...clocks) / allNs).toBeGreaterThan(0.95);
  expect(Math.max(...clocks) / allNs).toBeLessThan(1.05);
  expect(t.waitNs).toBeGreaterThan(0);
});

test("lines are near or far by the CPU's node", () => {
  const traffic = makeTraffic(machine, costs);
  countLines(traffic, 1, 0, 10, 0);
  countLines(traffic, 2, 0, 7, 1000);
  countLines(traffic, 5, 2, 5, 0);
  expect(linesBySide({ machine, traffic })).toEqual({ local: 15, remote: 7 });
  expect(traffic.remotePs[2]).toBe(1000);
});
