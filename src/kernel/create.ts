/**
 * Boots a kernel: all state of one machine under one generation's behaviours and knobs.
 *
 * Models:       start_kernel() as far as memory goes; mm/huge_memory.c hugepage_init(); mm/mempolicy.c
 *               check_numabalancing_enable(), v6.1.
 * Not modelled: boot-time allocations (a share of frames is reserved instead), the command line.
 */
import { C, COUNTER_NAMES } from "../core/counters.ts";
import { type KnobSpec, makeKnobs } from "../core/knobs.ts";
import { asCpu, PAGE_BYTES } from "../core/units.ts";
import { makePrng } from "../lib/prng.ts";
import type { Behaviours } from "./behaviours.ts";
import { FREED_LATE_PAGES } from "./buddy/boot-share.ts";
import { freeMemory } from "./buddy/figures.ts";
import { refreshWatermarks } from "./buddy/watermarks.ts";
import { makeBuddy } from "./buddy/zones.ts";
import type { Costs } from "./costs.ts";
import { wakeKhugepaged } from "./khugepaged/register.ts";
import { makeKhugepaged } from "./khugepaged/state.ts";
import { makeLocks } from "./locks.ts";
import type { MachineSpec } from "./machine.ts";
import { makeBlocks, makeFrames } from "./mm/frames.ts";
import { makePageTables } from "./mm/page-table.ts";
import { makeRmap } from "./mm/rmap.ts";
import { makeNuma } from "./numa/state.ts";
import { bindTunables } from "./proc/knobs.ts";
import { makeLru } from "./reclaim/state.ts";
import { makeSwap } from "./reclaim/swap.ts";
import { makeReservations } from "./reservation/state.ts";
import type { Kernel } from "./state.ts";
import { makeThp } from "./thp/state.ts";
import { makeTlb, type TlbSpec } from "./tlb/tlb.ts";
import { makeTraffic } from "./traffic.ts";
import { defaultTunables } from "./tunables.ts";

export interface KernelOptions {
  readonly machine: MachineSpec;
  readonly behaviours: Behaviours;
  readonly knobSpecs: readonly KnobSpec[];
  readonly costs: Costs;
  readonly tlb: TlbSpec;
  /** Most PMD tables of all address spaces together; small machines need few. */
  readonly pmdTablesMax?: number;
}

/**
 * Managed memory below which the kernel boots without huge pages (mm/huge_memory.c hugepage_init(), v6.1).
 */
const THP_MIN_PAGES = 2 ** 17;
/** What it boots with then: all of THP's flags are clear, not only that of `enabled`. */
const SMALL_MACHINE: readonly (readonly [knob: string, value: string])[] = [
  ["transparent_hugepage/enabled", "never"],
  ["transparent_hugepage/defrag", "never"],
  ["transparent_hugepage/use_zero_page", "0"],
  ["transparent_hugepage/khugepaged/defrag", "0"],
];

export function createKernel(options: KernelOptions): Kernel {
  const { machine, behaviours } = options;
  const { geometry } = machine;
  const frameCount = Math.floor(machine.memBytes / PAGE_BYTES);
  const frames = makeFrames(frameCount, geometry.pagesPerHuge);
  const blocks = makeBlocks(frameCount, geometry.pagesPerHuge);
  const pt = makePageTables(geometry, pteTablesFor(frameCount, geometry.pagesPerHuge), options.pmdTablesMax);
  const tunables = { ...defaultTunables(), ...behaviours.fixed };
  const knobs = makeKnobs(options.knobSpecs);
  if (machine.nodes > 1) knobs.write("kernel.numa_balancing", "1");
  const k: Kernel = {
    machine,
    geometry,
    behaviours,
    costs: options.costs,
    knobs,
    tunables,
    vmstat: new Float64Array(COUNTER_NAMES.length),
    frames,
    blocks,
    pt,
    buddy: makeBuddy(machine, behaviours, frames, blocks, tunables),
    lru: makeLru(machine, behaviours),
    swap: makeSwap(machine, geometry.pagesPerHuge),
    tlb: makeTlb(options.tlb, machine.cpus, geometry.hugeOrder),
    traffic: makeTraffic(machine, options.costs),
    rmap: makeRmap(),
    thp: makeThp(machine),
    khugepaged: makeKhugepaged(),
    numa: makeNuma(machine.cpus),
    reservations: makeReservations(machine, behaviours, blocks.rows, pt.pmd.rows),
    locks: makeLocks(),
    moving: new Set(),
    prng: makePrng(machine.seed),
    shootdowns: { senderNs: 0, interruptedNs: 0 },
    pins: new Map(),
    mms: [],
    totals: { resident: 0, peakResident: 0, huge: 0, peakHuge: 0, touched: 0, peakTouched: 0 },
    cpu: asCpu(0),
    nowNs: 0,
    stolenNs: new Float64Array(machine.cpus),
    listener: undefined,
    onEnter: undefined,
    witness: undefined,
  };
  k.vmstat[C.nr_free_pages] = k.buddy.freePages;
  bindTunables(knobs, tunables, (name) => {
    if (name.startsWith("vm.") || name === "transparent_hugepage/enabled")
      refreshWatermarks(k.buddy, tunables);
    if (name === "transparent_hugepage/enabled") wakeKhugepaged(k);
  });
  if (isSmall(k)) for (const [knob, value] of SMALL_MACHINE) if (knobs.has(knob)) knobs.write(knob, value);
  return k;
}

/** What THP's start sees: the image's init sections are not free yet. */
function isSmall(k: Kernel): boolean {
  return k.geometry.hugeOrder === 9 && freeMemory(k).managedPages - FREED_LATE_PAGES < THP_MIN_PAGES;
}

/** Room for the PTE tables of twice the memory; the columns grow when shared memory needs more. */
function pteTablesFor(frameCount: number, pagesPerHuge: number): number {
  return Math.max(64, Math.ceil((frameCount * 2) / pagesPerHuge));
}
