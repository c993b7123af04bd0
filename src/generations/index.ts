/** The only list of generations: from it come `--help`, `pagewise generations` and the web form. */
import type { Generation } from "./generation.ts";
import { LINUX_6_1 } from "./linux-6.1.ts";
import { LINUX_6_12 } from "./linux-6.12.ts";
import { LINUX_6_18 } from "./linux-6.18.ts";

export const GENERATIONS: readonly Generation[] = [LINUX_6_1, LINUX_6_12, LINUX_6_18];

export function generationByName(name: string): Generation | undefined {
  return GENERATIONS.find((generation) => generation.name === name);
}
