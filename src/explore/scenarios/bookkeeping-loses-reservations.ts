/** B16, B17: areas are split and merged again by mprotect. */
import { C } from "../../core/counters.ts";
import { actor, protect } from "../actors.ts";
import { formReservations } from "../forms.ts";
import type { Cost } from "../scenario.ts";

export const BOOKKEEPING_LOSES_RESERVATIONS: Cost = {
  kind: "cost",
  name: "bookkeeping-loses-reservations",
  entries: ["B16", "B17"],
  claim:
    "a cut between regions loses no reservation, a cut inside a region loses that region's, and a merge none",
  alike: "areas that are cut lose nothing in either form; those that merge do: see area-without-a-table",
  world: { picture: "r... r...", threads: 1, tunables: { promotionThreshold: 4 } },
  actors: (w) => [
    actor("mprotect", 0, function* () {
      yield* protect(w, "ro", 4, 8);
      const afterSplit = w.k.vmstat[C.nr_thp_reserved]!;
      yield* protect(w, "rw", 4, 8);
      yield* protect(w, "ro", 6, 8);
      return afterSplit;
    }),
  ],
  count: (w, { returned }) => ({
    "after a cut between regions": returned(0) as number,
    "after one inside a region": w.k.vmstat[C.nr_thp_reserved]!,
  }),
  forms: [
    {
      ...formReservations("posted", ""),
      expect: { "after a cut between regions": 6, "after one inside a region": 3 },
    },
    {
      ...formReservations("reviewed", ""),
      expect: { "after a cut between regions": 6, "after one inside a region": 3 },
    },
  ],
};
