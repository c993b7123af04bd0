/** B18: a reserved range moves to another huge page boundary. */
import { C } from "../../core/counters.ts";
import { actor, remap } from "../actors.ts";
import { formReservations } from "../forms.ts";
import type { Cost } from "../scenario.ts";

export const MREMAP_OF_RESERVATIONS: Cost = {
  kind: "cost",
  name: "mremap-of-reservations",
  entries: ["B18"],
  claim: "a congruent move takes the reservation along as posted; as reviewed it is let go",
  world: { picture: "r... ....", threads: 1, tunables: { promotionThreshold: 4 } },
  actors: (w) => [actor("mremap", 0, () => remap(w, 0, 4, 4))],
  count: (w) => ({ "still reserved": w.k.vmstat[C.nr_thp_reserved]! }),
  forms: [
    { ...formReservations("posted", ""), expect: { "still reserved": 3 } },
    { ...formReservations("reviewed", ""), expect: { "still reserved": 0 } },
  ],
};
