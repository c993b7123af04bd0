/**
 * How AutoNUMA's parts reach their state, their form and their knobs.
 *
 * Models:       autonuma_enabled(), autonuma_impossible(), AutoNUMA 14 to 28.
 * Not modelled: what autonuma/debug prints.
 */
import type { Kernel } from "../../state.ts";
import type { Autonuma } from "../design.ts";
import { early } from "../early/state.ts";
import type { AutonumaState } from "./state.ts";

const SCAND = "autonuma/knuma_scand/";
const MIGRATED = "autonuma/knuma_migrated/";
const SCHEDULER = "autonuma/scheduler/";

export const KNOB = {
  ENABLED: "autonuma/enabled",
  BOOT_OFF: "noautonuma",
  DEBUG: "autonuma/debug",
  SCAN_SLEEP: SCAND + "scan_sleep_millisecs",
  PASS_SLEEP: SCAND + "scan_sleep_pass_millisecs",
  PAGES_TO_SCAN: SCAND + "pages_to_scan",
  PMD: SCAND + "pmd",
  WORKING_SET: SCAND + "working_set",
  MIGRATE_SLEEP: MIGRATED + "migrate_sleep_millisecs",
  PAGES_TO_MIGRATE: MIGRATED + "pages_to_migrate",
  DEFER: MIGRATED + "defer",
  STRICT: SCHEDULER + "load_balance_strict",
  CLONE_RESET: SCHEDULER + "clone_reset",
  FORK_RESET: SCHEDULER + "fork_reset",
  /** 24: for both. */
  RESET: SCHEDULER + "reset",
  /** 28: the other way round. */
  INHERIT: "autonuma/child_inheritance",
  FIRST_FAULT: "autonuma/migrate_allow_first_fault",
  BALANCE_INTERVAL: "autonuma/sched_autonuma_balance_interval_millisecs",
} as const;

/** From 27 on the files lie in one folder, and two have other names. */
const NAMES_28: Readonly<Record<string, string>> = {
  [KNOB.SCAN_SLEEP]: "autonuma/scan_sleep_millisecs",
  [KNOB.PASS_SLEEP]: "autonuma/scan_sleep_pass_millisecs",
  [KNOB.PAGES_TO_SCAN]: "autonuma/pages_to_scan",
  [KNOB.PMD]: "autonuma/scan_pmd",
  [KNOB.MIGRATE_SLEEP]: "autonuma/migrate_interval_millisecs",
  [KNOB.PAGES_TO_MIGRATE]: "autonuma/pages_to_migrate",
  [KNOB.STRICT]: "autonuma/load_balance_strict",
};

/** What a knob is called in the versions whose faults migrate. */
export function nameIn28(name: string): string {
  return NAMES_28[name] ?? name;
}

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

function nameOf(k: Kernel, name: string): string {
  return autonumaForm(k).migrate === "on-fault" ? nameIn28(name) : name;
}

/** A knob's number, under whatever name this version has it. */
export function knobNumber(k: Kernel, name: string): number {
  return k.knobs.readNumber(nameOf(k, name));
}

/** The same; `absent` in versions that lack it. */
export function knobOr(k: Kernel, name: string, absent: number): number {
  return k.knobs.has(nameOf(k, name)) ? knobNumber(k, name) : absent;
}
