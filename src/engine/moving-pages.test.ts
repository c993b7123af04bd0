import { expect, test } from "vitest";
import { C } from "../core/counters.ts";
import { EVENT, FLUSH_CAUSES } from "../core/events.ts";
import { SMALL } from "../core/geometry.ts";
import { asCpu, asVpn } from "../core/units.ts";
import { LINUX_5_12 } from "../generations/linux-5.12.ts";
import { BEHAVIOURS_5_14 } from "../generations/linux-5.14.ts";
import type { Behaviours } from "../kernel/behaviours.ts";
import { nodeOfFrame } from "../kernel/buddy/state.ts";
import { frameOf, processWith, runAlone, testKernel, touch } from "../kernel/buddy/test-kernel.ts";
import { handleFault } from "../kernel/fault/handle.ts";
import { violations } from "../kernel/invariants.ts";
import type { Mm } from "../kernel/mm/mm.ts";
import { findVma } from "../kernel/mm/vma.ts";
import { markRange } from "../kernel/numa/mark.ts";
import { makeNumaTask } from "../kernel/numa/state.ts";
import { lruDrainAll } from "../kernel/reclaim/lru.ts";
import type { Kernel } from "../kernel/state.ts";
import { runUntil, spawn } from "./driver.ts";
import { makeDriver } from "./driver-state.ts";

const COPY_NS = 1000;

interface Scene {
  readonly k: Kernel;
  readonly mm: Mm;
  readonly start: number;
}

/** One page, of 4 base pages if huge, on node 0, marked by the scanner; node 1 has CPUs 2 and 3. */
function marked(behaviours: Partial<Behaviours>, huge: boolean): Scene {
  const tunables = { enabled: huge ? "always" : "never", numaBalancing: true } as const;
  const k = testKernel({ frames: 4096, geometry: SMALL, nodes: 2, cpus: 4, tunables, behaviours });
  const costs: Record<string, number> = { copyPageNs: COPY_NS, copyHugeNs: COPY_NS };
  Object.assign(k, { costs: new Proxy(costs, { get: (of, name: string) => of[name] ?? 0 }) });
  const { mm, start } = processWith(k, 4);
  touch(k, mm, start);
  lruDrainAll(k);
  k.cpu = asCpu(2);
  runAlone(markRange(k, findVma(mm, asVpn(start))!, start, start + 4));
  return { k, mm, start };
}

/** What two threads on node 1 come to that use the page, the second one 500 ns later. */
function twoFaults({ k, mm, start }: Scene) {
  const d = makeDriver(k);
  const waits: number[] = [];
  const flushes: string[] = [];
  k.listener = (code, _t, _cpu, _a, b, _c, cause) => {
    if (code === EVENT.moveWait) waits.push(b);
    if (code === EVENT.shootdown) flushes.push(FLUSH_CAUSES[cause]!);
  };
  const faults = k.vmstat[C.numa_hint_faults]!;
  mm.users = 2;
  const outcomes: string[] = [];
  function* user() {
    for (let outcome = "retry"; outcome === "retry"; ) {
      outcome = yield* handleFault(k, mm, asVpn(start), true);
      outcomes.push(`${outcome}@${k.nowNs}`);
    }
  }
  for (const [i, cpu] of [2, 3].entries())
    spawn(d, { name: `t${i}`, mm, task: makeNumaTask(k, mm), cpu, atNs: i * 500, path: user() });
  runUntil(d, () => false);
  k.listener = undefined;
  return {
    outcomes,
    waits,
    flushes,
    hintFaults: k.vmstat[C.numa_hint_faults]! - faults,
    node: nodeOfFrame(k.buddy, frameOf(k, mm, start)),
    violations: violations(k),
  };
}

test("a fault that meets a migration entry waits until the page has moved, and is no hint fault", () => {
  for (const huge of [false, true])
    expect(twoFaults(marked({}, huge))).toEqual({
      outcomes: [`hint-${huge ? "huge" : "4k"}@${COPY_NS}`, `retry@${COPY_NS}`, `spurious@${COPY_NS}`],
      waits: [COPY_NS - 500],
      flushes: huge ? ["migrate"] : [],
      hintFaults: 1,
      node: 1,
      violations: [],
    });
});

test("5.12 copies a huge page in place: who comes meanwhile waits for the page lock, nobody flushes", () => {
  expect(twoFaults(marked(LINUX_5_12.behaviours, true))).toMatchObject({
    waits: [COPY_NS - 500],
    flushes: [],
    hintFaults: 1,
    node: 1,
    violations: [],
  });
});

test("5.12 lets others use a base page until it is unmapped, which costs a flush", () => {
  expect(twoFaults(marked(LINUX_5_12.behaviours, false))).toMatchObject({
    flushes: ["migrate"],
    hintFaults: 1,
    node: 1,
    violations: [],
  });
});

test("5.14 moves a huge page as 6.1 does, with one flush, and counts a failure as one page", () => {
  expect(twoFaults(marked(BEHAVIOURS_5_14, true))).toMatchObject({ flushes: ["migrate"], node: 1 });
  const scene = marked(BEHAVIOURS_5_14, true);
  const { k, mm, start } = scene;
  k.frames.refCount[frameOf(k, mm, start)]! += 1;
  expect(twoFaults(scene)).toMatchObject({ node: 0, hintFaults: 1 });
  expect([k.vmstat[C.pgmigrate_fail], k.vmstat[C.thp_migration_fail]]).toEqual([1, 1]);
});
