/** B05: parent and child write to a reserved range after fork. */
import { actor, fork } from "../actors.ts";
import { formReservations } from "../forms.ts";
import type { Race } from "../scenario.ts";
import { alone, write } from "../world.ts";

export const RESERVATION_AFTER_FORK: Race = {
  kind: "race",
  name: "reservation-after-fork",
  entries: ["B05"],
  claim: "no page of a live reservation is mapped writable by two address spaces",
  alike: "the child was never given the parent's reservation; the entry is the reviewer's warning",
  world: { picture: "rr..", threads: 1, tunables: { promotionThreshold: 4 } },
  prepare(w) {
    alone(w, fork(w));
  },
  actors: (w) => [
    actor("parent", 0, () => write(w, 0, 7)),
    actor("child", 2, function* () {
      yield* write(w, 0, 8, w.k.mms[1]!);
      yield* write(w, 2, 9, w.k.mms[1]!);
    }),
  ],
  forms: [formReservations("posted", "holds"), formReservations("reviewed", "holds")],
};
