/** The hardware descriptions that come with Pagewise; the first is the default. */
import { iceLakeSp } from "./ice-lake-sp.ts";
import { numa4x8, numa4x12, numa8x8 } from "./numa-2012.ts";
import { plain } from "./plain.ts";
import { skylakeSp } from "./skylake-sp.ts";
import type { HardwareSpec } from "./spec.ts";
import { zen3 } from "./zen3.ts";
import { zen4 } from "./zen4.ts";
import { zen5 } from "./zen5.ts";

export const HARDWARE: readonly HardwareSpec[] = [
  zen4,
  zen5,
  zen3,
  skylakeSp,
  iceLakeSp,
  numa4x12,
  numa4x8,
  numa8x8,
  plain,
];

/** The description of that name, or undefined. */
export function hardwareByName(name: string): HardwareSpec | undefined {
  return HARDWARE.find((hardware) => hardware.name === name);
}
