/** E07, E08, E10: a queued page is given back while the migrator takes it from its queue. */
import { asNode } from "../../core/units.ts";
import { knumaMigrated } from "../../kernel/numa/autonuma/migrated.ts";
import { actor, untilSleep } from "../actors.ts";
import { queuedTo } from "../autonuma.ts";
import { formAutonuma } from "../forms.ts";
import type { Race } from "../scenario.ts";
import { advise } from "../world.ts";

export const FREED_WHILE_QUEUED: Race = {
  kind: "race",
  name: "freed-while-queued",
  entries: ["E07", "E08", "E10"],
  claim:
    "a page that is freed while it is queued leaves the queue by itself, and its reference is let go once",
  world: { picture: "HHHH", threads: 2, tunables: { numaBalancing: true } },
  prepare(w) {
    queuedTo(w, 0, 1);
  },
  actors: (w) => [
    actor("knuma_migrated1", 3, () => untilSleep(knumaMigrated(w.k, asNode(1)))),
    actor("MADV_DONTNEED", 0, () => advise(w, "dontneed")),
  ],
  mayVanish: true,
  forms: [
    formAutonuma("alpha14, freed pages forgotten", { splitFreed: "forgotten" }, "frames are all frames"),
    formAutonuma("AutoNUMA 19", {}, "holds"),
  ],
};
