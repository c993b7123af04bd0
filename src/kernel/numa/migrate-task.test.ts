import { expect, test } from "vitest";
import { SMALL } from "../../core/geometry.ts";
import { asCpu, type NodeId } from "../../core/units.ts";
import { testKernel } from "../buddy/test-kernel.ts";
import { makeMm } from "../mm/mm.ts";
import { groupWeight, leavesMainline, migrateTask, taskWeight } from "./migrate-task.ts";
import { FAULTS, faultIndex, makeNumaTask, type NumaGroup, type NumaTask } from "./state.ts";

/** Memory faults by node, as "80,20" of a task. */
interface Seat {
  readonly faults?: string;
  readonly preferred?: number;
  readonly group?: NumaGroup;
  /** Bound to its CPU. */
  readonly bound?: boolean;
}

/** Two nodes of two CPUs; the task on CPU 0 looks for a better place. `undefined` is an idle CPU. */
function stage(seats: readonly (Seat | undefined)[]) {
  const k = testKernel({ frames: 4096, geometry: SMALL, nodes: 2, cpus: 4 });
  const mm = makeMm(k);
  const tasks = seats.map((seat) => {
    if (seat === undefined) return undefined;
    const task = makeNumaTask(k, mm);
    task.preferred = (seat.preferred ?? -1) as NodeId;
    task.group = seat.group;
    task.faults = new Float64Array(16);
    for (const [node, faults] of (seat.faults ?? "").split(",").entries()) {
      task.faults[faultIndex(k, FAULTS.MEM, node, 1)] = Number(faults);
      task.totalFaults += Number(faults);
    }
    return task;
  });
  for (const [cpu, task] of tasks.entries()) k.numa.running[cpu] = task;
  k.cpu = asCpu(0);
  const moves: string[] = [];
  k.numa.seats = {
    tasksOn: (cpu) => (tasks[cpu] === undefined ? 0 : 1),
    mayGo: () => seats[0]?.bound !== true,
    mayCome: (cpu) => seats[cpu]?.bound !== true,
    go: (cpu) => moves.push("to CPU " + cpu),
  };
  k.numa.exchange = (cpu) => moves.push("for CPU " + cpu) > 0;
  const look = (): string => {
    const node = migrateTask(k, tasks[0]!, 0 as NodeId);
    return [...moves, "node " + node].join(", ");
  };
  return { k, tasks: tasks as NumaTask[], look };
}

const far: Seat = { faults: "100,900", preferred: 1 };

test("an idle CPU of the preferred node takes the task, if that does not make it the fuller node", () => {
  expect(stage([far, { faults: "1000,0" }, undefined, undefined]).look()).toBe("to CPU 2, node 1");
  expect(stage([far, undefined, { faults: "0,10" }, undefined]).look()).toBe("node 0");
});

test("where all CPUs are busy it changes places with whom that helps too", () => {
  const wrong: Seat = { faults: "900,100", preferred: 0 };
  const right: Seat = { faults: "0,1000", preferred: 1 };
  expect(stage([far, wrong, right, wrong]).look()).toBe("for CPU 3, node 1");
});

test("not with a task that loses more than it gains itself, and not for noise", () => {
  const right: Seat = { faults: "0,1000", preferred: 1 };
  expect(stage([far, right, right, right]).look()).toBe("node 0");
  // Gains 20 in a thousand, the other nothing: below 30.
  const hardly: Seat = { faults: "490,510", preferred: 1 };
  expect(stage([hardly, {}, { faults: "500,500" }, { faults: "500,500" }]).look()).toBe("node 0");
});

test("a task that prefers this node is the better partner by an eighth", () => {
  const prefers: Seat = { faults: "800,200", preferred: 0 };
  const same: Seat = { faults: "800,200" };
  expect(stage([far, {}, same, prefers]).look()).toBe("for CPU 3, node 1");
  expect(stage([far, {}, prefers, same]).look()).toBe("for CPU 2, node 1");
});

test("bound tasks neither go nor are they partners", () => {
  const wrong: Seat = { faults: "900,100", preferred: 0 };
  expect(stage([{ ...far, bound: true }, wrong, wrong, wrong]).look()).toBe("node 0");
  const stays: Seat = { ...wrong, bound: true };
  expect(stage([far, wrong, stays, wrong]).look()).toBe("for CPU 3, node 1");
});

test("weights are thousandths; within a group only what the tasks themselves use decides", () => {
  const faults = new Float64Array(8);
  const group: NumaGroup = { id: 1, tasks: 2, faults, totalFaults: 1000, activeNodes: 1, maxCpuFaults: 0 };
  const { k, tasks, look } = stage([
    { ...far, group },
    {},
    { faults: "900,100", group },
    { faults: "0,9", group },
  ]);
  faults[faultIndex(k, FAULTS.MEM, 0, 1)] = 750;
  faults[faultIndex(k, FAULTS.MEM, 1, 1)] = 250;
  expect([taskWeight(k, tasks[0]!, 1), groupWeight(k, tasks[0]!, 1), groupWeight(k, tasks[1]!, 1)]).toEqual([
    900, 250, 0,
  ]);
  expect(look()).toBe("for CPU 2, node 1");
});

test("the load balancer takes tasks last from where they want to be", () => {
  const { k, tasks } = stage([far]);
  const leaves = (from: number, to: number, idle: boolean) =>
    leavesMainline(k, tasks[0]!, { from, to }, idle);
  expect(leaves(1, 0, true)).toBe("rather-not");
  expect(leaves(0, 1, false)).toBe("may");
  tasks[0]!.preferred = -1 as NodeId;
  expect(leaves(1, 0, true)).toBe("may");
  expect(leaves(1, 0, false)).toBe("rather-not");
});
