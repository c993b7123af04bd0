import { expect, test } from "vitest";
import { asCpu, asNode } from "../../../core/units.ts";
import { NUMACORE } from "../../../generations/numacore.ts";
import { runAlone } from "../../buddy/test-kernel.ts";
import { numacoreKnobs } from "../../proc/knob-list-2012.ts";
import type { Numacore } from "../design.ts";
import { earlyTask } from "../early/state.ts";
import { nodes, type Program, program, runOn, touchHints } from "../early/test-program.ts";
import { makeNumaTask, type NumaTask } from "../state.ts";
import { accountClassed, type Classed, classed, interleavedNode } from "./classes.ts";
import { workNumacore } from "./scan.ts";

const design = NUMACORE.behaviours.numaDesign as Numacore;

function make(count = 3, huge = false): Program {
  return program({ design, knobs: numacoreKnobs(100, 1600), nodes: count, huge });
}

/** A pass in which the task had so many faults on pages of others, and on its own. */
function pass(p: Program, shared: number, own: number, node = 1): void {
  accountClassed(p.k, p.task, asNode(node), shared, false);
  accountClassed(p.k, p.task, asNode(node), own, true);
  p.mm.numa.scanSeq += 1;
  accountClassed(p.k, p.task, asNode(node), 0, true);
}

test("a task is shared if most faults are; it takes twice as many of the other kind to change that", () => {
  const p = make();
  const seen: string[] = [];
  for (const [shared, own] of [
    [800, 700],
    [0, 8000],
    [0, 8000],
    [8000, 0],
    [16_000, 0],
    [16_000, 0],
  ] as const) {
    pass(p, shared, own);
    seen.push(classed(p.k, p.task).class);
  }
  // After a change two passes go by without another look.
  expect(seen).toEqual(["shared", "shared", "private", "private", "private", "shared"]);
});

test("a sum keeps seven parts of eight", () => {
  const p = make();
  pass(p, 800, 0);
  pass(p, 0, 80);
  expect([...earlyTask(p.k, p.task).faults]).toEqual([0, 0, 87, 10, 0, 0]);
});

test("a task that changes scans fast; one that has settled, half as often each time", () => {
  const p = make();
  const periods: number[] = [];
  p.task.scanPeriodMs = 800;
  for (let i = 0; i < 7; i++) {
    pass(p, 800, 0);
    periods.push(p.task.scanPeriodMs);
  }
  expect(periods).toEqual([100, 100, 100, 100, 200, 400, 800]);
});

/** Other tasks on the CPUs of nodes: `a` of the same process, `b` of another; both shared. */
function others(p: Program, cpus: string): NumaTask[] {
  return [...cpus].flatMap((letter, cpu) => {
    if (letter !== "a" && letter !== "b") return [];
    const task = makeNumaTask(p.k, letter === "a" ? p.mm : ({ id: 99, numa: p.mm.numa } as typeof p.mm));
    classed(p.k, task).class = "shared";
    p.k.numa.running[cpu] = task;
    return [task];
  });
}

/** Two nodes with two CPUs each; the task runs on CPU 0. */
function pairs(): Program {
  const p = make(2);
  Object.assign(p.k.machine, { cpus: 4 });
  runOn(p, 0);
  p.k.cpu = asCpu(0);
  return p;
}

test("a shared task goes where most of its process is, in place of another's, if it wants to twice", () => {
  const p = pairs();
  const gone: number[] = [];
  p.k.numa.exchange = (cpu) => {
    gone.push(cpu);
    return true;
  };
  Object.assign(p.k.machine, { cpus: 6 });
  others(p, " bbaab");
  pass(p, 800, 0);
  expect(classed(p.k, p.task).idealCpu).toBe(5);
  expect(gone).toEqual([]);
  pass(p, 800, 0);
  pass(p, 800, 0);
  expect(gone).toEqual([5]);
  expect([...classed(p.k, p.task).nodes]).toEqual([1, 1]);
});

test("a task of another process stays where it is on its own ideal node", () => {
  const p = pairs();
  const [, other] = others(p, " bab");
  classed(p.k, other!).idealCpu = 3;
  p.k.numa.running[3] = other;
  pass(p, 800, 0);
  expect(classed(p.k, p.task).idealCpu).toBe(0);
});

test("memory of a group lies on its nodes in turn", () => {
  const of = (members: readonly number[]): number[] => {
    const c = { nodes: Uint8Array.from(members) } as unknown as Classed;
    return [0, 1, 2, 3, 4].map((index) => interleavedNode(c, index));
  };
  expect(of([1, 1, 1, 1])).toEqual([0, 1, 2, 3, 0]);
  expect(of([0, 1, 0, 1])).toEqual([1, 3, 1, 3, 1]);
  expect(of([0, 0, 1, 0])).toEqual([2, 2, 2, 2, 2]);
});

/** A pass that marks all pages and is no reason to look at the task again. */
function scan(p: Program): void {
  p.mm.numa.nextScan = 0;
  runAlone(workNumacore(p.k, p.task));
  earlyTask(p.k, p.task).pass = p.mm.numa.scanSeq;
}

test("a shared task's pages go to their nodes at the first fault; an unknown task's stay", () => {
  const p = make(3);
  scan(p);
  touchHints(p);
  expect(nodes(p)).toBe("00000000");
  classed(p.k, p.task).class = "shared";
  scan(p);
  touchHints(p);
  expect(nodes(p)).toBe(Array.from({ length: 8 }, (_, i) => (p.start + i) % 3).join(""));
});

test("a private task's pages follow it after two faults in a row, as before", () => {
  const p = make(3);
  classed(p.k, p.task).class = "private";
  scan(p);
  touchHints(p);
  expect(nodes(p)).toBe("00000000");
  scan(p);
  touchHints(p);
  expect(nodes(p)).toBe("11111111");
});

test("the first fault of a first pass makes a task shared: nothing is known of it yet", () => {
  const p = make(3);
  p.mm.numa.nextScan = 0;
  runAlone(workNumacore(p.k, p.task));
  touchHints(p, 0, 1);
  expect(classed(p.k, p.task).class).toBe("shared");
});
