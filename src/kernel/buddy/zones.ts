/**
 * The allocator at boot: zones, the kernel's own share, free lists, and fragmented starting states.
 *
 *     node 0: ┌ DMA ┐┌──── DMA32 ────┐ devices ┌───────── Normal ─────────┐   node 1: ┌──── Normal ────┐
 *             0    16 MiB          3 GiB     4 GiB
 *
 * Zones follow addresses: a node that lies below 4 GiB has DMA32 memory, whichever its number. Frames are
 * numbered without the hole that the devices make. Test geometries (huge pages below 2 MiB) have one Normal
 * zone a node and reserve nothing.
 *
 * Models:       mm/page_alloc.c free_area_init(), build_zonelists(), find_next_best_node(); memblock's
 *               hand-over, v6.1.
 * Not modelled: other holes in physical memory, what drivers and user space take later.
 */
import type { Geometry } from "../../core/geometry.ts";
import { makeLock } from "../../core/ops.ts";
import { asNode, type NodeId } from "../../core/units.ts";
import { assert } from "../../lib/assert.ts";
import type { Behaviours } from "../behaviours.ts";
import { type MachineSpec, nodeOfCpu } from "../machine.ts";
import { type Blocks, FRAME, type Frames } from "../mm/frames.ts";
import type { Tunables } from "../tunables.ts";
import { kernelShare } from "./boot-share.ts";
import { linkFree } from "./lists.ts";
import {
  type Buddy,
  MIGRATE,
  MIGRATE_TYPES,
  NONE,
  type NodeMemory,
  PCP_TYPES,
  type Pcp,
  ZONE,
  ZONE_NAMES,
  type Zone,
} from "./state.ts";
import { refreshWatermarks } from "./watermarks.ts";

/** Frames of the DMA zone: 16 MiB. */
const DMA_FRAMES = 4096;
/**
 * A PC's devices lie below 4 GiB. With 3.5 GiB or more of memory, what is above 3 GiB continues above 4 GiB:
 * QEMU's `pc`, hw/i386/pc_piix.c.
 */
const LOW_MAX_FRAMES = 917_504;
const LOW_SPLIT_FRAMES = 786_432;
/** PAGE_ALLOC_COSTLY_ORDER; also the largest order that per-CPU lists hold besides huge blocks, if any. */
const COSTLY_ORDER = 3;

function makePcp(lists: number): Pcp {
  return {
    countPages: 0,
    batchPages: 1,
    highPages: 0,
    freeFactor: 0,
    heads: new Int32Array(lists).fill(NONE),
    tails: new Int32Array(lists).fill(NONE),
  };
}

interface Extent {
  readonly node: NodeId;
  readonly kind: number;
  readonly startPfn: number;
  readonly endPfn: number;
}

function makeZone(id: number, extent: Extent, geometry: Geometry, cpus: number, pcpOrderMax: number): Zone {
  const lists = (geometry.maxOrder + 1) * MIGRATE_TYPES;
  const pcpLists = PCP_TYPES * (pcpOrderMax + 1) + 1;
  return {
    id,
    ...extent,
    managedPages: 0,
    takenPages: 0,
    freePages: 0,
    counts: new Int32Array(geometry.maxOrder + 1),
    heads: new Int32Array(lists).fill(NONE),
    tails: new Int32Array(lists).fill(NONE),
    minPages: 0,
    lowPages: 0,
    highPages: 0,
    boostPages: 0,
    boosted: false,
    highatomicPages: 0,
    lowmemReservePages: new Int32Array(ZONE_NAMES.length),
    reclaiming: 0,
    lock: makeLock("zone", `zone ${ZONE_NAMES[extent.kind]} of node ${extent.node}`),
    pcps: Array.from({ length: cpus }, () => makePcp(pcpLists)),
    compact: {
      migrateFromAsync: NONE,
      migrateFromSync: NONE,
      freeFrom: NONE,
      considered: 0,
      deferShift: 0,
      orderFailed: 0,
      skipsStale: false,
    },
  };
}

/** Splits the machine's frames into zones: by node, then by address. */
function zoneExtents(machine: MachineSpec, geometry: Geometry, frames: number): Extent[] {
  const unit = geometry.pagesPerHuge;
  const perNode = Math.floor(frames / machine.nodes / unit) * unit;
  assert(perNode > 0, "every node has room for one huge page");
  const extents: Extent[] = [];
  const zoneEnds = [DMA_FRAMES, frames >= LOW_MAX_FRAMES ? LOW_SPLIT_FRAMES : frames, frames];
  for (let node = 0; node < machine.nodes; node++) {
    const end = node === machine.nodes - 1 ? frames : (node + 1) * perNode;
    let startPfn = node * perNode;
    for (let kind = geometry.hugeOrder === 9 ? ZONE.DMA : ZONE.NORMAL; kind <= ZONE.NORMAL; kind++) {
      const endPfn = Math.min(end, zoneEnds[kind]!);
      if (endPfn <= startPfn) continue;
      extents.push({ node: asNode(node), kind, startPfn, endPfn });
      startPfn = endPfn;
    }
  }
  return extents;
}

/**
 * Order in which a node's requests visit the nodes: near ones first, ties by who was not chosen yet, then by
 * number.
 */
function nodeOrder(machine: MachineSpec, node: number, load: number[]): number[] {
  const distance = (to: number) => machine.distances[node * machine.nodes + to] ?? (to === node ? 10 : 20);
  const order = [node];
  let previous = node;
  while (order.length < machine.nodes) {
    let best = -1;
    let bestScore = Number.POSITIVE_INFINITY;
    for (let to = 0; to < machine.nodes; to++) {
      if (order.includes(to)) continue;
      const score = (distance(to) + (to < node ? 1 : 0)) * machine.nodes + load[to]!;
      if (score < bestScore) {
        best = to;
        bestScore = score;
      }
    }
    if (distance(best) !== distance(previous)) load[best]! += 1;
    order.push(best);
    previous = best;
  }
  return order;
}

function makeNodes(machine: MachineSpec, zones: readonly Zone[]): NodeMemory[] {
  const load = new Array<number>(machine.nodes).fill(0);
  return Array.from({ length: machine.nodes }, (_, node) => {
    const own = (of: number) => zones.filter((zone) => zone.node === of);
    return {
      id: asNode(node),
      zones: own(node),
      zonelist: nodeOrder(machine, node, load).flatMap((of) => own(of).reverse()),
      kswapd: { wanted: false, order: 0, failures: 0, running: false, compactOrder: 0 },
    };
  });
}

function reserveFrames(b: Buddy, startPfn: number, endPfn: number): void {
  for (let pfn = startPfn; pfn < endPfn; pfn++) {
    b.frames.flags[pfn] = FRAME.RESERVED;
    b.frames.refCount[pfn] = 1;
  }
}

/**
 * A whole number from a seed and a place, evenly spread over 0..2^32-1: no state, so order does not matter.
 */
function scatter(seed: number, place: number): number {
  let x = (Math.imul(seed | 0, 0x9e3779b1) ^ place) | 0;
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return (x ^ (x >>> 16)) >>> 0;
}

/** Frees [startPfn, endPfn) as the largest aligned blocks, in order of address. */
function addRange(b: Buddy, zone: Zone, startPfn: number, endPfn: number): void {
  const { maxOrder } = b.geometry;
  let pfn = startPfn;
  while (pfn < endPfn) {
    let order = 0;
    while (order < maxOrder && pfn % (2 << order) === 0 && pfn + (2 << order) <= endPfn) order++;
    linkFree(b, zone, pfn, order, MIGRATE.MOVABLE, true);
    pfn += 1 << order;
  }
}

/** Fills a zone's free lists; in a fragmented machine, some pageblocks keep one page that never moves. */
function populateZone(b: Buddy, zone: Zone, machine: MachineSpec): void {
  const { pagesPerHuge } = b.geometry;
  const share = kernelShare(b, zone);
  const startPfn = zone.startPfn + share.startPages;
  const endPfn = zone.endPfn - share.endPages;
  reserveFrames(b, zone.startPfn, startPfn);
  const freeEnd = endPfn - share.takenPages;
  reserveFrames(b, freeEnd, zone.endPfn);
  zone.managedPages = endPfn - startPfn;
  zone.takenPages = share.takenPages;
  let runStart = startPfn;
  if (machine.fragmentedRatio > 0) {
    const limit = machine.fragmentedRatio * 2 ** 32;
    for (let block = startPfn - (startPfn % pagesPerHuge); block < freeEnd; block += pagesPerHuge) {
      if (scatter(machine.seed, 2 * block) >= limit) continue;
      const pfn = block + (scatter(machine.seed, 2 * block + 1) % pagesPerHuge);
      if (pfn < startPfn || pfn >= freeEnd) continue;
      reserveFrames(b, pfn, pfn + 1);
      addRange(b, zone, runStart, pfn);
      runStart = pfn + 1;
    }
  }
  addRange(b, zone, runStart, freeEnd);
}

/** The allocator of a machine that has just booted. */
export function makeBuddy(
  machine: MachineSpec,
  behaviours: Behaviours,
  frames: Frames,
  blocks: Blocks,
  tunables: Tunables,
): Buddy {
  const { geometry } = machine;
  const costlyOrder = Math.min(COSTLY_ORDER, geometry.hugeOrder - 1);
  const pcpHuge = behaviours.perCpuLists === "orders-0-3-and-9";
  const pcpOrderMax = pcpHuge ? costlyOrder : 0;
  const zones = zoneExtents(machine, geometry, frames.rows).map((extent, id) =>
    makeZone(id, extent, geometry, machine.cpus, pcpOrderMax),
  );
  assert(zones.length < 256, "zones are numbered in a byte");
  const cpusOfNode = new Array<number>(machine.nodes).fill(0);
  for (let cpu = 0; cpu < machine.cpus; cpu++) cpusOfNode[nodeOfCpu(machine, cpu)]! += 1;
  const b: Buddy = {
    geometry,
    frames,
    blocks,
    zones,
    nodes: makeNodes(machine, zones),
    zoneOfBlock: new Uint8Array(blocks.rows),
    compactSkip: new Uint8Array(blocks.rows),
    cpusOfNode,
    pcpOrderMax,
    pcpHuge,
    costlyOrder,
    avoidsFragmentation: behaviours.avoidsFragmentation,
    minFreeKbMax: behaviours.minFreeKbMax,
    freePages: 0,
    minFreeKb: 0,
    onKswapdWake: undefined,
  };
  for (const zone of zones) {
    const end = Math.ceil(zone.endPfn / geometry.pagesPerHuge);
    b.zoneOfBlock.fill(zone.id, Math.floor(zone.startPfn / geometry.pagesPerHuge), end);
    populateZone(b, zone, machine);
  }
  refreshWatermarks(b, tunables);
  return b;
}
