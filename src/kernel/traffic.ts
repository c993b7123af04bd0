/**
 * What programs fetch from memory: how long a visit to a page takes from each node, and how busy memory and
 * the ways to it are.
 *
 *     visit of n lines: first line at the latency, the others as fast as a prefetched stream
 *                       └─ both grow with the distance of the nodes
 *
 *     CPU ◀── link of two nodes ◀── way between boards ◀── memory of a node
 *             each of the three serves what it is asked for in order: who comes to a busy one waits for those
 *             before it, and then takes its own time; or a memory takes turns between its own CPUs and each
 *             link, with more turns for the former
 *
 * Models:       DRAM behind one memory controller a node, as NUMA machines have it; point-to-point links
 *               (QPI, HyperTransport), one for each pair of nodes and direction; machines of several boards
 *               that share one way; node distances of ACPI's SLIT (10 is local, 20 costs what the hardware
 *               description says, others in proportion).
 * Not modelled: caches (programs say what they fetch), routes over a third node, write-backs (rates count
 *               the lines that a program visits), what probes of other nodes' caches cost, and what the
 *               kernel's own copying and zeroing adds to the traffic.
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
  /**
   * What serves lines one after the other: the nodes' memories, the links (from × nodes + to), and last the
   * way between boards. Picoseconds a line; what has been asked for and not done at the latest request, and
   * when that was.
   */
  readonly linePs: Float64Array;
  readonly backlogNs: Float64Array;
  readonly latestNs: Float64Array;
  /** Turns of a memory's own CPUs for one of each link; 0: in order. Then `turnsNs` is not used. */
  readonly nearTurns: number;
  /** What each node's CPUs have asked of a memory: memory × nodes + CPU's node, as `backlogNs`. */
  readonly turnsNs: Float64Array;
  /** Nodes of a board. */
  readonly boardNodes: number;
  /**
   * Sums of the visits that are being charged, by the memory's node: lines, picoseconds, and had all been
   * near.
   */
  readonly sumLines: Float64Array;
  readonly sumPs: Float64Array;
  readonly sumHomePs: Float64Array;
  /** What each CPU's visits took longer than they would have on its own node, in ps. */
  readonly remotePs: Float64Array;
  /** What visits waited for busy memory, and for the ways to it, in ns. */
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
    linePs: serverLinePs(nodes, costs),
    backlogNs: new Float64Array(nodes + nodes * nodes + 1),
    latestNs: new Float64Array(nodes + nodes * nodes + 1),
    nearTurns: costs.nearTurns,
    turnsNs: new Float64Array(nodes * nodes),
    boardNodes: costs.boardNodes,
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

/** Picoseconds a line, for each that serves them. */
function serverLinePs(nodes: number, costs: Costs): Float64Array {
  const linePs = new Float64Array(nodes + nodes * nodes + 1).fill(costs.linkLinePs);
  linePs.fill(costs.nodeLinePs, 0, nodes);
  linePs[linePs.length - 1] = costs.boardLinePs;
  return linePs;
}

/**
 * Requests that come within this time count as made at once: CPUs of a simulation are not in step to the
 * nanosecond.
 */
const AT_ONCE_NS = 20_000;

/** The memory of one node as a CPU of another asks for it. */
export interface Way {
  /** The CPU's node. */
  readonly to: number;
  /** The memory's. */
  readonly from: number;
}

/**
 * A CPU fetches lines from `startNs` on and would have them at `doneNs`: when it has them, given what others
 * have asked for. The slowest of those on the way decides.
 */
export function askMemory(t: Traffic, way: Way, lines: number, startNs: number, doneNs: number): number {
  const { from, to } = way;
  const ownNs = doneNs - startNs;
  const ask =
    t.nearTurns === 0 ? askServer(t, from, lines, startNs, ownNs) : askTurns(t, way, lines, startNs, ownNs);
  let laterNs = Math.max(doneNs, ask);
  if (from !== to) {
    const link = t.nodes + from * t.nodes + to;
    laterNs = Math.max(laterNs, askServer(t, link, lines, startNs, ownNs));
    if (Math.floor(from / t.boardNodes) !== Math.floor(to / t.boardNodes))
      laterNs = Math.max(laterNs, askServer(t, t.linePs.length - 1, lines, startNs, ownNs));
  }
  return laterNs;
}

/**
 * One of those that serve lines: when it has served these, for a CPU that alone would need `ownNs`. It waits
 * for what others have asked for; then the slower of both decides.
 */
function askServer(t: Traffic, server: number, lines: number, startNs: number, ownNs: number): number {
  const passedNs = startNs - t.latestNs[server]!;
  let backlogNs = t.backlogNs[server]!;
  if (passedNs > 0) {
    backlogNs = Math.max(0, backlogNs - passedNs);
    t.latestNs[server] = startNs;
  }
  const serviceNs = (lines * t.linePs[server]!) / 1000;
  t.backlogNs[server] = backlogNs + serviceNs;
  return startNs + Math.max(0, backlogNs - AT_ONCE_NS) + Math.max(ownNs, serviceNs);
}

/**
 * The same for a memory that takes turns: who waits, waits for those of its own side, at that side's share of
 * the turns, and never longer than for all.
 */
function askTurns(t: Traffic, { from, to }: Way, lines: number, startNs: number, ownNs: number): number {
  const passedNs = startNs - t.latestNs[from]!;
  if (passedNs > 0) {
    serveTurns(t, from, passedNs);
    t.latestNs[from] = startNs;
  }
  const { nodes, turnsNs, nearTurns } = t;
  const first = from * nodes;
  let turns = from === to ? nearTurns : 1;
  const own = turns;
  let allNs = 0;
  for (let node = 0; node < nodes; node++) {
    const backlogNs = turnsNs[first + node]!;
    allNs += backlogNs;
    if (backlogNs > 0 && node !== to) turns += node === from ? nearTurns : 1;
  }
  const waitNs = Math.min((turnsNs[first + to]! * turns) / own, allNs);
  const serviceNs = (lines * t.linePs[from]!) / 1000;
  turnsNs[first + to]! += serviceNs;
  return startNs + Math.max(0, waitNs - AT_ONCE_NS) + Math.max(ownNs, serviceNs);
}

/** Some time passes at a memory: all sides that wait are served by their turns, until none does. */
function serveTurns({ nodes, turnsNs, nearTurns }: Traffic, memory: number, passedNs: number): void {
  const first = memory * nodes;
  let leftNs = passedNs;
  while (leftNs > 0) {
    let turns = 0;
    let soonestNs = Number.POSITIVE_INFINITY;
    for (let node = 0; node < nodes; node++) {
      const backlogNs = turnsNs[first + node]!;
      if (backlogNs === 0) continue;
      const weight = node === memory ? nearTurns : 1;
      turns += weight;
      soonestNs = Math.min(soonestNs, backlogNs / weight);
    }
    if (turns === 0) return;
    const isDone = soonestNs * turns <= leftNs;
    const roundNs = isDone ? soonestNs : leftNs / turns;
    for (let node = 0; node < nodes; node++) {
      const at = first + node;
      const weight = node === memory ? nearTurns : 1;
      // Whoever is the soonest done is done, whatever rounding says.
      turnsNs[at] = turnsNs[at]! / weight <= roundNs ? 0 : turnsNs[at]! - roundNs * weight;
    }
    leftNs = isDone ? leftNs - roundNs * turns : 0;
  }
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
