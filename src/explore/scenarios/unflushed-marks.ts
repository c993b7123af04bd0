/** E20: knuma_scand has marked and not flushed; a thread writes through its old translation, a page moves. */
import { asNode } from "../../core/units.ts";
import { knumaMigrated } from "../../kernel/numa/autonuma/migrated.ts";
import { actor, untilSleep } from "../actors.ts";
import { markAll, queuedTo } from "../autonuma.ts";
import { formAutonuma } from "../forms.ts";
import type { Race } from "../scenario.ts";
import { alone, write } from "../world.ts";

export const UNFLUSHED_MARKS: Race = {
  kind: "race",
  name: "unflushed-marks",
  entries: ["E20"],
  claim: "a deferred flush loses hints, never data: the migration flushes for itself",
  alike: "AutoNUMA flushes its marks late on purpose: the entry asks whether that is safe, and it is",
  world: { picture: "s...", threads: 2, tunables: { numaBalancing: true, enabled: "never" } },
  prepare(w) {
    alone(w, write(w, 0, 5));
    queuedTo(w, 0, 1);
    alone(w, markAll(w));
  },
  actors: (w) => [
    actor("knuma_migrated1", 3, () => untilSleep(knumaMigrated(w.k, asNode(1)))),
    actor("writer", 0, () => write(w, 0, 7)),
  ],
  forms: [formAutonuma("AutoNUMA 19", {}, "holds")],
};
