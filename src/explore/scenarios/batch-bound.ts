/** E11: how many queued pages a migrator takes at once. */
import { asNode } from "../../core/units.ts";
import { migrateBatch } from "../../kernel/numa/autonuma/migrated.ts";
import { actor } from "../actors.ts";
import { queuedTo } from "../autonuma.ts";
import { formAutonuma } from "../forms.ts";
import type { Cost } from "../scenario.ts";

export const BATCH_BOUND: Cost = {
  kind: "cost",
  name: "batch-bound",
  entries: ["E11"],
  claim: "a migrator isolates one page of each other node a round, and stops at its limit",
  alike: "the reviewer's fear was of all queued pages at once; as coded there is a bound",
  world: { picture: "ssss", threads: 1, tunables: { numaBalancing: true, enabled: "never" } },
  prepare(w) {
    w.k.knobs.write("autonuma/knuma_migrated/pages_to_migrate", "2");
    for (let page = 0; page < 4; page++) queuedTo(w, page, 1);
  },
  actors: (w) => [actor("a batch", 3, () => migrateBatch(w.k, asNode(1)))],
  count: (w, { moved }) => ({
    "isolated at once": w.k.numa.early!.autonuma.figures.isolatedPages,
    moved: moved("numa_pages_migrated"),
    "still queued": w.k.numa.early!.autonuma.queues[1]!.pages,
  }),
  forms: [
    {
      ...formAutonuma("AutoNUMA 19", {}, ""),
      expect: { "isolated at once": 2, moved: 2, "still queued": 2 },
    },
  ],
};
