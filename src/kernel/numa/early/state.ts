/**
 * What the designs of 2012 remember beside mainline's state: by node, by address space, by task.
 *
 *     node: migration window, queue        mm: first node, fault sums        task: fault sums, home
 *
 * Models:       pg_data_t's numabalancing_migrate_* of v3.8; struct mm_autonuma, task_autonuma; task_struct's
 *               numa_* of numa/core.
 * Not modelled: the memory that these structures take (32, 12 and 2 bytes a page in AutoNUMA's versions).
 */
import type { Mm } from "../../mm/mm.ts";
import type { Kernel } from "../../state.ts";
import { type AutonumaState, makeAutonuma } from "../autonuma/state.ts";
import type { Classed } from "../numacore/classes.ts";
import type { NumaTask } from "../state.ts";
import type { RateWindow } from "./rate-limit.ts";

/** Of an address space. */
export interface EarlyMm {
  /** The first node on which its work ran; NODE_UNSEEN before, NODES_MANY once it ran on a second one. */
  firstNid: number;
  /** When 3.8 puts the period back to its minimum, in jiffies; −1: not planned yet. */
  nextReset: number;
}

/** Of a task. */
export interface EarlyTask {
  /** Pages faulted on, by node; numacore from November on: node × 2 + 1 if private. */
  readonly faults: Float64Array;
  total: number;
  /** The pass that the sums belong to. */
  pass: number;
  /** AutoNUMA: the node that the balancer chose; numacore: its home. −1: none. */
  selected: number;
  /** numacore: passes for which the home has not been the node of most faults. */
  unsettled: number;
  /** numa/core of November: its class, and where it should run. Made by the first that asks. */
  classed: Classed | undefined;
  /** AutoNUMA 27+: a page was used from two nodes in this pass. */
  falseSharing: boolean;
  /** AutoNUMA: no look at the task's place before that moment. */
  balanceAtNs: number;
}

export const NODE_UNSEEN = -2;
export const NODES_MANY = -1;

export interface EarlyNuma {
  /** By node. */
  readonly windows: readonly RateWindow[];
  readonly mms: Map<number, EarlyMm>;
  readonly tasks: Map<number, EarlyTask>;
  readonly autonuma: AutonumaState;
}

function makeEarly(k: Kernel): EarlyNuma {
  return {
    windows: Array.from({ length: k.machine.nodes }, () => ({ untilNs: 0, pages: 0 })),
    mms: new Map(),
    tasks: new Map(),
    autonuma: makeAutonuma(k.machine.nodes),
  };
}

/** Made at its first use: most kernels never need it. */
export function early(k: Kernel): EarlyNuma {
  k.numa.early ??= makeEarly(k);
  return k.numa.early;
}

export function earlyMm(k: Kernel, mm: Mm): EarlyMm {
  const { mms } = early(k);
  let known = mms.get(mm.id);
  if (known === undefined) {
    known = { firstNid: NODE_UNSEEN, nextReset: -1 };
    mms.set(mm.id, known);
  }
  return known;
}

export function earlyTask(k: Kernel, task: NumaTask): EarlyTask {
  const { tasks } = early(k);
  let known = tasks.get(task.pid);
  if (known === undefined) {
    known = {
      faults: new Float64Array(k.machine.nodes * 2),
      total: 0,
      pass: 0,
      selected: -1,
      unsettled: 0,
      classed: undefined,
      falseSharing: false,
      balanceAtNs: 0,
    };
    tasks.set(task.pid, known);
  }
  return known;
}
