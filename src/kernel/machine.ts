/**
 * The machine that a run simulates: nodes, CPUs, memory, geometry. A value; nothing here can change in a run.
 */
import type { Geometry } from "../core/geometry.ts";

export interface MachineSpec {
  /** NUMA nodes. */
  readonly nodes: number;
  /** CPUs in all, spread evenly over the nodes, in order; see `nodeOfCpu`. */
  readonly cpus: number;
  /** Memory in all, split evenly over the nodes. */
  readonly memBytes: number;
  /**
   * How many pages of the machine that is meant each page stands for; 1 unless told. Memory, huge pages and
   * what knobs say in pages or megabytes are smaller by it already.
   */
  readonly scale?: number;
  readonly geometry: Geometry;
  /** Node distances as the SLIT has them, row-major; 10 is local, 20 the usual remote. */
  readonly distances: readonly number[];
  /** Swap space; 0 is none. */
  readonly swapBytes: number;
  /**
   * What swap lies on: a disk, whose writes and reads take their time, or memory (zram). "disk" unless told.
   */
  readonly swapDevice?: "disk" | "memory";
  /** Share of pageblocks that hold an unmovable page at the start, 0..1: a fragmented starting state. */
  readonly fragmentedRatio: number;
  /** Seed of everything random in the run. */
  readonly seed: number;
}

/**
 * The node of a CPU: CPUs are spread evenly, in order. Where there are more nodes than CPUs, the first nodes
 * have one each and the last have memory alone: Linux numbers nodes with CPUs first.
 */
export function nodeOfCpu({ nodes, cpus }: Pick<MachineSpec, "nodes" | "cpus">, cpu: number): number {
  return cpus < nodes ? cpu : Math.floor((cpu * nodes) / cpus);
}

/** SLIT distances of a machine whose nodes are all equally far: 10 local, 20 remote. */
export function evenDistances(nodes: number): number[] {
  return Array.from({ length: nodes * nodes }, (_, i) => (Math.floor(i / nodes) === i % nodes ? 10 : 20));
}
