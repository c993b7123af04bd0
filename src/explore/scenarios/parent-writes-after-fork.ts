/** B04, B06: a snapshot: fork, the parent writes, the child exits. */
import { C } from "../../core/counters.ts";
import { actor, fork } from "../actors.ts";
import { formReservations } from "../forms.ts";
import type { Cost } from "../scenario.ts";
import { write } from "../world.ts";

export const PARENT_WRITES_AFTER_FORK: Cost = {
  kind: "cost",
  name: "parent-writes-after-fork",
  entries: ["B04", "B06"],
  claim:
    "the parent's copy on write lets the reservation go; without a write it is still there after the child",
  alike: "the review lets corner cases drop the reservation, as the posted code does here",
  world: { picture: "rr..", threads: 1, tunables: { promotionThreshold: 4 } },
  actors: (w) => [
    actor("snapshot", 0, function* () {
      yield* fork(w);
      const afterFork = w.k.vmstat[C.nr_thp_reserved]!;
      yield* write(w, 0, 7);
      return afterFork;
    }),
  ],
  count: (w, { returned }) => ({
    "reserved after fork": returned(0) as number,
    "reserved after the parent's write": w.k.vmstat[C.nr_thp_reserved]!,
  }),
  forms: [
    {
      ...formReservations("posted", ""),
      expect: { "reserved after fork": 2, "reserved after the parent's write": 0 },
    },
    {
      ...formReservations("reviewed", ""),
      expect: { "reserved after fork": 2, "reserved after the parent's write": 0 },
    },
  ],
};
