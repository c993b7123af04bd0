/**
 * What programs fetch from memory: how long a visit to a page takes from each node, and how busy each node's
 * memory is.
 *
 *     visit of n lines: first line at the latency, the others as fast as a prefetched stream
 *                       └─ both grow with the distance of the nodes; at a node whose memory is busy it waits
 *
 * Models:       DRAM behind one memory controller a node, as NUMA machines have it; node distances of ACPI's
 *               SLIT (10 is local, 20 costs what the hardware description says, others in proportion).
 * Not modelled: caches (programs say what they fetch), limits of the links between nodes, write-backs, and
 *               what the kernel's own copying and zeroing adds to the traffic.
 */
import type { Costs } from "./costs.ts";
import { type MachineSpec, nodeOfCpu } from "./machine.ts";
import type { Kernel } from "./state.ts";

/** Numbers of lines that one visit to a base page may fetch: 0 to 64. */
export const LINE_COUNTS = 65;

export interface Sides {
  readonly local: number;
  readonly remote: number;
}

export interface Traffic {
  readonly nodes: number;
  /** Picoseconds of a visit: (CPU's node × nodes + memory's node) × LINE_COUNTS + lines. */
  readonly visitPs: Float64Array;
  /** Lines that were fetched so far: CPU × nodes + memory's node. */
  readonly lines: Float64Array;
  /** Picoseconds that a node's memory takes for one line, whoever asks. */
  readonly nodeLinePs: number;
  /** What each node's memory has been asked for and not done at its latest request, and when that was. */
  readonly backlogNs: Float64Array;
  readonly latestNs: Float64Array;
  /**
   * Sums of the visits that are being charged, by the memory's node: lines, picoseconds, and had all been
   * near.
   */
  readonly sumLines: Float64Array;
  readonly sumPs: Float64Array;
  readonly sumHomePs: Float64Array;
  /** What each CPU's visits took longer than they would have on its own node, in ps. */
  readonly remotePs: Float64Array;
  /** What visits waited for busy memory, in ns. */
  waitNs: number;
}

/** A cost between 10 (the own node) and 20, and beyond, in proportion. */
function atDistance(local: number, remote: number, distance: number): number {
  return local + ((remote - local) * (distance - 10)) / 10;
}

export function makeTraffic(machine: MachineSpec, costs: Costs): Traffic {
  const { nodes, distances } = machine;
  const visitPs = new Float64Array(nodes * nodes * LINE_COUNTS);
  for (let pair = 0; pair < nodes * nodes; pair++) {
    const first = atDistance(costs.lineLatencyPs, costs.remoteLatencyPs, distances[pair]!);
    const next = atDistance(costs.lineStreamPs, costs.remoteStreamPs, distances[pair]!);
    for (let lines = 1; lines < LINE_COUNTS; lines++)
      visitPs[pair * LINE_COUNTS + lines] = first + (lines - 1) * next;
  }
  return {
    nodes,
    visitPs,
    lines: new Float64Array(machine.cpus * nodes),
    nodeLinePs: costs.nodeLinePs,
    backlogNs: new Float64Array(nodes),
    latestNs: new Float64Array(nodes),
    sumLines: new Float64Array(nodes),
    sumPs: new Float64Array(nodes),
    sumHomePs: new Float64Array(nodes),
    remotePs: new Float64Array(machine.cpus),
    waitNs: 0,
  };
}

/** Counts a CPU's visits to one node: that many lines, and what they took longer than at home. */
export function countLines(t: Traffic, cpu: number, node: number, lines: number, remotePs: number): void {
  t.lines[cpu * t.nodes + node]! += lines;
  t.remotePs[cpu]! += remotePs;
}

/**
 * Requests that come within this time count as made at once: CPUs of a simulation are not in step to the
 * nanosecond.
 */
const AT_ONCE_NS = 20_000;

/**
 * A CPU fetches lines from a node from `fromNs` on and would have them at `doneNs`: when it has them, given
 * what others have asked for.
 */
export function askMemory(t: Traffic, node: number, lines: number, fromNs: number, doneNs: number): number {
  const passedNs = fromNs - t.latestNs[node]!;
  let backlogNs = t.backlogNs[node]!;
  if (passedNs > 0) {
    backlogNs = Math.max(0, backlogNs - passedNs);
    t.latestNs[node] = fromNs;
  }
  backlogNs += (lines * t.nodeLinePs) / 1000;
  t.backlogNs[node] = backlogNs;
  const servedNs = fromNs + backlogNs - AT_ONCE_NS;
  if (servedNs <= doneNs) return doneNs;
  t.waitNs += servedNs - doneNs;
  return servedNs;
}

/** Lines that came from the own node, and from others, so far. */
export function linesBySide(k: Pick<Kernel, "machine" | "traffic">): Sides {
  const { lines, nodes } = k.traffic;
  let local = 0;
  let remote = 0;
  for (let i = 0; i < lines.length; i++) {
    if (nodeOfCpu(k.machine, Math.floor(i / nodes)) === i % nodes) local += lines[i]!;
    else remote += lines[i]!;
  }
  return { local, remote };
}
