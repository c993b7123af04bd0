/**
 * The designs of NUMA balancing, by name: what each does at a tick, in the task's work, at each kind of hint
 * fault, at fork and exit, and which daemons it has.
 *
 *     tick ─▶ work        access ─▶ hint on a PTE, on a huge PMD, on a table's PMD     fork, exit     daemons
 *
 * Models:       the hooks that each design has in kernel/sched/fair.c, mm/memory.c, kernel/fork.c.
 * Not modelled: nothing of its own.
 */
import type { Path } from "../../core/ops.ts";
import type { PmdRow, Vpn } from "../../core/units.ts";
import { faultHint } from "../fault/hint.ts";
import { faultHintHuge } from "../fault/hint-huge.ts";
import { faultHintHugeCopied } from "../fault/hint-huge-copy.ts";
import type { FaultOutcome } from "../fault/outcome.ts";
import type { Mm } from "../mm/mm.ts";
import type { Vma } from "../mm/vma.ts";
import type { Kernel } from "../state.ts";
import { balance, leavesAutonuma } from "./autonuma/balance.ts";
import { faultHugeAutonuma, faultSmallAutonuma, faultTableAutonuma } from "./autonuma/fault.ts";
import { enlist, enterAutonuma, exitAutonuma, forkAutonuma } from "./autonuma/life.ts";
import { autonumaForm, isEnabled } from "./autonuma/of.ts";
import { faultHuge38, faultSmall38, faultTable38 } from "./balancenuma/fault.ts";
import { tick38, work38 } from "./balancenuma/scan.ts";
import type { NumaDesign } from "./design.ts";
import { leavesMainline } from "./migrate-task.ts";
import { faultHugeNumacore, faultSmallNumacore } from "./numacore/fault.ts";
import { leavesNumacore } from "./numacore/place.ts";
import { tickNumacore, workNumacore } from "./numacore/scan.ts";
import { numaQuietUntilNs, numaTick, numaWork } from "./scan.ts";
import { JIFFY_NS, jiffies, type NumaTask } from "./state.ts";

export interface NumaPolicy {
  /** What it does, for people. */
  readonly summary: string;
  /** A tick finds the task running. */
  readonly tick: (k: Kernel, task: NumaTask) => void;
  /** A task that runs on undisturbed has no tick before that time which does anything. */
  readonly quietUntilNs: (k: Kernel, task: NumaTask) => number;
  /** What the tick has queued, on the task's way back to its program. */
  readonly work: (k: Kernel, task: NumaTask) => Path;
  readonly faultSmall: (k: Kernel, vma: Vma, row: PmdRow, vpn: Vpn) => Path<FaultOutcome>;
  readonly faultHuge: (k: Kernel, vma: Vma, row: PmdRow, write: boolean) => Path<FaultOutcome>;
  /** A table's PMD carries the mark; only designs that mark tables have it. */
  readonly faultTable: ((k: Kernel, vma: Vma, row: PmdRow) => Path<FaultOutcome>) | undefined;
  readonly enter: ((k: Kernel, mm: Mm) => Path) | undefined;
  readonly exit: ((k: Kernel, mm: Mm) => Path) | undefined;
  readonly fork:
    | ((k: Kernel, parent: NumaTask, child: NumaTask, kind: "fork" | "thread") => void)
    | undefined;
  /**
   * Whether the load balancer may take a task to another node, for a CPU that is idle or not. Undefined: the
   * design has no say in it.
   */
  readonly leaves: ((k: Kernel, task: NumaTask, way: NodeWay, idle: boolean) => Leave) | undefined;
}

export interface NodeWay {
  readonly from: number;
  readonly to: number;
}

/** A task that the balancer would take: it may, only if no other does, or not at all. */
export type Leave = "may" | "rather-not" | "never";

const MAINLINE: NumaPolicy = {
  summary: "The task scans its own memory; cpupids filter, faults place tasks and set the pace.",
  tick: numaTick,
  quietUntilNs: numaQuietUntilNs,
  work: numaWork,
  faultSmall: faultHint,
  faultHuge: (k, vma, row) =>
    k.behaviours.numaRules.moveHuge === "copied-in-place"
      ? faultHintHugeCopied(k, vma, row)
      : faultHintHuge(k, vma, row),
  faultTable: undefined,
  enter: undefined,
  exit: undefined,
  fork: undefined,
  leaves: leavesMainline,
};

const POLICIES: Readonly<Record<NumaDesign["policy"], NumaPolicy>> = {
  none: {
    ...MAINLINE,
    summary: "Pages stay where they were first touched.",
    tick: idleTick,
    quietUntilNs: never,
    leaves: undefined,
  },
  mainline: MAINLINE,
  balancenuma: {
    ...MAINLINE,
    summary: "The task scans 256 MiB that change; a page follows the second fault in a row from one node.",
    tick: tick38,
    quietUntilNs: untilTick,
    work: work38,
    faultSmall: (k, _vma, row, vpn) => faultSmall38(k, row, vpn),
    faultHuge: (k, _vma, row) => faultHuge38(k, row),
    faultTable: faultTable38,
    leaves: undefined,
  },
  numacore: {
    ...MAINLINE,
    summary:
      "The task protects its areas, whole or by windows; the faulting task moves pages at once; tasks get " +
      "homes.",
    tick: tickNumacore,
    quietUntilNs: untilTick,
    work: workNumacore,
    faultSmall: (k, _vma, row, vpn) => faultSmallNumacore(k, row, vpn),
    faultHuge: faultHugeNumacore,
    leaves: leavesNumacore,
  },
  autonuma: {
    summary: "knuma_scand marks every address space; pages are queued to daemons, or move on fault.",
    tick: tickAutonuma,
    quietUntilNs: untilTick,
    work: numaWork,
    faultSmall: (k, _vma, row, vpn) => faultSmallAutonuma(k, row, vpn),
    faultHuge: (k, _vma, row) => faultHugeAutonuma(k, row),
    faultTable: faultTableAutonuma,
    enter: enterAutonuma,
    exit: exitAutonuma,
    fork: forkAutonuma,
    leaves: leavesAutonuma,
  },
};

export function policyNamed(name: NumaDesign["policy"]): NumaPolicy {
  return POLICIES[name];
}

/** This kernel's policy. */
export function numaPolicy(k: Kernel): NumaPolicy {
  return POLICIES[k.behaviours.numaDesign.policy];
}

function never(): number {
  return Number.POSITIVE_INFINITY;
}

/** Any tick may do something. */
function untilTick(k: Kernel, task: NumaTask): number {
  return k.tunables.numaBalancing ? task.tickAtNs : never();
}

function idleTick(k: Kernel, task: NumaTask): void {
  task.tickAtNs = (jiffies(k) + 1) * JIFFY_NS;
}

/**
 * AutoNUMA needs no work of its tasks: a first tick makes the scanner know of a program that was not forked.
 */
function tickAutonuma(k: Kernel, task: NumaTask): void {
  idleTick(k, task);
  if (!isEnabled(k) || task.mm === undefined || task.mm.users === 0) return;
  if (autonumaForm(k).listed === "fork") enlist(k, task.mm);
  balance(k, task);
}
