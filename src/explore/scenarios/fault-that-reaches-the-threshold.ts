/** B02: the touch that reaches the threshold. */
import { khugepaged } from "../../kernel/khugepaged/daemon.ts";
import { lruDrainAll } from "../../kernel/reclaim/lru.ts";
import { actor, untilSleep } from "../actors.ts";
import { formReservations } from "../forms.ts";
import type { Cost } from "../scenario.ts";
import { write } from "../world.ts";

export const FAULT_THAT_REACHES_THE_THRESHOLD: Cost = {
  kind: "cost",
  name: "fault-that-reaches-the-threshold",
  entries: ["B02"],
  claim:
    "as reviewed the fault that reaches the threshold promotes; as posted khugepaged does, at its next visit",
  world: { picture: "....", threads: 1, tunables: { promotionThreshold: 3, scanSleepMs: 10 } },
  actors: (w) => [
    actor("program, then khugepaged", 0, function* () {
      for (let page = 0; page < 3; page++) yield* write(w, page, 1 + page);
      const atFault = w.mm.hugePmds;
      lruDrainAll(w.k);
      yield* untilSleep(khugepaged(w.k));
      return atFault;
    }),
  ],
  count: (w, { returned }) => ({
    "huge after the fault": returned(0) as number,
    "huge after khugepaged": w.mm.hugePmds,
  }),
  forms: [
    { ...formReservations("posted", ""), expect: { "huge after the fault": 0, "huge after khugepaged": 1 } },
    {
      ...formReservations("reviewed", ""),
      expect: { "huge after the fault": 1, "huge after khugepaged": 1 },
    },
  ],
};
