/** E04, E05: threads of two nodes fault on one page while it is queued, or on its way. */
import { asNode } from "../../core/units.ts";
import { knumaMigrated } from "../../kernel/numa/autonuma/migrated.ts";
import { actor, untilSleep } from "../actors.ts";
import { markAll, queuedTo } from "../autonuma.ts";
import { formAutonuma } from "../forms.ts";
import type { Race } from "../scenario.ts";
import { alone, forgetTranslations, read } from "../world.ts";

export const TWO_NODES_QUEUE_ONE_PAGE: Race = {
  kind: "race",
  name: "two-nodes-queue-one-page",
  entries: ["E04", "E05"],
  claim: "whichever of two nodes wins, the page is on one queue at most, under the node where it is",
  alike:
    "the entry asks that a decision taken without the lock is harmless: it is, with a second look or without",
  world: { picture: "s...", threads: 2, tunables: { numaBalancing: true, enabled: "never" } },
  prepare(w) {
    queuedTo(w, 0, 1);
    forgetTranslations(w);
    alone(w, markAll(w));
  },
  actors: (w) => [
    actor("fault on node 0", 0, () => read(w, 0)),
    actor("fault on node 1", 2, () => read(w, 0)),
    actor("knuma_migrated1", 3, () => untilSleep(knumaMigrated(w.k, asNode(1)))),
  ],
  forms: [
    formAutonuma("as posted", { enqueue: "before-lock" }, "holds"),
    formAutonuma("looked at again under the lock", { enqueue: "under-lock" }, "holds"),
  ],
};
