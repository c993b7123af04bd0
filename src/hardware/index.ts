/** The hardware descriptions that come with Pagewise; the first is the default. */
import { iceLakeSp } from "./ice-lake-sp.ts";
import { plain } from "./plain.ts";
import { skylakeSp } from "./skylake-sp.ts";
import type { HardwareSpec } from "./spec.ts";
import { westmereEx } from "./westmere-ex.ts";
import { zen3 } from "./zen3.ts";
import { zen4 } from "./zen4.ts";

export const HARDWARE: readonly HardwareSpec[] = [zen4, zen3, skylakeSp, iceLakeSp, westmereEx, plain];

/** The description of that name, or undefined. */
export function hardwareByName(name: string): HardwareSpec | undefined {
  return HARDWARE.find((hardware) => hardware.name === name);
}
