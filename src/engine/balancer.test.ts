import { expect, test } from "vitest";
import { type Path, PREEMPT, sleepOp } from "../core/ops.ts";
import { MS_NS } from "../core/units.ts";
import { testKernel } from "../kernel/buddy/test-kernel.ts";
import { makeMm } from "../kernel/mm/mm.ts";
import { earlyTask } from "../kernel/numa/early/state.ts";
import { makeNumaTask } from "../kernel/numa/state.ts";
import { spend } from "../kernel/state.ts";
import { peekTimeNs } from "../lib/heap.ts";
import { type CpuRange, cpusOf, everyCpu, oneCpu } from "./cpu-range.ts";
import { runUntil, spawn } from "./driver.ts";
import { type Driver, makeDriver } from "./driver-state.ts";

/** Two nodes of two CPUs. */
function machine(options: Partial<Parameters<typeof testKernel>[0]> = {}): Driver {
  return makeDriver(testKernel({ frames: 4096, nodes: 2, cpus: 4, ...options }));
}

interface Job {
  readonly name: string;
  readonly cpu: number;
  readonly ms?: number;
  readonly cpus?: CpuRange;
  /** Sleeps so long before it begins to compute. */
  readonly sleepMs?: number;
}

function start(d: Driver, { name, cpu, ms = 1000, cpus = everyCpu(d.k.machine), sleepMs = 0 }: Job) {
  function* compute(): Path {
    if (sleepMs > 0) yield sleepOp(sleepMs * MS_NS);
    for (let i = 0; i < ms; i++) {
      spend(d.k, MS_NS);
      yield PREEMPT;
    }
  }
  const task = makeNumaTask(d.k, makeMm(d.k));
  return spawn(d, { name, mm: task.mm, task, cpus, cpu, atNs: 0, path: compute() });
}

/** Until nobody's next step comes before that time. */
function runTo(d: Driver, ms: number): void {
  runUntil(d, () => peekTimeNs(d.heap) >= ms * MS_NS);
}

/** Who has each CPU, and who waits for it: "a b(c) | . d" after so much time. */
function after(d: Driver, ms: number): string {
  runTo(d, ms);
  const name = (id: number): string => d.runners[id]?.name ?? ".";
  const cpus = d.cpus.map(
    ({ current, queue }) => name(current) + (queue.length > 0 ? `(${queue.map(name).join("")})` : ""),
  );
  return `${cpus.slice(0, 2).join(" ")} | ${cpus.slice(2).join(" ")}`;
}

test("an affinity is a range of CPUs; a node that has none binds nobody", () => {
  const { machine: of } = machine().k;
  expect(cpusOf(of, "any")).toEqual({ from: 0, to: 4 });
  expect(cpusOf(of, { node: 1 })).toEqual({ from: 2, to: 4 });
  expect(cpusOf(of, { cpu: 6 })).toEqual({ from: 2, to: 3 });
  expect(cpusOf({ ...of, nodes: 8 }, { node: 7 })).toEqual({ from: 0, to: 4 });
});

test("one task a CPU is left in peace, and so are tasks that are bound, however many", () => {
  const d = machine();
  for (const cpu of [0, 1, 2]) start(d, { name: "abc"[cpu]!, cpu });
  start(d, { name: "d", cpu: 3, cpus: oneCpu(3) });
  for (const name of "xyz") start(d, { name, cpu: 3, cpus: oneCpu(3) });
  expect(after(d, 1)).toBe("a b | c d(xyz)");
  runTo(d, 900);
  expect(d.runners.map(({ name, cpu }) => name + cpu)).toEqual(["a0", "b1", "c2", "d3", "x3", "y3", "z3"]);
  expect(d.balancer.figures).toEqual({ withinNode: 0, betweenNodes: 0 });
});

test("a task that wakes and finds its CPU busy goes to an idle one of its node at once", () => {
  const d = machine();
  start(d, { name: "a", cpu: 0 });
  start(d, { name: "b", cpu: 0, sleepMs: 1 });
  expect(after(d, 2)).toBe("a b | . .");
  expect(d.balancer.figures).toEqual({ withinNode: 1, betweenNodes: 0 });
});

test("where its node is full it waits, until an idle CPU elsewhere looks around at its tick", () => {
  const d = machine();
  for (const cpu of [0, 1]) start(d, { name: "ab"[cpu]!, cpu, sleepMs: 2 });
  start(d, { name: "c", cpu: 1, sleepMs: 3 });
  expect(after(d, 4)).toBe("a b(c) | . .");
  expect(after(d, 6)).toBe("a b | c .");
  expect(d.balancer.figures).toEqual({ withinNode: 0, betweenNodes: 1 });
});

test("a CPU whose task has ended takes the one that waits, of its own node before another's", () => {
  const d = machine();
  start(d, { name: "a", cpu: 0, ms: 2 });
  for (const name of "bc") start(d, { name, cpu: 1 });
  for (const name of "def") start(d, { name, cpu: 2, cpus: { from: 2, to: 4 } });
  for (const name of "ghi") start(d, { name, cpu: 3 });
  expect(after(d, 3)).toMatch(/^[bc] [bc] \|/);
});

test("a CPU with work of its own takes a task where two more wait", () => {
  const d = machine({ nodes: 1, cpus: 2 });
  for (const name of "abcd") start(d, { name, cpu: 0, cpus: everyCpu(d.k.machine), sleepMs: 1 });
  start(d, { name: "x", cpu: 1, cpus: oneCpu(1) });
  runTo(d, 200);
  expect(d.runners.filter(({ cpu }) => cpu === 1).length).toBe(2);
});

test("a node that runs two tasks more than another gives one up, after five looks in vain", () => {
  const d = machine();
  start(d, { name: "a", cpu: 0 });
  start(d, { name: "b", cpu: 1 });
  // A node's CPUs look every 4 ms, at other nodes every 4 ms too on a machine of four CPUs.
  expect(after(d, 16)).toBe("a b | . .");
  expect(after(d, 40)).toMatch(/^(a \.|\. b) \| (a|b|\.) (a|b|\.)$/);
  expect(d.balancer.figures.betweenNodes).toBe(1);
  runTo(d, 500);
  expect(d.balancer.figures.betweenNodes).toBe(1);
});

test("a task that comes from another node begins later, by what the move costs at its distance", () => {
  const d = machine();
  const { moveTaskNs } = d.k.costs;
  for (const cpu of [0, 1]) start(d, { name: "ab"[cpu]!, cpu, cpus: oneCpu(cpu), sleepMs: 2 });
  const c = start(d, { name: "c", cpu: 1, ms: 1, sleepMs: 3 });
  runUntil(d, () => c.state === "done");
  expect(c.clockNs).toBe(4 * MS_NS + 2 * moveTaskNs + MS_NS);
});

test("numa/core's tasks leave their home last: of two that wait, the one without a home goes", () => {
  const d = machine({
    behaviours: {
      numaDesign: {
        policy: "numacore",
        huge: "native",
        afterHuge: "retry",
        filter: "last-nid",
        pass: "whole",
        tasks: "home",
      },
    },
    tunables: { numaBalancing: true },
  });
  for (const cpu of [0, 1]) start(d, { name: "ab"[cpu]!, cpu, cpus: oneCpu(cpu), sleepMs: 2 });
  const stranger = start(d, { name: "c", cpu: 1, sleepMs: 3 });
  const atHome = start(d, { name: "d", cpu: 1, sleepMs: 3 });
  earlyTask(d.k, atHome.task!).selected = 0;
  start(d, { name: "e", cpu: 2, cpus: oneCpu(2) });
  runTo(d, 6);
  expect(stranger.cpu).toBe(3);
  expect(atHome.cpu).toBeLessThan(2);
});
