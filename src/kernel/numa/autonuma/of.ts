/**
 * How AutoNUMA's parts reach their state, their form and their knobs.
 *
 * Models:       autonuma_enabled(), autonuma_impossible(), AutoNUMA 14 to 28.
 * Not modelled: autonuma/debug, which prints.
 */
import type { Kernel } from "../../state.ts";
import type { Autonuma } from "../design.ts";
import { early } from "../early/state.ts";
import type { AutonumaState } from "./state.ts";

const SCAND = "autonuma/knuma_scand/";
const MIGRATED = "autonuma/knuma_migrated/";

export const KNOB = {
  ENABLED: "autonuma/enabled",
  BOOT_OFF: "noautonuma",
  SCAN_SLEEP: SCAND + "scan_sleep_millisecs",
  PASS_SLEEP: SCAND + "scan_sleep_pass_millisecs",
  PAGES_TO_SCAN: SCAND + "pages_to_scan",
  PMD: SCAND + "pmd",
  WORKING_SET: SCAND + "working_set",
  MIGRATE_SLEEP: MIGRATED + "migrate_sleep_millisecs",
  PAGES_TO_MIGRATE: MIGRATED + "pages_to_migrate",
  DEFER: MIGRATED + "defer",
  STRICT: "autonuma/scheduler/load_balance_strict",
  CLONE_RESET: "autonuma/scheduler/clone_reset",
  FORK_RESET: "autonuma/scheduler/fork_reset",
  FIRST_FAULT: "autonuma/migrate_allow_first_fault",
  BALANCE_INTERVAL: "autonuma/scheduler/sched_autonuma_balance_interval_millisecs",
} as const;

export function autonuma(k: Kernel): AutonumaState {
  return early(k).autonuma;
}

/** This kernel's form of the design. */
export function autonumaForm(k: Kernel): Autonuma {
  return k.behaviours.numaDesign as Autonuma;
}

/** More than one node, not switched off for good at boot, and switched on. */
export function isEnabled(k: Kernel): boolean {
  return isPossible(k) && k.tunables.numaBalancing;
}

export function isPossible(k: Kernel): boolean {
  return k.machine.nodes > 1 && k.knobs.readNumber(KNOB.BOOT_OFF) === 0;
}

/** A knob's number; `absent` in versions that lack it. */
export function knobOr(k: Kernel, name: string, absent: number): number {
  return k.knobs.has(name) ? k.knobs.readNumber(name) : absent;
}
