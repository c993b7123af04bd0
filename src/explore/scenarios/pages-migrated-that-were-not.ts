/** E12: pages_migrated counts pages that were isolated for it. */
import { asNode } from "../../core/units.ts";
import { knumaMigrated } from "../../kernel/numa/autonuma/migrated.ts";
import { actor, pin, untilSleep } from "../actors.ts";
import { queuedTo } from "../autonuma.ts";
import { formAutonuma } from "../forms.ts";
import type { Cost } from "../scenario.ts";
import { alone } from "../world.ts";

export const PAGES_MIGRATED_THAT_WERE_NOT: Cost = {
  kind: "cost",
  name: "pages-migrated-that-were-not",
  entries: ["E12"],
  claim: "a page whose migration fails is no migrated page",
  world: { picture: "s...", threads: 2, tunables: { numaBalancing: true, enabled: "never" } },
  prepare(w) {
    queuedTo(w, 0, 1);
    alone(w, pin(w, 0));
  },
  actors: (w) => [actor("knuma_migrated1", 3, () => untilSleep(knumaMigrated(w.k, asNode(1))))],
  count(w, { moved }) {
    const { pagesMigrated } = w.k.numa.early!.autonuma;
    return { pages_migrated: pagesMigrated, "really moved": moved("numa_pages_migrated") };
  },
  forms: [
    { ...formAutonuma("as posted", {}, ""), expect: { pages_migrated: 1, "really moved": 0 } },
    {
      ...formAutonuma("counts what moved", { counted: "moved" }, ""),
      expect: { pages_migrated: 0, "really moved": 0 },
    },
  ],
};
