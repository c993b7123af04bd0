/**
 * What the allocator looks like from outside: /proc/meminfo, /proc/buddyinfo, /proc/zoneinfo.
 *
 * Models:       mm/page_alloc.c si_meminfo(), si_mem_available(); mm/vmstat.c frag_show(), v6.1.
 * Not modelled: file cache and slab as a part of available memory.
 */
import { C } from "../../core/counters.ts";
import type { NodeId } from "../../core/units.ts";
import type { Kernel } from "../state.ts";
import { firstFree, nextFree } from "./lists.ts";
import { type Buddy, MIGRATE_TYPES, NONE, ZONE_NAMES, type Zone } from "./state.ts";
import { totalReservePages } from "./watermarks.ts";

export interface FreeMemory {
  /** What the allocator manages: MemTotal. */
  readonly managedPages: number;
  /** In free lists: MemFree. */
  readonly freePages: number;
  /** In per-CPU lists: free, yet in no figure of the kernel. */
  readonly perCpuPages: number;
  /** Free pages and unused ones of reservations, without the reserve: that part of MemAvailable. */
  readonly availablePages: number;
}

function perCpuPages(zone: Zone): number {
  return zone.pcps.reduce((sum, pcp) => sum + pcp.countPages, 0);
}

/** Memory of one node, or of the machine. */
export function freeMemory(k: Kernel, node?: NodeId): FreeMemory {
  const zones = node === undefined ? k.buddy.zones : k.buddy.nodes[node]!.zones;
  const sum = (of: (zone: Zone) => number) => zones.reduce((total, zone) => total + of(zone), 0);
  const freePages = sum((zone) => zone.freePages);
  const reservedPages =
    node === undefined ? k.vmstat[C.nr_thp_reserved]! : k.reservations.nodes[node]!.reservedPages;
  const reserve = node === undefined ? totalReservePages(k.buddy) : sum((zone) => zone.highPages);
  return {
    managedPages: sum((zone) => zone.managedPages),
    freePages,
    perCpuPages: sum(perCpuPages),
    availablePages: Math.max(freePages + reservedPages - reserve, 0),
  };
}

export interface ZoneFigures {
  readonly node: number;
  readonly zone: (typeof ZONE_NAMES)[number];
  readonly managedPages: number;
  readonly freePages: number;
  readonly perCpuPages: number;
  readonly minPages: number;
  readonly lowPages: number;
  readonly highPages: number;
  readonly boostPages: number;
  /** Free blocks of each order: a line of /proc/buddyinfo. */
  readonly freeBlocks: readonly number[];
}

/** One row a zone, in order of address. */
export function zoneFigures(b: Buddy): ZoneFigures[] {
  return b.zones.map((zone) => ({
    node: zone.node,
    zone: ZONE_NAMES[zone.kind]!,
    managedPages: zone.managedPages,
    freePages: zone.freePages,
    perCpuPages: perCpuPages(zone),
    minPages: zone.minPages,
    lowPages: zone.lowPages,
    highPages: zone.highPages,
    boostPages: zone.boostPages,
    freeBlocks: [...zone.counts],
  }));
}

/** Free blocks by order and migratetype, as /proc/pagetypeinfo has them; walks the lists. */
export function freeBlocksByType(b: Buddy, zone: Zone): number[][] {
  return Array.from({ length: MIGRATE_TYPES }, (_, type) =>
    Array.from({ length: b.geometry.maxOrder + 1 }, (_unused, order) => {
      let blocks = 0;
      for (let pfn = firstFree(b, zone, order, type); pfn !== NONE; pfn = nextFree(b, pfn, order)) blocks++;
      return blocks;
    }),
  );
}
