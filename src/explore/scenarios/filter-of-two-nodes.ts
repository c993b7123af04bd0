/** E29: a page that two nodes use in turn, and one that a node uses twice. */
import { actor } from "../actors.ts";
import { markAll, queueOf } from "../autonuma.ts";
import { formAutonuma } from "../forms.ts";
import type { Cost } from "../scenario.ts";
import { alone, forgetTranslations, read, usedFrom } from "../world.ts";

export const FILTER_OF_TWO_NODES: Cost = {
  kind: "cost",
  name: "filter-of-two-nodes",
  entries: ["E29"],
  claim:
    "a page that two nodes use in turn stays; one that a node uses twice is queued, and so is a first use",
  alike: "the entry asks for the exact rule of the filter: there is one form of it",
  world: { picture: "ss..", threads: 2, tunables: { numaBalancing: true, enabled: "never" } },
  prepare(w) {
    usedFrom(w, 0, 0);
    forgetTranslations(w);
    alone(w, markAll(w));
  },
  actors: (w) => [actor("uses both from node 1", 2, () => read(w, 0))],
  count: (w) => ({
    "page 0, last used from node 0": queueOf(w, 0),
    "page 1, never used before": queueOf(w, 1),
  }),
  forms: [
    {
      ...formAutonuma("AutoNUMA 19", {}, ""),
      expect: { "page 0, last used from node 0": -1, "page 1, never used before": 1 },
    },
  ],
};
