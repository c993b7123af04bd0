/** B03, B15: a first touch that only reads. */
import { actor } from "../actors.ts";
import { formReservations } from "../forms.ts";
import type { Cost } from "../scenario.ts";
import { read } from "../world.ts";

export const ZERO_PAGE_FAULT_RESERVES: Cost = {
  kind: "cost",
  name: "zero-page-fault-reserves",
  entries: ["B03", "B15"],
  claim: "reading a page of each of two regions reserves two huge pages as posted, none as reviewed",
  world: { picture: ".... ....", threads: 1, tunables: { promotionThreshold: 4 } },
  actors: (w) => [
    actor("reader", 0, function* () {
      yield* read(w, 0);
      yield* read(w, 4);
    }),
  ],
  count: (w, { moved }) => ({ nr_thp_reserved: moved("nr_thp_reserved"), "resident pages": w.mm.anonPages }),
  forms: [
    { ...formReservations("posted", ""), expect: { nr_thp_reserved: 8, "resident pages": 0 } },
    { ...formReservations("reviewed", ""), expect: { nr_thp_reserved: 0, "resident pages": 0 } },
  ],
};
