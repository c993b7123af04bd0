import { expect, test } from "vitest";
import { C } from "../../core/counters.ts";
import { SMALL } from "../../core/geometry.ts";
import { asCpu, asVpn } from "../../core/units.ts";
import { nodeOfFrame } from "../buddy/state.ts";
import { frameOf, processWith, runAlone, testKernel, touch } from "../buddy/test-kernel.ts";
import { violations } from "../invariants.ts";
import type { Mm } from "../mm/mm.ts";
import { findRow, PMD, PTE, pteIndex } from "../mm/page-table.ts";
import { pinPage } from "../mm/pin.ts";
import { findVma } from "../mm/vma.ts";
import { lastCpupid, makeCpupid } from "../numa/cpupid.ts";
import { markRange } from "../numa/mark.ts";
import { makeNumaTask, type NumaTask, taskRuns } from "../numa/state.ts";
import { lruDrainAll } from "../reclaim/lru.ts";
import type { Kernel } from "../state.ts";

interface Moved {
  readonly k: Kernel;
  readonly mm: Mm;
  readonly start: number;
  readonly task: NumaTask;
}

/** A program whose memory was touched on node 0 goes on on node 1; huge pages have 4 base pages. */
function moved(huge: boolean, pages = 4): Moved {
  const tunables = { enabled: huge ? "always" : "never", numaBalancing: true } as const;
  const k = testKernel({ frames: 4096, geometry: SMALL, nodes: 2, tunables });
  const { mm, start } = processWith(k, pages);
  for (let vpn = start; vpn < start + pages; vpn++) touch(k, mm, vpn);
  lruDrainAll(k);
  k.cpu = asCpu(1);
  const task = makeNumaTask(k, mm);
  taskRuns(k, task);
  return { k, mm, start, task };
}

/** The scanner comes, then the program touches every page again. What the faults were. */
function scanAndTouch({ k, mm, start }: Moved, pages = 4): string[] {
  runAlone(markRange(k, findVma(mm, asVpn(start))!, start, start + pages));
  const outcomes: string[] = [];
  for (let vpn = start; vpn < start + pages; vpn++) if (isHint(k, mm, vpn)) outcomes.push(touch(k, mm, vpn));
  return outcomes;
}

function isHint(k: Kernel, mm: Mm, vpn: number): boolean {
  const row = findRow(k.pt, mm.directory, asVpn(vpn));
  const huge = k.pt.pmd.kind[row] === PMD.HUGE;
  const flags = huge ? k.pt.pmd.flags[row]! : k.pt.pteFlags[pteIndex(k.pt, row, asVpn(vpn))]!;
  return (flags & PTE.HINT) !== 0;
}

/** The node of each page. */
function nodes({ k, mm, start }: Moved, pages = 4): string {
  let text = "";
  for (let vpn = start; vpn < start + pages; vpn++) text += nodeOfFrame(k.buddy, frameOf(k, mm, vpn));
  return text;
}

/** Counters of migration that are not 0. */
function counters(k: Kernel): Record<string, number> {
  const names = ["numa_hint_faults", "numa_pages_migrated", "pgmigrate_success", "pgmigrate_fail"] as const;
  const huge = ["thp_migration_success", "thp_migration_fail", "thp_migration_split"] as const;
  const all = [...names, ...huge].map((name) => [name, k.vmstat[C[name]]!] as const);
  return Object.fromEntries(all.filter(([, value]) => value !== 0));
}

test("base pages follow their program, one by one, with their data writable and their user known", () => {
  const p = moved(false);
  expect(scanAndTouch(p)).toEqual(["hint-4k", "hint-4k", "hint-4k", "hint-4k"]);
  expect(nodes(p)).toBe("1111");
  expect(counters(p.k)).toEqual({ numa_hint_faults: 4, numa_pages_migrated: 4, pgmigrate_success: 4 });
  expect(touch(p.k, p.mm, p.start)).toBe("spurious");
  expect(lastCpupid(p.k, frameOf(p.k, p.mm, p.start))).toBe(makeCpupid(1, p.task.pid));
  expect(violations(p.k)).toEqual([]);
});

test("a huge page follows whole, with one fault, and counts all its base pages", () => {
  const p = moved(true);
  expect(scanAndTouch(p)).toEqual(["hint-huge"]);
  expect(nodes(p)).toBe("1111");
  expect(counters(p.k)).toEqual({
    numa_hint_faults: 1,
    numa_pages_migrated: 4,
    pgmigrate_success: 4,
    thp_migration_success: 1,
  });
  expect(violations(p.k)).toEqual([]);
});

test("a pinned base page is not even marked", () => {
  const p = moved(false);
  expect(pinPage(p.k, p.mm, p.start + 1)).toBe(true);
  expect(scanAndTouch(p)).toHaveLength(3);
  expect(nodes(p)).toBe("1011");
});

test("a pinned huge page is marked, tried ten times, and stays, accessible and not accounted", () => {
  const p = moved(true);
  pinPage(p.k, p.mm, p.start);
  const before = p.mm.flushes;
  expect(scanAndTouch(p)).toEqual(["hint-huge"]);
  expect(nodes(p)).toBe("0000");
  expect(counters(p.k)).toEqual({ numa_hint_faults: 1, pgmigrate_fail: 4, thp_migration_fail: 1 });
  expect(p.mm.flushes - before).toBe(1 + 10);
  expect(p.task.faults).toBe(undefined);
  expect(touch(p.k, p.mm, p.start)).toBe("spurious");
  expect(violations(p.k)).toEqual([]);
});

test("a base page that is pinned after it was marked flushes on every try but the first", () => {
  const p = moved(false, 1);
  runAlone(markRange(p.k, findVma(p.mm, asVpn(p.start))!, p.start, p.start + 1));
  p.k.frames.refCount[frameOf(p.k, p.mm, p.start)]! += 1;
  const before = p.mm.flushes;
  expect(touch(p.k, p.mm, p.start)).toBe("hint-4k");
  expect(p.mm.flushes - before).toBe(9);
  expect(counters(p.k)).toEqual({ numa_hint_faults: 1, pgmigrate_fail: 1 });
});

test("a full node refuses silently: the fault is accounted as failed, no migration counter moves", () => {
  const p = moved(false);
  for (const zone of p.k.buddy.nodes[1]!.zones) zone.highPages = zone.freePages;
  scanAndTouch(p);
  expect(nodes(p)).toBe("0000");
  expect(counters(p.k)).toEqual({ numa_hint_faults: 4 });
  expect(p.task.locality).toEqual([4, 0, 4]);
  expect(violations(p.k)).toEqual([]);
});

test("a huge page mapped by two processes is refused silently", () => {
  const p = moved(true);
  const head = frameOf(p.k, p.mm, p.start);
  p.k.blocks.hugeMapCount[head >> 2] = 2;
  expect(scanAndTouch(p)).toEqual(["hint-huge"]);
  p.k.blocks.hugeMapCount[head >> 2] = 1;
  expect(counters(p.k)).toEqual({ numa_hint_faults: 1 });
  expect(violations(p.k)).toEqual([]);
});

test("without a free block on the node a huge page stays, whole", () => {
  const p = moved(true);
  for (const zone of p.k.buddy.nodes[1]!.zones) zone.minPages = zone.lowPages = zone.freePages;
  expect(scanAndTouch(p)).toEqual(["hint-huge"]);
  expect(counters(p.k)).toEqual({ numa_hint_faults: 1, pgmigrate_fail: 4, thp_migration_fail: 1 });
  expect(p.task.locality).toEqual([4, 0, 4]);
});

test("a local fault restores the entry and tells the statistics", () => {
  const p = moved(true);
  p.k.cpu = asCpu(0);
  p.k.numa.running[0] = p.task;
  expect(scanAndTouch(p)).toEqual(["hint-huge"]);
  expect(p.k.vmstat[C.numa_hint_faults_local]).toBe(1);
  expect(p.task.locality).toEqual([0, 4, 0]);
});
