import { expect, test } from "vitest";
import { asCpu, asNode, asPfn, NO_NODE } from "../../core/units.ts";
import { testKernel } from "../buddy/test-kernel.ts";
import { makeMm } from "../mm/mm.ts";
import type { Kernel } from "../state.ts";
import { accountFault, placeTask } from "./account.ts";
import { exchangeCpupid, lastCpupid, makeCpupid } from "./cpupid.ts";
import { misplaced } from "./filter.ts";
import { leaveGroup } from "./group.ts";
import { forkNumaTask } from "./life.ts";
import { FAULTS, faultIndex, makeNumaTask, type NumaTask } from "./state.ts";

/** Two nodes with two CPUs each; a page on node 0. */
function machine(): { readonly k: Kernel; readonly task: NumaTask } {
  const k = testKernel({ frames: 4096, nodes: 2, cpus: 4, tunables: { numaBalancing: true } });
  return { k, task: makeNumaTask(k, makeMm(k)) };
}

const PAGE = asPfn(600);

/** The task faults on the page from that CPU: where the page should go. */
function faultFrom(k: Kernel, task: NumaTask, cpu: number): number {
  k.cpu = asCpu(cpu);
  return misplaced(k, task, PAGE);
}

/** A task that has been seen often enough. */
function settled(task: NumaTask): NumaTask {
  task.scanSeq = 5;
  task.preferred = asNode(0);
  return task;
}

test("a young task takes a page that nobody has used", () => {
  const { k, task } = machine();
  expect(faultFrom(k, task, 2)).toBe(1);
  expect(lastCpupid(k, PAGE)).toBe(makeCpupid(2, task.pid));
});

test("a local fault leaves the page and its mark alone", () => {
  const { k, task } = machine();
  expect(faultFrom(k, task, 0)).toBe(NO_NODE);
  expect(lastCpupid(k, PAGE)).toBe(-1);
});

test("a settled task must come twice from the same node", () => {
  const { k, task } = machine();
  exchangeCpupid(k, PAGE, makeCpupid(0, task.pid));
  expect(faultFrom(k, settled(task), 2)).toBe(NO_NODE);
  expect(faultFrom(k, task, 3)).toBe(1);
});

test("two threads on two nodes that take turns never move the page", () => {
  const { k, task } = machine();
  const other = settled(makeNumaTask(k, task.mm));
  settled(task);
  // Local faults leave no mark, so that the other node's turn is seen where a page lies on a third one.
  for (let turn = 0; turn < 10; turn++) {
    exchangeCpupid(k, PAGE, makeCpupid(0, other.pid));
    expect(faultFrom(k, task, 2)).toBe(NO_NODE);
  }
});

test("two threads of one node bring the page with the second fault in a row, without a group", () => {
  const { k, task } = machine();
  const other = settled(makeNumaTask(k, task.mm));
  settled(task);
  exchangeCpupid(k, PAGE, makeCpupid(0, task.pid));
  expect(faultFrom(k, task, 2)).toBe(NO_NODE);
  expect(faultFrom(k, other, 3)).toBe(1);
});

test("memory sums are halved with every pass: 1000, 500, 250, 125, 63", () => {
  const { k, task } = machine();
  accountFault(k, task, { last: -1, node: asNode(1), pages: 1000, flags: 0 });
  const sums: number[] = [];
  for (let pass = 0; pass < 5; pass++) {
    task.mm!.numa.scanSeq += 1;
    placeTask(k, task);
    sums.push(task.faults![faultIndex(k, FAULTS.MEM, 1, 1)]!);
  }
  expect(sums).toEqual([1000, 500, 250, 125, 63]);
  expect(task.preferred).toBe(1);
  expect(task.totalFaults).toBe(63);
});

test("threads that fault on each other's pages form a group, and leave it with their sums", () => {
  const { k, task } = machine();
  const other = makeNumaTask(k, task.mm);
  k.numa.running[0] = other;
  k.numa.running[2] = task;
  k.cpu = asCpu(0);
  accountFault(k, other, { last: makeCpupid(2, task.pid), node: asNode(0), pages: 4, flags: 0 });
  k.cpu = asCpu(2);
  accountFault(k, task, { last: makeCpupid(0, other.pid), node: asNode(0), pages: 4, flags: 0 });
  // The second is alone in its own group too; the older group stays.
  k.cpu = asCpu(0);
  accountFault(k, other, { last: makeCpupid(2, task.pid), node: asNode(0), pages: 4, flags: 0 });
  expect([task.group!.tasks, other.group!.tasks].sort()).toEqual(
    task.group === other.group ? [2, 2] : [1, 1],
  );
  expect(task.group).toBe(other.group);
  leaveGroup(k, task);
  expect(other.group!.tasks).toBe(1);
  expect(task.group).toBe(undefined);
});

test("a single-threaded program that forks starts its own passes anew", () => {
  const { k, task } = machine();
  Object.assign(task.mm!.numa, { scanSeq: 7, nextScan: 3 });
  k.nowNs = 400_000_000;
  const child = forkNumaTask(k, task, "fork");
  expect(task.mm!.numa).toEqual({ scanSeq: 0, nextScan: 350, offsetVpn: 0, stacksMarked: 0 });
  expect(child.nodeStampNs).toBe(0);
  expect(child.preferred).toBe(NO_NODE);
});

test("a thread knows the preferred node, and its first tick that counts comes after about 1008 ms", () => {
  const { k, task } = machine();
  task.preferred = asNode(1);
  const thread = forkNumaTask(k, task, "thread");
  expect(thread.preferred).toBe(1);
  expect(thread.nodeStampNs).toBe(8_060_000);
  expect(thread.scanPeriodMs).toBe(1000);
});

test("a task whose memory is on a node without CPUs prefers the nearest node that has one", () => {
  // CPUs 0 and 1 are on nodes 0 and 1; node 2 has memory alone.
  const k = testKernel({ frames: 6144, nodes: 3, cpus: 2, tunables: { numaBalancing: true } });
  const task = makeNumaTask(k, makeMm(k));
  accountFault(k, task, { last: -1, node: asNode(2), pages: 1000, flags: 0 });
  task.mm!.numa.scanSeq += 1;
  placeTask(k, task);
  expect(task.preferred).toBe(0);
});
