/** B21: the region is promoted while a device pins one of its pages. */
import { khugepaged } from "../../kernel/khugepaged/daemon.ts";
import { actor, deviceWrite, untilSleep } from "../actors.ts";
import { formReservations } from "../forms.ts";
import type { Race } from "../scenario.ts";
import { write } from "../world.ts";

export const PROMOTION_AND_PIN: Race = {
  kind: "race",
  name: "promotion-and-pin",
  entries: ["B21"],
  claim: "a pinned page of a region is refused, or promoted without losing what the device writes",
  alike: "the look at the reference counts refuses a pinned page in both",
  world: { picture: "rrr.", threads: 2, tunables: { promotionThreshold: 4, scanSleepMs: 10 } },
  actors: (w) => [
    actor("direct I/O", 0, () => deviceWrite(w, 1, 7)),
    actor("reaches the threshold", 2, function* () {
      yield* write(w, 3, 8);
      yield* untilSleep(khugepaged(w.k));
    }),
  ],
  forms: [formReservations("posted", "holds"), formReservations("reviewed", "holds")],
};
