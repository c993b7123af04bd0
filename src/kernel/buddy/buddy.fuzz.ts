/**
 * The allocator against a dumb twin.
 *
 * Strategy:   random allocations and frees of every order, from several CPUs, on a small machine. The twin is
 *             an array that says for each frame who has it; it knows nothing of lists, orders or merging.
 * Invariants: every frame is in exactly one place (a free list, a per-CPU list, a holder's block, the
 * kernel's share);
 *             the lists' counts add up; no two free buddies of one order stay apart; an allocation fails only
 *             when no zone has an aligned run of free frames of that size outside of per-CPU lists, and an
 *             order-0 one only when the twin sees no free frame at all.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import { type Geometry, LIFE, SMALL } from "../../core/geometry.ts";
import { asCpu, asNode, NO_FRAME, type Pfn } from "../../core/units.ts";
import type { Kernel } from "../state.ts";
import { allocFast, allocPages } from "./alloc.ts";
import { freePages } from "./free.ts";
import { GFP } from "./gfp.ts";
import { firstFree, nextFree } from "./lists.ts";
import { drainAllPcps, pcpRow } from "./pcp.ts";
import { type Buddy, MIGRATE_TYPES, NONE, type Zone } from "./state.ts";
import { runAlone, testKernel } from "./test-kernel.ts";

/** For each frame: -1 free, else the number of its holder. */
type Twin = Int32Array;

const FREE = -1;
const KERNEL = 1_000_000;

function claim(seen: Int32Array, pfn: number, pages: number, what: number): void {
  for (let i = 0; i < pages; i++) {
    if (seen[pfn + i] !== 0) expect.fail(`frame ${pfn + i} is in two places`);
    seen[pfn + i] = what;
  }
}

/** Marks every frame that the allocator holds free: 1 in a free list, 2 in a per-CPU list. */
function freeFrames(b: Buddy): Int32Array {
  const seen = new Int32Array(b.frames.rows);
  for (const zone of b.zones) {
    let freePages = 0;
    for (let order = 0; order <= b.geometry.maxOrder; order++) {
      let blocks = 0;
      for (let type = 0; type < MIGRATE_TYPES; type++) {
        for (let pfn = firstFree(b, zone, order, type); pfn !== NONE; pfn = nextFree(b, pfn, order)) {
          expect(pfn % 2 ** order, "a free block is aligned to its size").toBe(0);
          claim(seen, pfn, 2 ** order, 1);
          blocks++;
          freePages += 2 ** order;
        }
      }
      expect(zone.counts[order], "the count of an order is the length of its lists").toBe(blocks);
    }
    expect(zone.freePages, "a zone's free pages are those of its lists").toBe(freePages);
    claimPcps(b, zone, seen);
  }
  return seen;
}

function claimPcps(b: Buddy, zone: Zone, seen: Int32Array): void {
  for (const pcp of zone.pcps) {
    let pages = 0;
    for (let list = 0; list < pcp.heads.length; list++) {
      const order = list === pcp.heads.length - 1 ? b.geometry.hugeOrder : Math.floor(list / 3);
      for (let pfn = pcp.heads[list]!; pfn !== NONE; pfn = b.frames.next[pcpRow(b, list, pfn)]!) {
        claim(seen, pfn, 2 ** order, 2);
        pages += 2 ** order;
      }
    }
    expect(pcp.countPages, "a CPU's count is that of its lists").toBe(pages);
  }
}

function agree(k: Kernel, twin: Twin): void {
  const seen = freeFrames(k.buddy);
  for (let pfn = 0; pfn < twin.length; pfn++) {
    if ((seen[pfn] !== 0) !== (twin[pfn] === FREE)) {
      expect.fail(
        `frame ${pfn}: the allocator has it ${seen[pfn] === 0 ? "taken" : "free"}, the twin does not`,
      );
    }
  }
}

/** Two free buddies of one order below the largest would be one block. */
function mergedCompletely(b: Buddy): void {
  const orderAt = new Map<number, number>();
  for (const zone of b.zones) {
    for (let order = 0; order <= b.geometry.maxOrder; order++) {
      for (let type = 0; type < MIGRATE_TYPES; type++) {
        for (let pfn = firstFree(b, zone, order, type); pfn !== NONE; pfn = nextFree(b, pfn, order)) {
          orderAt.set(pfn, order);
        }
      }
    }
    for (const [pfn, order] of orderAt) {
      const buddy = pfn ^ (1 << order);
      const inZone = buddy >= zone.startPfn && buddy + 2 ** order <= zone.endPfn;
      if (order === b.geometry.maxOrder || !inZone) continue;
      expect(orderAt.get(buddy), `the free buddies ${pfn} and ${buddy} are one block`).not.toBe(order);
    }
    orderAt.clear();
  }
}

/**
 * Whether the zones' own lists hold an aligned run of free frames: what only per-CPU lists hold does not
 * count.
 */
function zonesHaveRun(k: Kernel, order: number): boolean {
  const seen = freeFrames(k.buddy);
  return k.buddy.zones.some((zone) => {
    for (let pfn = zone.startPfn; pfn + 2 ** order <= zone.endPfn; pfn++) {
      if (pfn % 2 ** order !== 0) continue;
      let run = 0;
      while (run < 2 ** order && seen[pfn + run] === 1) run++;
      if (run === 2 ** order) return true;
    }
    return false;
  });
}

interface Step {
  readonly cpu: number;
  readonly order: number;
  readonly gfp: number;
  /** Frees the block with that number modulo how many are held; undefined allocates. */
  readonly free: number | undefined;
}

interface Block {
  readonly pfn: Pfn;
  readonly order: number;
}

function allocate(k: Kernel, twin: Twin, held: Block[], step: Step): void {
  const node = asNode(step.cpu % k.machine.nodes);
  let pfn = allocFast(k, step.order, node, step.gfp);
  if (pfn === NO_FRAME) pfn = runAlone(allocPages(k, step.order, node, step.gfp));
  if (pfn === NO_FRAME) {
    if (step.order === 0)
      expect(twin.includes(FREE), "a single frame fails only when none is free").toBe(false);
    expect(zonesHaveRun(k, step.order), `order ${step.order} fails only when no run is free`).toBe(false);
    return;
  }
  for (let i = 0; i < 2 ** step.order; i++) {
    if (twin[pfn + i] !== FREE) expect.fail(`frame ${pfn + i} was given out twice`);
    twin[pfn + i] = held.length;
  }
  held.push({ pfn, order: step.order });
}

function free(k: Kernel, twin: Twin, held: Block[], which: number): void {
  const [block] = held.splice(which % held.length, 1);
  if (block === undefined) return;
  twin.fill(FREE, block.pfn, block.pfn + 2 ** block.order);
  k.frames.refCount[block.pfn] = 0;
  freePages(k, block.pfn, block.order);
}

function steps(geometry: Geometry, cpus: number, length: number): fc.Arbitrary<Step[]> {
  const step = fc.record({
    cpu: fc.nat(cpus - 1),
    order: fc.oneof(fc.nat(geometry.maxOrder), fc.constantFrom(0, geometry.hugeOrder)),
    gfp: fc.constantFrom(
      GFP.DIRECT_RECLAIM,
      GFP.DIRECT_RECLAIM | GFP.UNMOVABLE,
      GFP.DIRECT_RECLAIM | GFP.RECLAIMABLE,
    ),
    free: fc.option(fc.nat(1000), { nil: undefined, freq: 3 }),
  });
  return fc.array(step, { maxLength: length });
}

function play(k: Kernel, script: readonly Step[], checkEach: boolean): void {
  const twin: Twin = new Int32Array(k.frames.rows).fill(KERNEL);
  const start = freeFrames(k.buddy);
  for (let pfn = 0; pfn < twin.length; pfn++) if (start[pfn] !== 0) twin[pfn] = FREE;
  const held: Block[] = [];
  for (const step of script) {
    k.cpu = asCpu(step.cpu);
    if (step.free !== undefined && held.length > 0) free(k, twin, held, step.free);
    else allocate(k, twin, held, step);
    if (checkEach) agree(k, twin);
  }
  agree(k, twin);
  mergedCompletely(k.buddy);
  while (held.length > 0) free(k, twin, held, 0);
  drainAllPcps(k.buddy);
  mergedCompletely(k.buddy);
  expect(
    [...k.buddy.zones.map((zone) => [...zone.counts])],
    "all given back, the free blocks are those of the start",
  ).toEqual([...memoryOfStart(k)]);
}

/** Free blocks by order of the same machine, freshly booted. */
function memoryOfStart(k: Kernel): number[][] {
  const fresh = testKernel({
    frames: k.frames.rows,
    geometry: k.geometry,
    nodes: k.machine.nodes,
    cpus: k.machine.cpus,
    fragmentedRatio: k.machine.fragmentedRatio,
    seed: k.machine.seed,
  });
  return fresh.buddy.zones.map((zone) => [...zone.counts]);
}

test("on a small machine the allocator and an array of frames always agree", () => {
  fc.assert(
    fc.property(
      steps(SMALL, 2, 120),
      fc.constantFrom(16, 37, 64),
      fc.constantFrom(1, 2),
      (script, frames, nodes) => {
        play(testKernel({ frames, geometry: SMALL, nodes, cpus: 2 }), script, true);
      },
    ),
    { numRuns: 60 },
  );
});

test("with orders 0-10, per-CPU batches and held pages they agree too", () => {
  fc.assert(
    fc.property(steps(LIFE, 2, 150), fc.constantFrom(0, 0.5, 1), (script, fragmentedRatio) => {
      const tunables = { minFreeKb: 0, watermarkScaleFactor: 0 };
      play(testKernel({ frames: 24_000, cpus: 2, fragmentedRatio, tunables }), script, false);
    }),
    { numRuns: 25 },
  );
});
