/**
 * The steps of every fault: which functions of the kernel it went through, which locks it took, what its
 * page's entries and the CPUs' translations were at each step, and when.
 *
 *     begin ──▶ enter, lock, event … (each with the state that it found) ──▶ end
 *
 * Thousands of faults take the same course to the nanosecond; each course is kept once.
 */
import type { Op } from "../core/ops.ts";
import { NO_ROW, type PmdRow, type Vpn } from "../core/units.ts";
import type { Mm } from "../kernel/mm/mm.ts";
import { findRow, linearPage, PMD, PTE, pteIndex } from "../kernel/mm/page-table.ts";
import type { Kernel } from "../kernel/state.ts";
import { type Level, peekInLevel } from "../kernel/tlb/level.ts";
import { HUGE_KEY } from "../kernel/tlb/tlb.ts";
import type { EntryState, WalkCourse, WalkStep } from "./recording.ts";

/** CPUs whose translations are looked at: those of the fault's CPU and its neighbours. */
const TLB_CPUS_MAX = 16;

/** A fault on its way. */
export interface OpenWalk {
  readonly mm: Mm;
  readonly vpn: Vpn;
  readonly write: boolean;
  /** The first of the CPUs whose translations are looked at. */
  readonly firstCpu: number;
  readonly startNs: number;
  /** The frame that its page had. */
  readonly before: number;
  readonly steps: WalkStep[];
}

export interface Walks {
  readonly coursesMax: number;
  readonly courses: WalkCourse[];
  /** Faults that may still be followed. */
  left: number;
  readonly numberOf: Map<string, number>;
}

export function makeWalks(coursesMax: number, walksMax: number): Walks {
  return { coursesMax, courses: [], left: walksMax, numberOf: new Map() };
}

function rowOf(k: Kernel, mm: Mm, vpn: Vpn): PmdRow {
  return findRow(k.pt, mm.directory, vpn);
}

/** The page's entries now. */
export function entryOf(k: Kernel, mm: Mm, vpn: Vpn): EntryState {
  const row = rowOf(k, mm, vpn);
  if (row === NO_ROW) return { pmd: PMD.NONE, pmdFlags: 0, pteFlags: 0 };
  const pmd = k.pt.pmd.kind[row]!;
  const pteFlags = pmd === PMD.TABLE ? k.pt.pteFlags[pteIndex(k.pt, row, vpn)]! : 0;
  return { pmd, pmdFlags: k.pt.pmd.flags[row]!, pteFlags };
}

/** The frame or swap slot that the page is mapped to now, or -1. */
export function frameOf(k: Kernel, mm: Mm, vpn: Vpn): number {
  const row = rowOf(k, mm, vpn);
  if (row === NO_ROW) return -1;
  const { pt, geometry } = k;
  if (pt.pmd.kind[row] === PMD.HUGE) return pt.pmd.value[row]! + (vpn % geometry.pagesPerHuge);
  if (pt.pmd.kind[row] !== PMD.TABLE) return -1;
  const at = pteIndex(pt, row, vpn);
  return (pt.pteFlags[at]! & (PTE.PRESENT | PTE.SWAP)) === 0 ? -1 : pt.ptePfn[at]!;
}

/** Whether a level holds the key of an index; looking does not make the entry the newest. */
const holds = (level: Level, index: number, key: number): boolean =>
  peekInLevel(level, index, (key << 1) | 1) >= 0;

function tlbOf(k: Kernel, { mm, vpn, firstCpu }: OpenWalk): number[] {
  const row = rowOf(k, mm, vpn);
  const cpus = Math.min(k.tlb.of.length - firstCpu, TLB_CPUS_MAX);
  if (row === NO_ROW) return new Array<number>(cpus).fill(0);
  const small = linearPage(k.pt, row, vpn);
  const huge = HUGE_KEY + row;
  return Array.from({ length: cpus }, (_, place) => {
    const cpu = firstCpu + place;
    // A CPU that does not run this address space, and never has, cannot hold any of its translations.
    if (mm.cpus[cpu] === 0) return 0;
    const t = k.tlb.of[cpu]!;
    const hasSmall = holds(t.l1Small, small, small) || holds(t.l2, small, small);
    const hasHuge = holds(t.l1Huge, row, huge) || holds(t.l2, row, huge);
    return (hasSmall ? 1 : 0) | (hasHuge ? 2 : 0);
  });
}

/** A fault begins. */
export function beginWalk(k: Kernel, mm: Mm, vpn: Vpn, write: boolean): OpenWalk {
  const firstCpu = k.cpu - (k.cpu % TLB_CPUS_MAX);
  return { mm, vpn, write, firstCpu, startNs: k.nowNs, before: frameOf(k, mm, vpn), steps: [] };
}

/** Adds a step. The translations are looked up at the first step and wherever some CPU forgets some. */
export function addStep(
  k: Kernel,
  walk: OpenWalk,
  kind: WalkStep["kind"],
  what: string,
  numbers: readonly number[] = [],
): void {
  const last = walk.steps.at(-1);
  const fresh = last === undefined || kind === "end" || what === "shootdown";
  walk.steps.push({
    kind,
    what,
    numbers,
    atNs: k.nowNs - walk.startNs,
    entry: entryOf(k, walk.mm, walk.vpn),
    tlb: fresh ? tlbOf(k, walk) : last.tlb,
    firstCpu: walk.firstCpu,
  });
}

/** The step of what a path yielded; sleeps and calls are the driver's own affair. */
export function addOp(k: Kernel, walk: OpenWalk, op: Op): void {
  switch (op.kind) {
    case "acquire":
    case "acquire-read":
      addStep(k, walk, "lock", op.lock!.lockClass + (op.kind === "acquire-read" ? " (read)" : ""));
      return;
    case "release":
    case "release-read":
      addStep(k, walk, "unlock", op.lock!.lockClass + (op.kind === "release-read" ? " (read)" : ""));
      return;
    case "interrupt":
    case "preempt":
      addStep(k, walk, op.kind, op.kind);
      return;
  }
}

/** The number of the course that a fault took; -1 when there are too many courses to keep one more. */
export function courseOf(walks: Walks, { steps }: OpenWalk): number {
  let key = `${steps[0]?.firstCpu} `;
  for (const { kind, what, numbers, atNs, entry, tlb } of steps) {
    const state = `${entry.pmd} ${entry.pmdFlags} ${entry.pteFlags} ${tlb.join("")}`;
    key += `${kind} ${what} ${numbers.join()} ${atNs} ${state};`;
  }
  const known = walks.numberOf.get(key);
  if (known !== undefined) return known;
  if (walks.courses.length >= walks.coursesMax) return -1;
  const number = walks.courses.length;
  walks.courses.push(steps);
  walks.numberOf.set(key, number);
  return number;
}
