/** E15: knuma_scand is told to end while it is half-way through a process that lives on, and then exits. */
import { makeMm } from "../../kernel/mm/mm.ts";
import { enlist } from "../../kernel/numa/autonuma/life.ts";
import { autonuma, KNOB } from "../../kernel/numa/autonuma/of.ts";
import { knumaScand } from "../../kernel/numa/autonuma/scand.ts";
import { actor, exit, untilSleep } from "../actors.ts";
import { formAutonuma } from "../forms.ts";
import type { Race } from "../scenario.ts";

export const SCANNER_STOPPED: Race = {
  kind: "race",
  name: "scanner-stopped",
  entries: ["E15"],
  claim: "a scanner that is stopped unlinks nobody who lives on: exit finds its process on the list",
  world: { picture: "s...", threads: 1, tunables: { numaBalancing: true, enabled: "never" } },
  prepare(w) {
    const a = autonuma(w.k);
    a.cursor = enlist(w.k, w.mm);
    // Its neighbour in the list: who is unlinked twice takes it along.
    enlist(w.k, makeMm(w.k));
    a.stopping = true;
    w.k.knobs.write(KNOB.PAGES_TO_SCAN, "1");
  },
  actors: (w) => [
    actor("knuma_scand", 3, () => untilSleep(knumaScand(w.k))),
    actor("exit", 0, () => exit(w)),
  ],
  mayVanish: true,
  forms: [
    formAutonuma("alpha14", { stopped: "unlinks-any" }, "knuma_scand's list"),
    formAutonuma("AutoNUMA 19", {}, "holds"),
  ],
};
