/**
 * Memory pressure on a small machine with swap, huge pages, forks and advice.
 *
 * Strategy:   random writes, reads, partial unmaps, lazy frees, page-outs and forks of processes that
 *             together want more than there is.
 * Invariants: the named beliefs of the kernel after every step; a page that a process wrote is in memory or
 * in swap;
 *             when all processes are gone, every frame is free, every swap slot too, and no list holds
 *             anything.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import { C } from "../../core/counters.ts";
import { SMALL } from "../../core/geometry.ts";
import { freeMemory } from "../buddy/figures.ts";
import { processWith, runAlone, testKernel, touch } from "../buddy/test-kernel.ts";
import { violations } from "../invariants.ts";
import { forkMm } from "../mm/fork.ts";
import { ageRange, freeLazily } from "../mm/madvise-age.ts";
import type { Mm } from "../mm/mm.ts";
import { exitMm } from "../mm/munmap.ts";
import { zapRange } from "../mm/zap.ts";
import type { Kernel } from "../state.ts";
import { lruDrainAll } from "./lru.ts";

const PAGES = 40;

type Step = readonly [what: string, page: number, pages: number, who: number];

function perform(k: Kernel, mms: Mm[], start: number, [what, page, length, who]: Step): void {
  const mm = mms[who % mms.length]!;
  const from = start + page;
  const end = Math.min(from + length, start + PAGES);
  if (what === "fork" && mms.length < 4) mms.push(runAlone(forkMm(k, mm)));
  if (what === "exit" && mms.length > 1) runAlone(exitMm(k, mms.splice(who % mms.length, 1)[0]!));
  if (what === "write" || what === "read") {
    for (let vpn = from; vpn < end; vpn++) if (touch(k, mm, vpn, what === "write") === "oom") return;
  }
  if (what === "unmap") runAlone(zapRange(k, mm, from, end, "advise"));
  if (what === "free") runAlone(freeLazily(k, mm, from, end));
  if (what === "cold" || what === "pageout") runAlone(ageRange(k, mm, from, end, what === "pageout"));
}

const step: fc.Arbitrary<Step> = fc.tuple(
  fc.constantFrom("write", "write", "write", "read", "unmap", "free", "cold", "pageout", "fork", "exit"),
  fc.nat(PAGES - 1),
  fc.integer({ min: 1, max: 16 }),
  fc.nat(3),
);

function everythingFree(k: Kernel): void {
  lruDrainAll(k);
  const { freePages, perCpuPages, managedPages } = freeMemory(k);
  const zeroPage = k.thp.hugeZeroAllocated ? k.geometry.pagesPerHuge : 0;
  expect(freePages + perCpuPages + zeroPage, "every frame is free again").toBe(managedPages);
  expect(k.swap.free, "every swap slot is free again").toBe(k.swap.useCount.length);
  expect([...k.lru.nodes[0]!.sizePages], "no LRU list holds anything").toEqual([0, 0, 0]);
  const gauges = [C.nr_isolated_anon, C.nr_anon_pages, C.nr_anon_transparent_hugepages, C.nr_inactive_anon];
  expect(
    gauges.map((gauge) => k.vmstat[gauge]),
    "no gauge is left over",
  ).toEqual([0, 0, 0, 0]);
}

test.each([
  ["no huge pages", "never", "any-subpage"],
  ["huge pages, queued for a deferred split as 6.1 does", "always", "any-subpage"],
  ["huge pages, queued as 6.12 does", "always", "partially-mapped"],
] as const)("under pressure nothing is lost or counted twice: %s", (_, enabled, deferredSplit) => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), fc.constantFrom(0, 13, 64), (script, swapPages) => {
      const behaviours = {
        deferredSplit,
        underusedShrinker: deferredSplit === "partially-mapped",
        lruBatch: 3,
      };
      const k = testKernel({
        frames: 48,
        geometry: SMALL,
        swapPages,
        behaviours,
        tunables: { enabled, maxPtesNone: 1 },
      });
      const { mm, start } = processWith(k, PAGES);
      const mms = [mm];
      for (const each of script) {
        perform(k, mms, start, each);
        const broken = violations(k);
        if (broken.length > 0) expect.fail(broken[0]);
      }
      for (const left of mms) runAlone(exitMm(k, left));
      everythingFree(k);
    }),
    { numRuns: 15 },
  );
});
