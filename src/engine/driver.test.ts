import { expect, test } from "vitest";
import { makeLock, type Path, PREEMPT, sleepOp, WAIT } from "../core/ops.ts";
import { testKernel } from "../kernel/buddy/test-kernel.ts";
import { makeMm } from "../kernel/mm/mm.ts";
import { type Kernel, spend } from "../kernel/state.ts";
import { flushRange } from "../kernel/tlb/shootdown.ts";
import { call, runUntil, spawn, stuckRunners, wake } from "./driver.ts";
import { type Driver, makeDriver } from "./driver-state.ts";

/** A driver whose runners write down what they do and when: `log` reads "a0 b5 …". */
function stage(cpus = 2): { k: Kernel; d: Driver; log: string[]; note: (what: string) => void } {
  const k = testKernel({ frames: 1024, cpus });
  const log: string[] = [];
  return { k, d: makeDriver(k), log, note: (what) => log.push(what + k.nowNs) };
}

function start(d: Driver, name: string, cpu: number, path: Path, atNs = 0) {
  return spawn(d, { name, mm: undefined, cpu, atNs, path });
}

test("a lock is handed on in order of arrival, and waiting is counted", () => {
  const { k, d, note, log } = stage(4);
  const lock = makeLock("mmap_lock", "lock");
  function* user(name: string): Path {
    yield lock.acquire;
    note(name);
    spend(k, 10);
    yield lock.release;
  }
  for (const [i, name] of ["a", "b", "c"].entries()) start(d, name, i, user(name), i);
  runUntil(d, () => false);
  expect(log).toEqual(["a0", "b10", "c20"]);
  expect(lock.stats).toEqual({ acquisitions: 3, waits: 2, waitTotalNs: 9 + 18, waitMaxNs: 18 });
});

test("readers share, a writer waits for all of them, and readers behind it wait for it", () => {
  const { k, d, note, log } = stage(4);
  const lock = makeLock("mmap_lock", "lock");
  function* reader(name: string): Path {
    yield lock.acquireRead;
    note(name);
    spend(k, 10);
    yield lock.releaseRead;
  }
  function* writer(): Path {
    yield lock.acquire;
    note("w");
    spend(k, 10);
    yield lock.release;
  }
  start(d, "r1", 0, reader("r1"), 0);
  start(d, "r2", 1, reader("r2"), 1);
  start(d, "w", 2, writer(), 2);
  start(d, "r3", 3, reader("r3"), 3);
  runUntil(d, () => false);
  expect(log).toEqual(["r10", "r21", "w11", "r321"]);
});

test("two runners on one CPU take turns by time slices of 3 ms", () => {
  const { k, d, note, log } = stage(1);
  const mm = makeMm(k);
  function* busy(name: string): Path {
    for (let i = 0; i < 5; i++) {
      note(name);
      spend(k, 1_000_000);
      yield PREEMPT;
    }
  }
  for (const name of ["a", "b"]) spawn(d, { name, mm, cpu: 0, atNs: 0, path: busy(name) });
  runUntil(d, () => false);
  expect(log.map((entry) => entry[0]).join("")).toMatch(/^a{3,4}b{3,4}a{1,2}b{1,2}$/);
  expect(d.nowNs).toBe(10_000_000);
});

test("who sleeps leaves its CPU to others, and wakes when its time is over", () => {
  const { k, d, note, log } = stage(1);
  function* sleeper(): Path {
    note("s");
    yield sleepOp(100);
    note("s");
  }
  function* worker(): Path {
    note("w");
    spend(k, 30);
    yield PREEMPT;
  }
  start(d, "s", 0, sleeper());
  start(d, "w", 0, worker());
  runUntil(d, () => false);
  expect(log).toEqual(["s0", "w0", "s100"]);
});

test("two CPUs work at the same time", () => {
  const { k, d, note, log } = stage(2);
  function* work(name: string): Path {
    note(name);
    spend(k, 50);
    yield PREEMPT;
    note(name);
  }
  start(d, "a", 0, work("a"));
  start(d, "b", 1, work("b"));
  runUntil(d, () => false);
  expect([log.sort(), k.nowNs]).toEqual([["a0", "a50", "b0", "b50"], 50]);
  expect(d.nowNs).toBe(50);
});

test("a CPU does one thing at a time, also when the first runs past the second's beginning", () => {
  const { k, d, note, log } = stage(1);
  function* first(): Path {
    spend(k, 100);
    yield WAIT;
  }
  function* second(): Path {
    note("b");
    yield PREEMPT;
  }
  start(d, "a", 0, first(), 0);
  start(d, "b", 0, second(), 40);
  runUntil(d, () => false);
  expect(log).toEqual(["b100"]);
});

test("an interrupt takes its time from the CPU that it hits", () => {
  const { k, d, note, log } = stage(2);
  const mm = makeMm(k);
  Object.assign(k, {
    costs: { ...k.costs, interruptedNs: 7, interruptNs: 0, interruptLocalCpuNs: 0, flushOneNs: 0 },
  });
  function* sender(): Path {
    spend(k, 10);
    yield flushRange(k, mm, 0 as never, 1, "unmap");
  }
  function* target(): Path {
    spend(k, 20);
    yield PREEMPT;
    note("t");
  }
  spawn(d, { name: "t", mm, cpu: 1, atNs: 0, path: target() });
  spawn(d, { name: "s", mm, cpu: 0, atNs: 0, path: sender() });
  runUntil(d, () => false);
  expect(log).toEqual(["t27"]);
});

test("a call runs a path in place of its caller, and hands back what it returns", () => {
  const { k, d, note, log } = stage(1);
  function* inner(): Path<number> {
    spend(k, 5);
    yield PREEMPT;
    return 42;
  }
  function* outer(): Path {
    yield call(d, inner());
    note(`${d.returned}@`);
  }
  start(d, "a", 0, outer());
  runUntil(d, () => false);
  expect(log).toEqual(["42@5"]);
});

test("who waits is woken by another; who is never woken is named", () => {
  const { d, note, log } = stage(2);
  function* waiter(name: string): Path {
    yield WAIT;
    note(name);
  }
  const one = start(d, "one", 0, waiter("one"));
  start(d, "two", 1, waiter("two"));
  runUntil(d, () => one.state === "waiting");
  wake(d, one, 30);
  expect(runUntil(d, () => false)).toBe(false);
  expect([log, stuckRunners(d)]).toEqual([["one30"], ["two is waiting"]]);
});

test("a path that releases what it does not hold is a bug of ours", () => {
  const { d } = stage(1);
  const lock = makeLock("zone", "lock");
  function* wrong(): Path {
    yield lock.release;
  }
  start(d, "a", 0, wrong());
  expect(() => runUntil(d, () => false)).toThrow("released by the path that holds it");
});
