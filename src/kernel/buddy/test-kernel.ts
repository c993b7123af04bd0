/**
 * A kernel with memory and nothing else, for tests of the allocator and the LRU.
 *
 * Models:       nothing: a fixture.
 * Not modelled: page tables, tasks, TLBs.
 */
import { COUNTER_NAMES } from "../../core/counters.ts";
import { type Geometry, LIFE } from "../../core/geometry.ts";
import type { Path } from "../../core/ops.ts";
import { asCpu, PAGE_BYTES } from "../../core/units.ts";
import type { Behaviours } from "../behaviours.ts";
import { evenDistances, type MachineSpec } from "../machine.ts";
import { makeBlocks, makeFrames } from "../mm/frames.ts";
import { makeLru } from "../reclaim/state.ts";
import type { Kernel } from "../state.ts";
import { makeThp } from "../thp/state.ts";
import { defaultTunables, type Tunables } from "../tunables.ts";
import { makeBuddy } from "./zones.ts";

export interface TestMachine {
  readonly frames: number;
  readonly geometry?: Geometry;
  readonly nodes?: number;
  readonly cpus?: number;
  readonly fragmentedRatio?: number;
  readonly seed?: number;
  readonly lruBatch?: number;
  readonly tunables?: Partial<Tunables>;
  readonly distances?: readonly number[];
}

/** A machine of that many frames; costs are all 0. */
export function memoryOnlyKernel(of: TestMachine): Kernel {
  const geometry = of.geometry ?? LIFE;
  const nodes = of.nodes ?? 1;
  const machine: MachineSpec = {
    nodes,
    cpus: of.cpus ?? nodes,
    memBytes: of.frames * PAGE_BYTES,
    geometry,
    distances: of.distances ?? evenDistances(nodes),
    swapBytes: 0,
    fragmentedRatio: of.fragmentedRatio ?? 0,
    seed: of.seed ?? 1,
  };
  const frames = makeFrames(of.frames);
  const blocks = makeBlocks(of.frames, geometry.pagesPerHuge);
  const tunables = { ...defaultTunables(), ...of.tunables };
  return {
    machine,
    geometry,
    tunables,
    frames,
    blocks,
    costs: new Proxy({}, { get: () => 0 }),
    vmstat: new Float64Array(COUNTER_NAMES.length),
    buddy: makeBuddy(machine, geometry, frames, blocks, tunables),
    lru: makeLru(machine, { lruBatch: of.lruBatch ?? 15 } as Behaviours),
    thp: makeThp(machine),
    cpu: asCpu(0),
    nowNs: 0,
    listener: undefined,
  } as unknown as Kernel;
}

/** Runs a path to its end, alone on the machine. */
export function runAlone<T>(path: Path<T>): T {
  for (;;) {
    const step = path.next();
    if (step.done) return step.value;
  }
}
