/** B07: two threads fault on the same page of a reservation. */
import { actor } from "../actors.ts";
import { formReservations } from "../forms.ts";
import type { Race } from "../scenario.ts";
import { write } from "../world.ts";

export const RESERVED_COUNTER_DRIFT: Race = {
  kind: "race",
  name: "reserved-counter-drift",
  entries: ["B07"],
  claim: "nr_thp_reserved is the sum of the unused pages of live reservations",
  world: { picture: "r...", threads: 2, tunables: { promotionThreshold: 4 } },
  actors: (w) => [actor("thread 1", 0, () => write(w, 1, 1)), actor("thread 2", 2, () => write(w, 1, 2))],
  forms: [
    formReservations("posted", "nr_thp_reserved is the unused pages"),
    formReservations("reviewed", "holds"),
  ],
};
