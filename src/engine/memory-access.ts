/**
 * What the records of a batch cost beyond their translation: lines from memory, near or far.
 *
 *     record ─▶ its page's frame ─▶ its node ─▶ time of the visit, by distance and lines
 *                                       └─▶ is that node's memory busy? wait
 *
 * Runs after the hot loop over the same records, so that machines of one node and traces pay nothing for it.
 */
import type { PmdRow } from "../core/units.ts";
import { nodeOfFrame } from "../kernel/buddy/state.ts";
import { nodeOfCpu } from "../kernel/machine.ts";
import { PMD, PTE } from "../kernel/mm/page-table.ts";
import type { Kernel } from "../kernel/state.ts";
import { askMemory, countLines, LINE_COUNTS } from "../kernel/traffic.ts";
import type { RefBatch } from "../workloads/records.ts";

/**
 * Records between two charges where programs say what they fetch: time must not pass in larger steps than
 * threads may be ahead of each other.
 */
export const CHARGED_RECORDS = 64;

const { HUGE, TABLE } = PMD;
/** A page that lies in the model's memory. */
const IN_MEMORY = PTE.PRESENT | PTE.ZERO | PTE.FILE;
const { PRESENT } = PTE;

/** Whether records of this batch cost anything beyond their translation. */
export function isCharged(k: Kernel, batch: RefBatch): boolean {
  return batch.lines !== undefined || k.machine.nodes > 1;
}

/** Charges the records `from` to `to`, which the hot loop has just run from `startNs` on. */
export function chargeMemory(
  k: Kernel,
  batch: RefBatch,
  slotRows: Int32Array,
  from: number,
  to: number,
  startNs: number,
): void {
  const { traffic } = k;
  const near = nodeOfCpu(k.machine, k.cpu);
  sumVisits(k, near * traffic.nodes, batch, slotRows, from, to);
  // Recorded time has what a fetch from the own node takes in it already.
  const recorded = batch.lines === undefined;
  const { sumLines, sumPs, sumHomePs } = traffic;
  let ps = k.tlb.remainderPs[k.cpu]!;
  for (let node = 0; node < traffic.nodes; node++) {
    if (sumLines[node] === 0) continue;
    const remotePs = sumPs[node]! - sumHomePs[node]!;
    countLines(traffic, k.cpu, node, sumLines[node]!, remotePs);
    ps += recorded ? remotePs : sumPs[node]!;
  }
  if (!recorded) ps = waitForMemory(k, startNs, ps);
  const wholeNs = Math.floor(ps / 1000);
  k.tlb.remainderPs[k.cpu] = ps - wholeNs * 1000;
  k.nowNs += wholeNs;
}

/** Sums up lines and times of the records by the node of their pages. */
function sumVisits(
  k: Kernel,
  firstPair: number,
  batch: RefBatch,
  slotRows: Int32Array,
  from: number,
  to: number,
): void {
  const { sumLines, sumPs, sumHomePs, visitPs } = k.traffic;
  const { zones, zoneOfBlock } = k.buddy;
  const { hugeOrder } = k.geometry;
  const { kind: kinds, value: values } = k.pt.pmd;
  const { pteFlags, ptePfn } = k.pt;
  const { page: pages, lines: known } = batch;
  const home = (firstPair + nodeOfCpu(k.machine, k.cpu)) * LINE_COUNTS;
  sumLines.fill(0);
  sumPs.fill(0);
  sumHomePs.fill(0);
  for (let at = from; at < to; ) {
    const page = pages[at]!;
    const slot = page >>> 9;
    const first = slotRows[slot]!;
    // A slot has as many rows as it has huge pages.
    const row = first + ((page & 511) >> hugeOrder);
    const kind = first < 0 ? 0 : kinds[row]!;
    let end = at + 1;
    let pfn = 0;
    if (kind === HUGE) {
      // Neighbours in one huge page are on one node.
      pfn = values[row]!;
      while (end < to && pages[end]! >>> hugeOrder === page >>> hugeOrder) end++;
    } else {
      const pte = (values[row]! << hugeOrder) + (page & ((1 << hugeOrder) - 1));
      if (kind !== TABLE || (pteFlags[pte]! & IN_MEMORY) !== PRESENT) {
        at = end;
        continue;
      }
      pfn = ptePfn[pte]!;
    }
    const { node } = zones[zoneOfBlock[pfn >> hugeOrder]!]!;
    const there = (firstPair + node) * LINE_COUNTS;
    let sum = 0;
    let ps = 0;
    let homePs = 0;
    for (; at < end; at++) {
      const lines = known === undefined ? 1 : known[at]!;
      sum += lines;
      ps += visitPs[there + lines]!;
      homePs += visitPs[home + lines]!;
    }
    sumLines[node]! += sum;
    sumPs[node]! += ps;
    sumHomePs[node]! += homePs;
  }
}

/** The visits began at `startNs` and would take `ps` from now on: what they take, given who else asks. */
function waitForMemory(k: Kernel, startNs: number, ps: number): number {
  const { traffic } = k;
  const to = nodeOfCpu(k.machine, k.cpu);
  const doneNs = k.nowNs + ps / 1000;
  let laterNs = doneNs;
  for (let node = 0; node < traffic.nodes; node++) {
    const lines = traffic.sumLines[node]!;
    if (lines === 0) continue;
    laterNs = Math.max(laterNs, askMemory(traffic, { from: node, to }, lines, startNs, doneNs));
  }
  traffic.waitNs += laterNs - doneNs;
  return ps + Math.round((laterNs - doneNs) * 1000);
}

/** The node of a page in the model's memory, or −1. */
function nodeOfTouch(k: Kernel, row: PmdRow, pageInRow: number): number {
  const { pt } = k;
  const kind = pt.pmd.kind[row];
  if (kind === HUGE) return nodeOfFrame(k.buddy, pt.pmd.value[row]!);
  if (kind !== TABLE) return -1;
  const pte = pt.pmd.value[row]! * k.geometry.pagesPerHuge + pageInRow;
  return (pt.pteFlags[pte]! & IN_MEMORY) === PRESENT ? nodeOfFrame(k.buddy, pt.ptePfn[pte]!) : -1;
}

/** What one line of a page takes longer than from the own node, in picoseconds. */
export function touchExtraPs(k: Kernel, row: PmdRow, pageInRow: number): number {
  const node = nodeOfTouch(k, row, pageInRow);
  return node < 0 ? 0 : extraPs(k, node);
}

function extraPs({ machine, traffic, cpu }: Kernel, node: number): number {
  const near = nodeOfCpu(machine, cpu);
  const onePs = (from: number): number => traffic.visitPs[(near * traffic.nodes + from) * LINE_COUNTS + 1]!;
  return onePs(node) - onePs(near);
}

/** Touches of a script: each is one line, and costs only what it takes longer than from the own node. */
export function chargeTouches(k: Kernel, row: PmdRow, pageInRow: number, touches: number): void {
  const node = nodeOfTouch(k, row, pageInRow);
  if (node < 0) return;
  const remotePs = extraPs(k, node) * touches;
  countLines(k.traffic, k.cpu, node, touches, remotePs);
  k.tlb.remainderPs[k.cpu]! += remotePs;
}
