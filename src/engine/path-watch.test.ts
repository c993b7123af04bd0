import { expect, test } from "vitest";
import { SMALL } from "../core/geometry.ts";
import { makeLock, type Op, type Path, sleepOp } from "../core/ops.ts";
import { runAlone, testKernel } from "../kernel/buddy/test-kernel.ts";
import { BrokenBelief } from "../lib/assert.ts";
import { runUntil, spawn } from "./driver.ts";
import { makeDriver } from "./driver-state.ts";
import { believing } from "./path-watch.ts";

const SPIN = makeLock("zone", "a zone's lock");
const MMAP = makeLock("mmap_lock", "the mmap lock");
const PAGE = makeLock("page", "a page's lock");

function* yields(...ops: Op[]): Path {
  for (const op of ops) yield op;
}

/** What a path breaks under the engine with --verify; undefined: nothing. */
function underEngine(ops: readonly Op[]): string | undefined {
  const d = makeDriver(testKernel({ frames: 16, geometry: SMALL }));
  d.watch = believing(d.watch);
  for (const lock of [SPIN, MMAP, PAGE]) Object.assign(lock, { holder: -1, readers: 0 });
  spawn(d, { name: "a path alone", mm: undefined, cpu: 0, atNs: 0, path: yields(...ops) });
  return whatBreaks(() => runUntil(d, () => false));
}

function whatBreaks(run: () => unknown): string | undefined {
  try {
    run();
    return undefined;
  } catch (error) {
    if (error instanceof BrokenBelief) return error.message;
    throw error;
  }
}

test.each([
  ["a lock is taken twice", [SPIN.acquire, SPIN.acquire]],
  ["a lock is released by who does not hold it", [SPIN.acquire, SPIN.release, SPIN.release]],
  ["a path sleeps under a spinlock", [SPIN.acquire, sleepOp(1)]],
  ["a path sleeps under a spinlock", [SPIN.acquire, MMAP.acquireRead]],
] as const)("unit tests and --verify find the same: %s", (what, ops) => {
  expect(whatBreaks(() => runAlone(yields(...ops)))).toMatch(what);
  expect(underEngine(ops)).toMatch(what);
});

test("a page that is locked by trying costs no sleep, under a spinlock or not", () => {
  const ops = [SPIN.acquire, PAGE.acquireTried, SPIN.release, PAGE.release];
  expect(whatBreaks(() => runAlone(yields(...ops)))).toBeUndefined();
  expect(underEngine(ops)).toBeUndefined();
});

test("a unit test's path that ends with a lock is told", () => {
  expect(whatBreaks(() => runAlone(yields(MMAP.acquire)))).toBe(
    "a path ends with a lock held: a path alone holds the mmap lock",
  );
});
