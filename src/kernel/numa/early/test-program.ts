/**
 * A program for tests of the designs of 2012: its memory was touched on node 0, its task goes on elsewhere.
 * Huge pages have 4 base pages; every node has one CPU.
 *
 * Models:       nothing: a fixture.
 * Not modelled: time, other CPUs' paths.
 */
import { SMALL } from "../../../core/geometry.ts";
import type { KnobSpec } from "../../../core/knobs.ts";
import { asCpu, asVpn, MS_NS, type Vpn } from "../../../core/units.ts";
import { nodeOfFrame } from "../../buddy/state.ts";
import { frameOf, processWith, testKernel, touch } from "../../buddy/test-kernel.ts";
import type { Mm } from "../../mm/mm.ts";
import { findRow, PMD, PTE, pteIndex } from "../../mm/page-table.ts";
import type { Vma } from "../../mm/vma.ts";
import { lruDrainAll } from "../../reclaim/lru.ts";
import type { Kernel } from "../../state.ts";
import type { NumaDesign } from "../design.ts";
import { makeNumaTask, type NumaTask, taskRuns, taskStops } from "../state.ts";

export interface Program {
  readonly k: Kernel;
  readonly mm: Mm;
  readonly start: number;
  readonly task: NumaTask;
}

export interface ProgramOptions {
  readonly design: NumaDesign;
  readonly knobs: readonly KnobSpec[];
  readonly pages?: number;
  readonly huge?: boolean;
  readonly nodes?: number;
}

export function program(of: ProgramOptions): Program {
  const k = testKernel({
    frames: 8192,
    geometry: SMALL,
    nodes: of.nodes ?? 2,
    knobSpecs: of.knobs,
    behaviours: { numaDesign: of.design },
    tunables: { enabled: of.huge === true ? "always" : "never", numaBalancing: true },
  });
  const pages = of.pages ?? 8;
  const { mm, start } = processWith(k, pages);
  for (let vpn = start; vpn < start + pages; vpn++) touch(k, mm, vpn);
  lruDrainAll(k);
  // Long after boot: no window of time began at 0.
  k.nowNs = 60_000 * MS_NS;
  const task = makeNumaTask(k, mm);
  runOn({ k, mm, start, task }, 1);
  return { k, mm, start, task };
}

/** The task goes on on the only CPU of a node. */
export function runOn({ k, task, mm }: Program, node: number): void {
  if (task.running) taskStops(k, task);
  k.numa.running[k.cpu] = undefined;
  mm.cpus[k.cpu] = 0;
  k.cpu = asCpu(node);
  mm.cpus[node] = 1;
  taskRuns(k, task);
}

export function areaOf({ mm }: Program): Vma {
  return mm.vmas[0]!;
}

/** Touches pages that are hints; what those faults came to. */
export function touchHints(p: Program, from = 0, to = p.mm.vmas[0]!.end - p.start, write = true): string[] {
  const outcomes: string[] = [];
  for (let i = from; i < to; i++) {
    if (hinted(p, asVpn(p.start + i))) outcomes.push(touch(p.k, p.mm, p.start + i, write));
  }
  return outcomes;
}

function hinted({ k, mm }: Program, vpn: Vpn): boolean {
  const row = findRow(k.pt, mm.directory, vpn);
  const kind = row < 0 ? PMD.NONE : k.pt.pmd.kind[row];
  if (kind === PMD.NONE) return false;
  const flags = kind === PMD.HUGE ? k.pt.pmd.flags[row]! : k.pt.pteFlags[pteIndex(k.pt, row, vpn)]!;
  return (flags & PTE.HINT) !== 0;
}

/** `H` for a hint, `.` for a page that may be used. */
export function picture(p: Program): string {
  const pages = p.mm.vmas[0]!.end - p.start;
  return Array.from({ length: pages }, (_, i) => (hinted(p, asVpn(p.start + i)) ? "H" : ".")).join("");
}

/** The node of each page. */
export function nodes({ k, mm, start }: Program): string {
  const pages = mm.vmas[0]!.end - start;
  return Array.from({ length: pages }, (_, i) => nodeOfFrame(k.buddy, frameOf(k, mm, start + i))).join("");
}
