/** B20: a page of a reservation is swapped out while the region fills. */
import { actor } from "../actors.ts";
import { formReservations } from "../forms.ts";
import type { Race } from "../scenario.ts";
import { advise, write } from "../world.ts";

export const SWAP_OUT_OF_A_RESERVED_PAGE: Race = {
  kind: "race",
  name: "swap-out-of-a-reserved-page",
  entries: ["B20"],
  claim: "swap-out lets the reservation go first; promotion never meets the swap cache",
  world: { picture: "rrr.", threads: 2, swapPages: 8, tunables: { promotionThreshold: 4 } },
  actors: (w) => [
    actor("MADV_PAGEOUT", 0, () => advise(w, "pageout", 0, 1)),
    actor("reaches the threshold", 2, () => write(w, 3, 8)),
  ],
  forms: [
    formReservations("posted", "nr_thp_reserved is the unused pages"),
    formReservations("reviewed", "holds"),
  ],
};
