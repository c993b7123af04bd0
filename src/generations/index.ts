/** The only list of generations: from it come `--help`, `pagewise generations` and the web form. */
import { AUTONUMA, AUTONUMA_14, AUTONUMA_27, AUTONUMA_28, AUTONUMA_REVIEWED } from "./autonuma.ts";
import type { Generation } from "./generation.ts";
import { LINUX_3_7_NOBALANCE } from "./linux-3.7-nobalance.ts";
import { LINUX_3_8, LINUX_3_9 } from "./linux-3.8.ts";
import { LINUX_4_19 } from "./linux-4.19.ts";
import { LINUX_5_12 } from "./linux-5.12.ts";
import { LINUX_5_14 } from "./linux-5.14.ts";
import { LINUX_6_1 } from "./linux-6.1.ts";
import { LINUX_6_1_RESERVATIONS } from "./linux-6.1-reservations.ts";
import { LINUX_6_12 } from "./linux-6.12.ts";
import { LINUX_6_18 } from "./linux-6.18.ts";
import { NUMACORE, NUMACORE_OCTOBER } from "./numacore.ts";
import { THP_RESERVATIONS_POSTED } from "./thp-reservations-posted.ts";
import { THP_RESERVATIONS_REVIEWED } from "./thp-reservations-reviewed.ts";

/** The first is what people get who name none. */
export const GENERATIONS: readonly Generation[] = [
  LINUX_6_1,
  LINUX_6_12,
  LINUX_6_18,
  LINUX_5_14,
  LINUX_5_12,
  LINUX_4_19,
  THP_RESERVATIONS_POSTED,
  THP_RESERVATIONS_REVIEWED,
  LINUX_6_1_RESERVATIONS,
  LINUX_3_7_NOBALANCE,
  AUTONUMA,
  AUTONUMA_14,
  AUTONUMA_REVIEWED,
  AUTONUMA_27,
  AUTONUMA_28,
  NUMACORE,
  NUMACORE_OCTOBER,
  LINUX_3_8,
  LINUX_3_9,
];

export function generationByName(name: string): Generation | undefined {
  return GENERATIONS.find((generation) => generation.name === name);
}
