/** A task of a script: a runner with an address space and the regions that it knows by name. */
import type { Pfn } from "../core/units.ts";
import type { Mm } from "../kernel/mm/mm.ts";
import type { Runner } from "./driver-state.ts";

/**
 * Where a named region lies, in pages. Unmapped parts leave it as it is: later calls fail as the kernel fails
 * them.
 */
export interface Region {
  readonly name: string;
  start: number;
  pages: number;
}

export interface Task {
  readonly name: string;
  readonly mm: Mm;
  /** By name; threads share the map, a child has a copy. */
  readonly regions: Map<string, Region>;
  /** What `pin` took, by the region's name; threads share it, a child begins with none. */
  readonly pins: Map<string, Pfn[]>;
  runner: Runner | undefined;
  /** The CPU that it is pinned to; children inherit it. */
  pinnedCpu: number | undefined;
  /** Children and threads by name. */
  readonly children: Map<string, Task>;
  /** Tasks that wait for this one's end. */
  readonly joiners: Task[];
  finished: boolean;
}

export function makeTask(
  name: string,
  mm: Mm,
  regions: Map<string, Region>,
  pins: Map<string, Pfn[]> = new Map(),
): Task {
  return {
    name,
    mm,
    regions,
    pins,
    runner: undefined,
    pinnedCpu: undefined,
    children: new Map(),
    joiners: [],
    finished: false,
  };
}

/** The regions as a child knows them. */
export function copyRegions(regions: ReadonlyMap<string, Region>): Map<string, Region> {
  return new Map([...regions].map(([name, region]) => [name, { ...region }]));
}
