/**
 * Reclaim, compaction and faults of several CPUs, interleaved at every yield.
 *
 * Strategy:   processes that share pages through fork run random scripts on CPUs of their own, beside kswapd,
 *             on a machine too small for them. The huge zero page is off: it is
 *             no matter of reclaim. A seeded scheduler picks who goes on at each yield and honours locks.
 * Invariants: nobody waits for ever; the kernel's named beliefs when all scripts are done; after exit every
 *             frame and every swap slot is free, but for what reclaim would find in the swap cache.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import { C } from "../../core/counters.ts";
import { SMALL } from "../../core/geometry.ts";
import type { Op, Path } from "../../core/ops.ts";
import { asCpu, asNode, asPfn, asVpn, NO_FRAME } from "../../core/units.ts";
import { below, makePrng, type Prng } from "../../lib/prng.ts";
import { freeMemory } from "../buddy/figures.ts";
import { processWith, runAlone, testKernel, touch } from "../buddy/test-kernel.ts";
import { handleFault } from "../fault/handle.ts";
import { violations } from "../invariants.ts";
import { forkMm } from "../mm/fork.ts";
import { ageRange, freeLazily } from "../mm/madvise-age.ts";
import type { Mm } from "../mm/mm.ts";
import { exitMm } from "../mm/munmap.ts";
import { zapRange } from "../mm/zap.ts";
import type { Kernel } from "../state.ts";
import { kswapd } from "./kswapd.ts";
import { lruDrainAll } from "./lru.ts";
import { freeSwapCache } from "./swap-cache.ts";

const PAGES = 32;

interface Runner {
  readonly id: number;
  readonly cpu: number;
  readonly path: Path<unknown>;
  /** What it waits for, if it does. */
  pending: Op | undefined;
}

/** Whether the op can be done now; does it. */
function perform(op: Op, runner: number): boolean {
  const { lock } = op;
  if (lock === undefined) return true;
  if (op.kind === "release") lock.holder = -1;
  if (op.kind === "release-read") lock.readers--;
  if (op.kind === "acquire") {
    if (lock.holder !== -1 || lock.readers > 0) return false;
    lock.holder = runner;
  }
  if (op.kind === "acquire-read") {
    if (lock.holder !== -1) return false;
    lock.readers++;
  }
  return true;
}

/** Runs all paths to their end in an order that the seed decides; kswapd joins when it is woken. */
function interleave(k: Kernel, paths: readonly Path<unknown>[], prng: Prng): void {
  const live: Runner[] = [];
  let started = 0;
  const start = (cpu: number, path: Path<unknown>) => {
    live.push({ id: started++, cpu, path, pending: undefined });
  };
  for (const path of paths) start(started % k.machine.cpus, path);
  k.buddy.onKswapdWake = (node) => start(k.machine.cpus - 1, kswapd(k, asNode(node)));
  for (let stuck = 0; live.length > 0; ) {
    const at = below(prng, live.length);
    const runner = live[at]!;
    if (runner.pending !== undefined && !perform(runner.pending, runner.id)) {
      if (++stuck > 10_000) expect.fail("every path waits for a lock that nobody gives back");
      continue;
    }
    stuck = 0;
    k.cpu = asCpu(runner.cpu);
    const step = runner.path.next();
    runner.pending = step.done ? undefined : step.value;
    if (step.done) live.splice(live.indexOf(runner), 1);
  }
}

/**
 * A huge page whose tails were copied out of the swap cache, one after another, is nobody's in the end, and
 * stays there until reclaim meets it: so does it in 6.1.
 */
function dropUnused(k: Kernel): void {
  for (const pfn of k.swap.cachedPage) if (pfn !== NO_FRAME) freeSwapCache(k, asPfn(pfn));
}

type Step = readonly [what: string, page: number, pages: number];

function* script(k: Kernel, mm: Mm, start: number, steps: readonly Step[]): Path {
  for (const [what, page, length] of steps) {
    const from = start + page;
    const end = Math.min(from + length, start + PAGES);
    if (what === "unmap" || what === "free" || what === "pageout") {
      // As the system calls do: areas stay as they are meanwhile.
      yield mm.mmapLock.acquireRead;
      if (what === "unmap") yield* zapRange(k, mm, from, end, "advise");
      else if (what === "free") yield* freeLazily(k, mm, from, end);
      else yield* ageRange(k, mm, from, end, true);
      yield mm.mmapLock.releaseRead;
      continue;
    }
    for (let vpn = from; vpn < end; vpn++) {
      for (let outcome = "retry"; outcome === "retry"; ) {
        outcome = yield* handleFault(k, mm, asVpn(vpn), what === "write");
      }
    }
  }
}

const steps = fc.array(
  fc.tuple(
    fc.constantFrom("write", "write", "write", "read", "unmap", "free", "pageout"),
    fc.nat(PAGES - 1),
    fc.integer({ min: 1, max: 10 }),
  ) as fc.Arbitrary<Step>,
  { maxLength: 12 },
);

test.each([["never"], ["always"]] as const)(
  "every interleaving ends with all counts right, THP %s",
  (enabled) => {
    fc.assert(
      fc.property(fc.array(steps, { minLength: 2, maxLength: 3 }), fc.nat(1_000_000), (scripts, seed) => {
        const tunables = { enabled, defrag: "always", minFreeKb: 16, useZeroPage: false } as const;
        const behaviours = { lruBatch: 3 };
        const k = testKernel({ frames: 48, geometry: SMALL, cpus: 4, swapPages: 64, behaviours, tunables });
        const { mm, start } = processWith(k, PAGES);
        for (let i = 0; i < 8; i++) touch(k, mm, start + i);
        const mms = scripts.map((_, i) => (i === 0 ? mm : runAlone(forkMm(k, mm))));
        interleave(
          k,
          scripts.map((each, i) => script(k, mms[i]!, start, each)),
          makePrng(seed),
        );
        expect(violations(k)).toEqual([]);
        k.buddy.onKswapdWake = undefined;
        k.cpu = asCpu(0);
        for (const left of mms) runAlone(exitMm(k, left));
        lruDrainAll(k);
        dropUnused(k);
        const { freePages, perCpuPages, managedPages } = freeMemory(k);
        const zeroPage = k.thp.hugeZeroAllocated ? k.geometry.pagesPerHuge : 0;
        expect(freePages + perCpuPages + zeroPage, "every frame is free again").toBe(managedPages);
        expect(k.swap.free, "every swap slot is free again").toBe(k.swap.useCount.length);
        expect(k.vmstat[C.nr_isolated_anon], "nothing stays isolated").toBe(0);
      }),
      { numRuns: 12 },
    );
  },
);
