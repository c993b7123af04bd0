import { expect, test } from "vitest";
import { LIFE } from "../core/geometry.ts";
import { hardwareByName } from "../hardware/index.ts";
import { evenDistances, type MachineSpec } from "./machine.ts";
import { askMemory, countLines, LINE_COUNTS, linesBySide, makeTraffic, type Traffic } from "./traffic.ts";

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
    expect(askMemory(t, { from: 0, to: 0 }, 64, nowNs, doneNs)).toBe(doneNs);
    nowNs = doneNs;
  }
});

test("CPUs that ask for more than a node gives wait until it has given it, however they take turns", () => {
  const t = makeTraffic(machine, costs);
  const cpus = 64;
  const clocks = new Float64Array(cpus);
  const visits = 4000;
  for (let i = 0; i < visits * cpus; i++) {
    const cpu = i % cpus;
    const fromNs = clocks[cpu]!;
    clocks[cpu] = askMemory(t, { from: 1, to: 1 }, 64, fromNs, fromNs + (64 * costs.lineStreamPs) / 1000);
  }
  const allNs = (visits * cpus * 64 * costs.nodeLinePs) / 1000;
  expect(Math.max(...clocks) / allNs).toBeGreaterThan(0.95);
  expect(Math.max(...clocks) / allNs).toBeLessThan(1.05);
});

/**
 * How much CPUs get that ask one node for lines all the time, in GB/s: each says how fast it could take them.
 */
function rates(t: Traffic, cpus: readonly { readonly to: number; readonly bytesPerNs: number }[]): number[] {
  const clocks = new Float64Array(cpus.length);
  const bytes = new Float64Array(cpus.length);
  const untilNs = 5e6;
  for (;;) {
    const next = clocks.indexOf(Math.min(...clocks));
    const fromNs = clocks[next]!;
    if (fromNs >= untilNs) return [...bytes].map((sum) => sum / untilNs);
    const { to, bytesPerNs } = cpus[next]!;
    clocks[next] = askMemory(t, { from: 0, to }, 64, fromNs, fromNs + 4096 / bytesPerNs);
    bytes[next]! += 4096;
  }
}

const sum = (numbers: readonly number[]): number => numbers.reduce((all, each) => all + each, 0);

/** Four nodes on two boards: memory gives 20 GB/s, a link 3, the way between the boards 4. */
const boards = makeTraffic(
  { ...machine, nodes: 4, cpus: 16, distances: evenDistances(4) },
  { ...costs, nodeLinePs: 3200, linkLinePs: 21_333, boardLinePs: 16_000, boardNodes: 2 },
);

test("a link gives its rate to all CPUs of a node together, and the own node's CPUs never use it", () => {
  const neighbours = Array.from({ length: 8 }, () => ({ to: 1, bytesPerNs: 2 }));
  expect(sum(rates(boards, neighbours))).toBeCloseTo(3, 0);
  const own = Array.from({ length: 8 }, () => ({ to: 0, bytesPerNs: 2 }));
  expect(sum(rates(makeTraffic(machine, { ...costs, linkLinePs: 21_333 }), own))).toBeCloseTo(16, 0);
});

test("two links to the other board share the way between the boards", () => {
  const t = { ...boards, backlogNs: boards.backlogNs.map(() => 0), latestNs: boards.latestNs.map(() => 0) };
  const far = Array.from({ length: 8 }, (_, i) => ({ to: 2 + (i % 2), bytesPerNs: 2 }));
  expect(sum(rates(t, far))).toBeCloseTo(4, 0);
});

test("at a busy node, who needs less time of its own is a little ahead of who is far away", () => {
  const t = makeTraffic(machine, { ...costs, nodeLinePs: 12_500 });
  const [near, far] = rates(t, [
    { to: 0, bytesPerNs: 4 },
    { to: 1, bytesPerNs: 2.6 },
    ...Array.from({ length: 10 }, () => ({ to: 0, bytesPerNs: 4 })),
  ]);
  expect(near! / far!).toBeGreaterThan(1);
  expect(near! / far!).toBeLessThan(1.1);
});

test("lines are near or far by the CPU's node", () => {
  const traffic = makeTraffic(machine, costs);
  countLines(traffic, 1, 0, 10, 0);
  countLines(traffic, 2, 0, 7, 1000);
  countLines(traffic, 5, 2, 5, 0);
  expect(linesBySide({ machine, traffic })).toEqual({ local: 15, remote: 7 });
  expect(traffic.remotePs[2]).toBe(1000);
});

test("a memory that takes turns serves its own CPUs twice for once each link, if all ask for more", () => {
  const t = makeTraffic(machine, { ...costs, nodeLinePs: 12_500, nearTurns: 2 });
  const cpus = [0, 0, 1, 1, 1, 2].map((to) => ({ to, bytesPerNs: 20 }));
  const got = rates(t, cpus);
  const of = (node: number) =>
    got.filter((_, i) => cpus[i]!.to === node).reduce((sum, rate) => sum + rate, 0);
  const all = of(0) + of(1) + of(2);
  expect(all / (64 / 12.5)).toBeCloseTo(1, 1);
  expect(of(0) / all).toBeCloseTo(1 / 2, 1);
  expect(of(1) / all).toBeCloseTo(1 / 4, 1);
  expect(of(2) / all).toBeCloseTo(1 / 4, 1);
});

test("turns that nobody wants are the others': a link alone gets all of the memory", () => {
  const t = makeTraffic(machine, { ...costs, nodeLinePs: 12_500, nearTurns: 2 });
  const got = rates(
    t,
    [1, 1, 1].map((to) => ({ to, bytesPerNs: 20 })),
  );
  expect(got.reduce((sum, rate) => sum + rate, 0) / (64 / 12.5)).toBeCloseTo(1, 1);
});
