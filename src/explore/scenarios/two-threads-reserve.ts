/** B22: two threads fault into the same empty range. */
import { actor } from "../actors.ts";
import { formReservations } from "../forms.ts";
import type { Race } from "../scenario.ts";
import { write } from "../world.ts";

export const TWO_THREADS_RESERVE: Race = {
  kind: "race",
  name: "two-threads-reserve",
  entries: ["B22"],
  claim: "of two first faults in a region one reserves, and one reservation is counted",
  alike: "in both one of two reservations is given back; the count of a page is reserved-counter-drift's",
  world: { picture: "....", threads: 2, tunables: { promotionThreshold: 4 } },
  actors: (w) => [actor("thread 1", 0, () => write(w, 0, 1)), actor("thread 2", 2, () => write(w, 3, 2))],
  atEnd: (w) => (w.k.reservations.live === 1 ? undefined : `${w.k.reservations.live} reservations are live`),
  forms: [formReservations("posted", "holds"), formReservations("reviewed", "holds")],
};
