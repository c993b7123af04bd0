/** B07: MADV_DONTNEED releases a reservation that another thread takes a page from. */
import { actor } from "../actors.ts";
import { formReservations } from "../forms.ts";
import type { Race } from "../scenario.ts";
import { advise, write } from "../world.ts";

export const ZAP_WHILE_RESERVING: Race = {
  kind: "race",
  name: "zap-while-reserving",
  entries: ["B07"],
  claim: "a reservation that is released while a fault takes its page leaks no frame",
  world: { picture: "r...", threads: 2, tunables: { promotionThreshold: 4 } },
  actors: (w) => [
    actor("MADV_DONTNEED", 0, () => advise(w, "dontneed", 0, 1)),
    actor("fault", 2, () => write(w, 3, 8)),
  ],
  mayVanish: true,
  forms: [
    formReservations("posted", "nr_thp_reserved is the unused pages"),
    formReservations("reviewed", "holds"),
  ],
};
