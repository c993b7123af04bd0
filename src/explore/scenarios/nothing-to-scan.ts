/** E17: knuma_scand with an empty list. */
import { knumaScand } from "../../kernel/numa/autonuma/scand.ts";
import { actor, untilSleep } from "../actors.ts";
import { formAutonuma } from "../forms.ts";
import type { Cost } from "../scenario.ts";

export const NOTHING_TO_SCAN: Cost = {
  kind: "cost",
  name: "nothing-to-scan",
  entries: ["E17"],
  claim: "an empty list is pretended progress: one round, then the scanner sleeps",
  alike: "the entry asks why the code is so: without it the daemon would never sleep, as posted it does",
  world: { picture: "s...", threads: 1, tunables: { numaBalancing: true } },
  actors: (w) => [actor("knuma_scand", 3, () => untilSleep(knumaScand(w.k)))],
  count: (w) => ({ "rounds before it sleeps": w.k.numa.early!.autonuma.figures.pretendedRounds }),
  forms: [{ ...formAutonuma("AutoNUMA 19", {}, ""), expect: { "rounds before it sleeps": 1 } }],
};
