/** The forms that several scenarios tell of, each under the name that its file's table shows. */
import { AUTONUMA } from "../generations/autonuma.ts";
import { BALANCENUMA } from "../generations/linux-3.8.ts";
import { LINUX_5_14 } from "../generations/linux-5.14.ts";
import { NUMACORE_OCTOBER } from "../generations/numacore.ts";
import type { Behaviours } from "../kernel/behaviours.ts";
import type { Autonuma, Balancenuma, Numacore } from "../kernel/numa/design.ts";
import type { NumaRules } from "../kernel/numa/rules.ts";
import type { RaceForm } from "./scenario.ts";

/** One of the five forms of January 2013. */
export function form2013(hugeCount: Balancenuma["hugeCount"], expect: string): RaceForm {
  const behaviours: Partial<Behaviours> = { numaDesign: { ...BALANCENUMA, hugeCount } };
  return { name: hugeCount, generation: "linux-3.8", behaviours, expect };
}

/** AutoNUMA 19 with some choices changed. */
export function formAutonuma(name: string, changes: Partial<Autonuma>, expect: string): RaceForm {
  const base = AUTONUMA.behaviours.numaDesign as Autonuma;
  return { name, generation: AUTONUMA.name, behaviours: { numaDesign: { ...base, ...changes } }, expect };
}

/** numa/core of October 2012 with some choices changed. */
export function formNumacore(name: string, changes: Partial<Numacore>): RaceForm {
  const base = NUMACORE_OCTOBER.behaviours.numaDesign as Numacore;
  const behaviours: Partial<Behaviours> = { numaDesign: { ...base, ...changes } };
  return { name, generation: NUMACORE_OCTOBER.name, behaviours, expect: "holds" };
}

/**
 * The rework of huge pages' hint faults in 2021: before it, as first posted (the PMD is accessible before the
 * page moves), as merged.
 */
export function form2021(which: "linux-5.12" | "v1" | "linux-5.14", expect = "holds"): RaceForm {
  if (which !== "v1") return { name: which, generation: which, expect };
  const numaRules: NumaRules = { ...LINUX_5_14.behaviours.numaRules, restoreHuge: "before-moving" };
  return { name: "v1 of 2021", generation: "linux-5.14", behaviours: { numaRules }, expect };
}

/** The reservations of 2018: as posted, or as their review wanted them. */
export function formReservations(which: "posted" | "reviewed", expect: string): RaceForm {
  return { name: which, generation: `thp-reservations-${which}`, expect };
}

/** The kernel as it was recorded. */
export function form61(expect = "holds"): RaceForm {
  return { name: "linux-6.1", generation: "linux-6.1", expect };
}
