import { expect, test } from "vitest";
import { C } from "../../../core/counters.ts";
import { asCpu, asNode, asPfn } from "../../../core/units.ts";
import { putPage } from "../../buddy/free.ts";
import { runAlone } from "../../buddy/test-kernel.ts";
import { violations } from "../../invariants.ts";
import { makeMm } from "../../mm/mm.ts";
import { pinPage } from "../../mm/pin.ts";
import type { Autonuma } from "../design.ts";
import { exchangeLast, lastUser } from "../early/last-nid.ts";
import { earlyTask } from "../early/state.ts";
import { nodes, picture, runOn, touchHints } from "../early/test-program.ts";
import { makeNumaTask } from "../state.ts";
import { balance, weightOf } from "./balance.ts";
import { follow, hintFault } from "./follow.ts";
import { enlist, enterAutonuma } from "./life.ts";
import { knumaMigrated, migrateBatch } from "./migrated.ts";
import { autonuma, KNOB } from "./of.ts";
import { dequeue, enqueue, queuedTo, wrongQueue } from "./queue.ts";
import { make, page, scanPass } from "./test-autonuma.ts";

test("the first fault queues a page at once; it moves with the migrator's batch", () => {
  const p = make();
  scanPass(p);
  touchHints(p);
  expect(autonuma(p.k).queues[1]!.pages).toBe(8);
  expect(nodes(p)).toBe("00000000");
  runAlone(knumaMigrated(p.k, asNode(1)));
  expect(nodes(p)).toBe("11111111");
  expect(autonuma(p.k).queues[1]!.pages).toBe(0);
  expect(violations(p.k)).toEqual([]);
});

/** The state before the fault: last_nid, migrate_nid; the page is on node 0, the fault on node 1. */
function faulted(last: number, waiting: number, here = 1, form: Partial<Autonuma> = {}): string {
  const p = make(form);
  const pfn = page(p, 0);
  if (waiting >= 0) runAlone(enqueue(p.k, pfn, asNode(waiting), asNode(0)));
  if (last >= 0) exchangeLast(p.k, pfn, last);
  runOn(p, here);
  const counts = runAlone(follow(p.k, pfn));
  expect(wrongQueue(p.k)).toBe(undefined);
  return `last ${lastUser(p.k, pfn)}, waits for ${queuedTo(autonuma(p.k), pfn)}, counts on ${counts}`;
}

test("last_nid and migrate_nid: the whole machine", () => {
  //                  last  waiting                       a page of node 0, used from node 1
  expect(faulted(-1, -1)).toBe("last 1, waits for 1, counts on 1");
  expect(faulted(1, -1)).toBe("last 1, waits for 1, counts on 1");
  expect(faulted(1, 1)).toBe("last 1, waits for 1, counts on 1");
  expect(faulted(1, 2)).toBe("last 1, waits for 1, counts on 1");
  expect(faulted(2, -1)).toBe("last 1, waits for -1, counts on 0");
  expect(faulted(2, 2)).toBe("last 1, waits for -1, counts on 0");
  expect(faulted(2, 1)).toBe("last 1, waits for -1, counts on 0");
  //                                                      used from where it is
  expect(faulted(0, 2, 0)).toBe("last 0, waits for -1, counts on 0");
  expect(faulted(2, 2, 0)).toBe("last 0, waits for -1, counts on 0");
});

test("up to 19 a page that waits for this very node stays queued, and counts there", () => {
  expect(faulted(2, 1, 1, { cancel: "if-for-another" })).toBe("last 1, waits for 1, counts on 1");
  expect(faulted(2, 2, 1, { cancel: "if-for-another" })).toBe("last 1, waits for -1, counts on 0");
});

test("two nodes that take turns never move a page once it has been used", () => {
  const p = make();
  exchangeLast(p.k, page(p, 0), 0);
  for (let turn = 0; turn < 6; turn++) {
    runOn(p, turn % 2 === 0 ? 1 : 0);
    runAlone(hintFault(p.k, page(p, 0), 1));
    expect(queuedTo(autonuma(p.k), page(p, 0))).toBe(-1);
  }
});

test("lists are by source, taken one page a node and round, the oldest first", () => {
  const p = make();
  runAlone(enqueue(p.k, page(p, 3), asNode(1), asNode(0)));
  runAlone(enqueue(p.k, page(p, 5), asNode(1), asNode(0)));
  p.k.knobs.write(KNOB.PAGES_TO_MIGRATE, "1");
  runAlone(migrateBatch(p.k, asNode(1)));
  expect(nodes(p)).toBe("00010000");
  expect(autonuma(p.k).queues[1]!.pages).toBe(1);
});

test("a queue that grows past pages_to_migrate wakes its migrator once, unless that is deferred", () => {
  for (const defer of [0, 1]) {
    const p = make();
    p.k.knobs.write(KNOB.PAGES_TO_MIGRATE, "3");
    p.k.knobs.write(KNOB.DEFER, String(defer));
    const woken: number[] = [];
    autonuma(p.k).onWake = (node) => woken.push(node);
    for (let i = 0; i < 6; i++) runAlone(enqueue(p.k, page(p, i), asNode(2), asNode(0)));
    expect(woken).toEqual(defer === 0 ? [2] : []);
  }
});

test("a queued huge page counts whole, and its tails go one by one: the count ends at 0", () => {
  const p = make({ huge: true });
  scanPass(p);
  touchHints(p);
  const queue = autonuma(p.k).queues[1]!;
  expect(queue.pages).toBe(8);
  expect(queue.lists[0]!.size).toBe(2);
  p.k.knobs.write(KNOB.PAGES_TO_MIGRATE, "1");
  runAlone(migrateBatch(p.k, asNode(1)));
  expect(queue.pages).toBe(7);
  expect(queue.lists[0]!.size).toBe(4);
  expect(violations(p.k)).toEqual([]);
  p.k.knobs.write(KNOB.PAGES_TO_MIGRATE, "100");
  runAlone(migrateBatch(p.k, asNode(1)));
  expect(queue.pages).toBe(0);
  expect(nodes(p)).toBe("11111111");
  expect(p.k.vmstat[C.thp_split_page]).toBe(2);
});

test("a page that is freed leaves its queue; one on no LRU list is let go, and counted as lost", () => {
  const p = make();
  runAlone(enqueue(p.k, page(p, 0), asNode(1), asNode(0)));
  const other = page(p, 1);
  runAlone(enqueue(p.k, other, asNode(1), asNode(0)));
  p.k.frames.flags[other]! &= ~8;
  runAlone(migrateBatch(p.k, asNode(1)));
  p.k.frames.flags[other]! |= 8;
  expect(autonuma(p.k).figures.lostPages).toBe(1);
  expect(p.k.frames.refCount[other]).toBe(1);
  expect(queuedTo(autonuma(p.k), other)).toBe(-1);
});

test("pages_migrated counts what was isolated, as posted, or what moved, as reviewed", () => {
  for (const [counted, expected] of [
    ["isolated", 1],
    ["moved", 0],
  ] as const) {
    const p = make({ counted });
    runAlone(enqueue(p.k, page(p, 0), asNode(1), asNode(0)));
    pinPage(p.k, p.mm, p.start);
    runAlone(migrateBatch(p.k, asNode(1)));
    expect(nodes(p)).toBe("00000000");
    expect(autonuma(p.k).pagesMigrated).toBe(expected);
    expect(autonuma(p.k).figures.failedPages).toBe(1);
    // Not queued again, and back on its list.
    expect(violations(p.k)).toEqual([]);
  }
});

test("a decision that is stale under the lock: posted, the page is queued from where it is not", () => {
  const stale = (["before-lock", "under-lock"] as const).map((form) => {
    const p = make({ enqueue: form });
    runAlone(enqueue(p.k, page(p, 0), asNode(1), asNode(2)));
    return wrongQueue(p.k) !== undefined;
  });
  expect(stale).toEqual([true, false]);
});

test("task statistics are halved once, at the first fault of a pass: passes without halve nothing", () => {
  const p = make();
  const entry = enlist(p.k, p.mm);
  const state = earlyTask(p.k, p.task);
  const sums: number[] = [];
  for (const [pass, pages] of [
    [1, 1000],
    [1, 1],
    [2, 0],
    [7, 0],
    [8, 3],
  ] as const) {
    entry.pass = pass;
    runOn(p, 0);
    runAlone(hintFault(p.k, page(p, 0), pages));
    sums.push(state.faults[0]!);
  }
  expect(sums).toEqual([1000, 1001, 500, 250, 128]);
  expect(state.total).toBe(128);
});

test("the address space's statistics are where its memory lies, used or not", () => {
  const p = make();
  scanPass(p);
  expect([...enlist(p.k, p.mm).faults]).toEqual([8, 0, 0]);
  scanPass(p);
  expect([...enlist(p.k, p.mm).faults]).toEqual([8, 0, 0]);
});

test("working_set: pages whose mark nobody has met count nothing", () => {
  const p = make();
  p.k.knobs.write(KNOB.WORKING_SET, "1");
  scanPass(p);
  expect(enlist(p.k, p.mm).total).toBe(8);
  touchHints(p, 0, 4);
  scanPass(p);
  expect(enlist(p.k, p.mm).total).toBe(4);
});

test("pmd 1: one access accounts a whole table to whoever made it; pmd 0: each page by itself", () => {
  const faults = ["1", "0"].map((value) => {
    const p = make();
    p.k.knobs.write(KNOB.PMD, value);
    scanPass(p);
    expect(picture(p)).toBe("HHHHHHHH");
    touchHints(p, 0, 1);
    return earlyTask(p.k, p.task).total;
  });
  expect(faults).toEqual([4, 1]);
});

test("28: the fault itself moves the page, within 128 MiB a tenth of a second", () => {
  const p = make({ migrate: "on-fault", statistics: "faults" });
  scanPass(p);
  touchHints(p);
  expect(nodes(p)).toBe("11111111");
  expect(p.k.vmstat[C.numa_pages_migrated]).toBe(8);
  expect(p.k.numa.early!.windows[1]!.pages).toBe(8);
  expect(violations(p.k)).toEqual([]);
});

test("28: a huge page is split and its pages moved; false sharing stops the task for the pass", () => {
  const form = { migrate: "on-fault", statistics: "faults", falseSharing: "stops-task" } as const;
  const p = make({ ...form, huge: true, pages: 12 });
  exchangeLast(p.k, page(p, 8), 2);
  scanPass(p);
  touchHints(p, 0, 1);
  touchHints(p, 8, 9);
  expect(earlyTask(p.k, p.task).falseSharing).toBe(true);
  touchHints(p, 4, 5);
  expect(nodes(p)).toBe("111100000000");
  expect(violations(p.k)).toEqual([]);
});

test("28: the first fault of a pass is decided before the last pass's false sharing is forgotten", () => {
  const form = { migrate: "on-fault", statistics: "faults", falseSharing: "stops-task" } as const;
  const p = make({ ...form, huge: true, pages: 12 });
  earlyTask(p.k, p.task).falseSharing = true;
  scanPass(p);
  touchHints(p, 0, 1);
  touchHints(p, 4, 5);
  expect(nodes(p)).toBe("000011110000");
});

test("28: the first fault of a pass may find false sharing: that is forgotten with the pass before", () => {
  const form = { migrate: "on-fault", statistics: "faults", falseSharing: "stops-task" } as const;
  const p = make({ ...form, huge: true });
  exchangeLast(p.k, page(p, 0), 2);
  scanPass(p);
  touchHints(p, 0, 1);
  expect(earlyTask(p.k, p.task).falseSharing).toBe(false);
  touchHints(p, 4, 5);
  expect(nodes(p)).toBe("00001111");
});

test("27: a page that another node used stays, and the others move all the same", () => {
  const p = make({ migrate: "on-fault", huge: true });
  exchangeLast(p.k, page(p, 4), 2);
  scanPass(p);
  touchHints(p);
  expect(nodes(p)).toBe("11110000");
});

test("from 24 on, a task with a memory policy moves nothing, and its faults leave no trace", () => {
  for (const [taskPolicy, expected] of [
    ["ignored", "11111111"],
    ["left-alone", "00000000"],
  ] as const) {
    const p = make({ migrate: "on-fault", taskPolicy });
    p.task.memoryNode = asNode(0);
    scanPass(p);
    touchHints(p);
    expect(nodes(p)).toBe(expected);
    expect(violations(p.k)).toEqual([]);
  }
});

test("28: without the first fault's leave a page needs two", () => {
  const p = make({ migrate: "on-fault", statistics: "faults" });
  p.k.knobs.write(KNOB.FIRST_FAULT, "0");
  for (const expected of ["00000000", "11111111"]) {
    scanPass(p);
    touchHints(p);
    expect(nodes(p)).toBe(expected);
  }
});

test("weights are 0 to 1000, also while the sums are being written", () => {
  expect(weightOf(new Float64Array([300, 100]), 400, 0)).toBe(750);
  expect(weightOf(new Float64Array([300, 100]), 200, 0)).toBe(1000);
  expect(weightOf(new Float64Array([0, 0]), 0, 1)).toBe(0);
});

/** Three nodes, a CPU each; tasks of one process, with their sums by node. */
function placed(sums: readonly (readonly number[])[], others: readonly number[] = []) {
  const p = make();
  const entry = enlist(p.k, p.mm);
  entry.faults.set(others.length > 0 ? others : [10, 10, 10]);
  entry.total = entry.faults.reduce((a, b) => a + b, 0);
  const swaps: number[] = [];
  p.k.numa.exchange = (cpu) => {
    swaps.push(cpu);
    return true;
  };
  for (const [cpu, sum] of sums.entries()) {
    const task = makeNumaTask(p.k, p.mm);
    earlyTask(p.k, task).faults.set(sum);
    earlyTask(p.k, task).total = sum.reduce((a, b) => a + b, 0);
    p.k.numa.running[cpu] = task;
  }
  p.k.cpu = asCpu(0);
  balance(p.k, p.k.numa.running[0]!);
  return { swaps, selected: earlyTask(p.k, p.k.numa.running[0]!).selected };
}

test("a task goes where it has more to gain than whoever is there, and stays when converged", () => {
  const mine = [10, 0, 90];
  const even = [33, 33, 33];
  expect(placed([mine, even, even])).toEqual({ swaps: [2], selected: 2 });
  expect(placed([mine, even, [0, 0, 95]])).toEqual({ swaps: [], selected: -1 });
  expect(placed([[90, 5, 5], even, even], [50, 10, 10])).toEqual({ swaps: [], selected: 0 });
});

test("noautonuma at boot: nothing is listed, nothing follows", () => {
  const p = make();
  p.k.knobs.write(KNOB.BOOT_OFF, "1");
  const child = makeMm(p.k);
  expect([...enterAutonuma(p.k, child)]).toEqual([]);
  runAlone(hintFault(p.k, page(p, 0), 1));
  expect(queuedTo(autonuma(p.k), page(p, 0))).toBe(-1);
});

test("a page that moves or is freed by others is no longer waited for", () => {
  const p = make();
  const pfn = page(p, 0);
  runAlone(enqueue(p.k, pfn, asNode(1), asNode(0)));
  runAlone(dequeue(p.k, pfn));
  expect(autonuma(p.k).queues[1]!.pages).toBe(0);
  runAlone(enqueue(p.k, pfn, asNode(2), asNode(0)));
  p.k.frames.refCount[pfn]! += 1;
  putPage(p.k, asPfn(pfn));
  expect(autonuma(p.k).queues[2]!.pages).toBe(1);
});
