/** B01: reservations that are switched off. */
import { actor } from "../actors.ts";
import { formReservations } from "../forms.ts";
import type { Cost } from "../scenario.ts";
import { advise, write } from "../world.ts";

export const THRESHOLD_ONE_IS_NEUTRAL: Cost = {
  kind: "cost",
  name: "threshold-one-is-neutral",
  entries: ["B01"],
  claim: "with threshold 1 everything counts as in the kernel without reservations",
  alike: "neutrality is what was asked for: the figures of all three have to be equal",
  world: { picture: "....", threads: 1, tunables: { promotionThreshold: 1 } },
  actors: (w) => [
    actor("program", 0, function* () {
      for (let page = 0; page < 4; page++) yield* write(w, page, 1 + page);
      yield* advise(w, "dontneed", 1, 2);
    }),
  ],
  count: (w, { moved }) => ({
    thp_fault_alloc: moved("thp_fault_alloc"),
    pgfault: moved("pgfault"),
    thp_res_alloc: moved("thp_res_alloc"),
    "resident pages": w.mm.anonPages,
  }),
  forms: [
    ...["posted", "reviewed"].map((which) => ({
      ...formReservations(which as "posted", ""),
      expect: { thp_fault_alloc: 1, pgfault: 1, thp_res_alloc: 0, "resident pages": 3 },
    })),
    {
      name: "linux-4.19",
      generation: "linux-4.19",
      expect: { thp_fault_alloc: 1, pgfault: 1, thp_res_alloc: 0, "resident pages": 3 },
    },
  ],
};
