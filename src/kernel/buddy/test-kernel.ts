/**
 * Small machines for tests of the allocator and of reclaim: costs are 0, locks are free, paths run alone.
 * They behave as Linux 6.1; single choices are for tests to change.
 *
 * Models:       nothing: a fixture.
 * Not modelled: time, other CPUs' paths.
 */
import { type Geometry, LIFE } from "../../core/geometry.ts";
import type { KnobSpec } from "../../core/knobs.ts";
import type { Path } from "../../core/ops.ts";
import { asVpn, PAGE_BYTES, type Pfn } from "../../core/units.ts";
import { BEHAVIOURS_6_1 } from "../../generations/linux-6.1.ts";
import { assert } from "../../lib/assert.ts";
import type { Behaviours } from "../behaviours.ts";
import type { Costs } from "../costs.ts";
import { createKernel } from "../create.ts";
import { handleFault } from "../fault/handle.ts";
import { follow, type HeldLocks, wrongEnd } from "../invariants-paths.ts";
import { evenDistances, type MachineSpec } from "../machine.ts";
import { type Mm, makeMm } from "../mm/mm.ts";
import { mmap } from "../mm/mmap.ts";
import { frameAt } from "../mm/pin.ts";
import { VM } from "../mm/vma.ts";
import { COMMON_KNOBS, NUMA_KNOBS_TIERING } from "../proc/knob-list.ts";
import type { Kernel } from "../state.ts";
import { defaultTunables, type Tunables } from "../tunables.ts";
import { refreshWatermarks } from "./watermarks.ts";

export interface TestMachine {
  readonly frames: number;
  readonly geometry?: Geometry;
  readonly nodes?: number;
  readonly cpus?: number;
  readonly swapPages?: number;
  /** "disk" unless told. */
  readonly swapDevice?: MachineSpec["swapDevice"];
  readonly fragmentedRatio?: number;
  readonly seed?: number;
  readonly behaviours?: Partial<Behaviours>;
  readonly tunables?: Partial<Tunables>;
  readonly knobSpecs?: readonly KnobSpec[];
}

const LEVEL = { entries: 4, ways: 4 };

/** Boots a machine of that many frames. */
export function testKernel(of: TestMachine): Kernel {
  const geometry = of.geometry ?? LIFE;
  const nodes = of.nodes ?? 1;
  const machine: MachineSpec = {
    nodes,
    cpus: of.cpus ?? nodes,
    memBytes: of.frames * PAGE_BYTES,
    geometry,
    distances: evenDistances(nodes),
    swapBytes: (of.swapPages ?? 0) * PAGE_BYTES,
    swapDevice: of.swapDevice ?? "disk",
    fragmentedRatio: of.fragmentedRatio ?? 0,
    seed: of.seed ?? 1,
  };
  const k = createKernel({
    machine,
    behaviours: { ...BEHAVIOURS_6_1, ...of.behaviours },
    knobSpecs: of.knobSpecs ?? [...COMMON_KNOBS, ...NUMA_KNOBS_TIERING],
    costs: new Proxy({}, { get: () => 0 }) as Costs,
    tlb: { l1Small: LEVEL, l1Huge: "shared", l2: { ...LEVEL, hugeWays: 4 }, walkCaches: "none" },
  });
  Object.assign(k.tunables, defaultTunables(), of.tunables);
  refreshWatermarks(k.buddy, k.tunables);
  return k;
}

/** Runs a path to its end, alone on the machine. */
export function runAlone<T>(path: Path<T>, held: HeldLocks = new Map()): T {
  for (;;) {
    const step = path.next();
    const wrong = step.done ? wrongEnd(held, "a path alone") : follow(held, "a path alone", step.value);
    assert(wrong === undefined, wrong ?? "");
    if (step.done) return step.value;
  }
}

/** A process with one writable private area; its first page is a multiple of a huge page. */
export function processWith(k: Kernel, pages: number): { readonly mm: Mm; readonly start: number } {
  const mm = makeMm(k);
  mm.cpus[0] = 1;
  const at = 1024 * 1024;
  const request = { at, pages, flags: VM.READ | VM.WRITE | VM.NORESERVE, replace: false, stack: false };
  const start = runAlone(mmap(k, mm, request));
  assert(start === at, "an empty address space has room where it is asked for");
  return { mm, start };
}

/** Writes (or reads) a page as a program does: faults until it is there. Returns the last fault's outcome. */
export function touch(k: Kernel, mm: Mm, vpn: number, write = true): string {
  let outcome = "retry";
  for (let tries = 0; outcome === "retry"; tries++) {
    assert(tries < 100, "a fault is through after a few tries");
    outcome = runAlone(handleFault(k, mm, asVpn(vpn), write));
  }
  return outcome;
}

/** The frame behind a page, or -1. */
export function frameOf(k: Kernel, mm: Mm, vpn: number): Pfn {
  return frameAt(k, mm, vpn);
}
