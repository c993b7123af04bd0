/** E13, E14: the process exits while knuma_scand goes through it. */
import { enlist } from "../../kernel/numa/autonuma/life.ts";
import { knumaScand } from "../../kernel/numa/autonuma/scand.ts";
import { actor, exit, untilSleep } from "../actors.ts";
import { formAutonuma } from "../forms.ts";
import type { Race } from "../scenario.ts";

export const EXIT_WHILE_SCANNED: Race = {
  kind: "race",
  name: "exit-while-scanned",
  entries: ["E13", "E14"],
  claim: "exit waits for the slice that goes through its page tables, and is unlinked from the list once",
  world: { picture: "s...", threads: 1, tunables: { numaBalancing: true, enabled: "never" } },
  prepare(w) {
    enlist(w.k, w.mm);
  },
  actors: (w) => [
    actor("knuma_scand", 3, () => untilSleep(knumaScand(w.k))),
    actor("exit", 0, () => exit(w)),
  ],
  mayVanish: true,
  forms: [
    formAutonuma("alpha14, no mark", { unlink: "unmarked" }, "knuma_scand's list"),
    formAutonuma("AutoNUMA 19", {}, "holds"),
  ],
};
