import { expect, test } from "vitest";
import { testKernel } from "../buddy/test-kernel.ts";
import { type Mm, makeMm } from "../mm/mm.ts";
import type { Kernel } from "../state.ts";
import { scanMaxMs, scanMinMs, scanStartMs, scanWindows, updatePeriod } from "./period.ts";
import { LOCALITY, makeNumaTask, type NumaTask } from "./state.ts";

const GIB_PAGES = 2 ** 18;

/** A task whose process has that many pages resident. */
function taskWith(pages: number): { readonly k: Kernel; readonly mm: Mm; readonly task: NumaTask } {
  const k = testKernel({ frames: 4096, nodes: 2 });
  const mm = makeMm(k);
  mm.anonPages = pages;
  return { k, mm, task: makeNumaTask(k, mm) };
}

/** Periods after placements with the given faults, four numbers each: shared, private, local, remote. */
function periods(startMs: number, failed: number, ...rounds: readonly (readonly number[])[]): number[] {
  const { k, mm, task } = taskWith(GIB_PAGES);
  task.scanPeriodMs = startMs;
  task.scanPeriodMaxMs = scanMaxMs(k, task, mm);
  task.locality[LOCALITY.FAILED] = failed;
  return rounds.map(([shared, own, local, remote]) => {
    task.locality[LOCALITY.LOCAL] += local!;
    task.locality[LOCALITY.REMOTE] += remote!;
    updatePeriod(k, task, mm, shared!, own!);
    return task.scanPeriodMs;
  });
}

test("1 GiB is scanned in four windows of 256 MiB, every 250 ms to 15 s", () => {
  const { k, mm, task } = taskWith(GIB_PAGES);
  expect(scanWindows(k, mm)).toBe(4);
  expect(scanMinMs(k, mm)).toBe(250);
  expect(scanStartMs(k, task, mm)).toBe(250);
  expect(scanMaxMs(k, task, mm)).toBe(15_000);
});

test("up to 256 MiB there is one window a second; however large, no more than 2560 MB a second", () => {
  const small = taskWith(100);
  expect(scanMinMs(small.k, small.mm)).toBe(1000);
  expect(scanMaxMs(small.k, small.task, small.mm)).toBe(60_000);
  const large = taskWith(64 * GIB_PAGES);
  expect(scanMinMs(large.k, large.mm)).toBe(100);
});

test("private faults lengthen the period by three tenths, rounded up, to its maximum", () => {
  const round = [0, 100, 100, 0];
  expect(periods(250, 0, round, round, round)).toEqual([325, 424, 553]);
  expect(periods(14_000, 0, round)).toEqual([15_000]);
});

test("one failed migration doubles every later period", () => {
  const round = [0, 100, 100, 0];
  const found = periods(250, 1, round, round, round, round, round, round, round);
  expect(found).toEqual([500, 1000, 2000, 4000, 8000, 15_000, 15_000]);
});

test("private and remote faults alone teach nothing: the period doubles", () => {
  expect(periods(1000, 0, [0, 100, 0, 100])).toEqual([2000]);
});

test("60 private of 100 and 20 local of 100 shorten the period by a tenth", () => {
  expect(periods(1000, 0, [40, 60, 20, 80])).toEqual([900]);
});

test("local faults of shared pages lengthen it", () => {
  expect(periods(1000, 0, [90, 10, 90, 10])).toEqual([1200]);
});
