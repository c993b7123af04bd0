/** B14: a page of a reserved region that was faulted while huge pages were off. */
import { khugepaged } from "../../kernel/khugepaged/daemon.ts";
import { lruDrainAll } from "../../kernel/reclaim/lru.ts";
import { actor, untilSleep } from "../actors.ts";
import { formReservations } from "../forms.ts";
import { heldAt } from "../memory.ts";
import type { Cost } from "../scenario.ts";
import { vpnOf } from "../world.ts";

export const PAGE_FROM_ELSEWHERE: Cost = {
  kind: "cost",
  name: "page-from-elsewhere",
  entries: ["B14"],
  claim: "a region with a page that is not the block's is not promoted, and its data stays",
  alike:
    "the posted test would accept the page and lose its data; the model leaves such a region alone in both",
  world: { picture: "rsr.", threads: 1, tunables: { promotionThreshold: 2, scanSleepMs: 10 } },
  actors: (w) => [
    actor("khugepaged", 3, function* () {
      lruDrainAll(w.k);
      yield* untilSleep(khugepaged(w.k));
    }),
  ],
  count: (w) => ({ "huge pages": w.mm.hugePmds, "page 1 holds": heldAt(w.memory, w.mm, vpnOf(w, 1)) ?? -1 }),
  forms: [
    { ...formReservations("posted", ""), expect: { "huge pages": 0, "page 1 holds": 101 } },
    { ...formReservations("reviewed", ""), expect: { "huge pages": 0, "page 1 holds": 101 } },
  ],
};
