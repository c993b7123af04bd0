/** E21: knuma_scand comes to a huge page that is being split. */
import { enlist } from "../../kernel/numa/autonuma/life.ts";
import { knumaScand } from "../../kernel/numa/autonuma/scand.ts";
import { actor, splitHuge, untilSleep } from "../actors.ts";
import { formAutonuma } from "../forms.ts";
import type { Race } from "../scenario.ts";

export const SCANNER_MEETS_A_SPLIT: Race = {
  kind: "race",
  name: "scanner-meets-a-split",
  entries: ["E21"],
  claim: "a scanner that meets a split marks the PMD or the table, whichever is there when it has the lock",
  alike: "the entry asks what the scanner does with a splitting page: it waits, in the only form there is",
  world: { picture: "HHHH", threads: 1, tunables: { numaBalancing: true } },
  prepare(w) {
    enlist(w.k, w.mm);
  },
  actors: (w) => [
    actor("knuma_scand", 3, () => untilSleep(knumaScand(w.k))),
    actor("split", 0, () => splitHuge(w, 0)),
  ],
  forms: [formAutonuma("AutoNUMA 19", {}, "holds")],
};
