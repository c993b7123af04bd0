/** E02, E03: a queued huge page is split; its tails join the queue before or with their mark. */
import { asNode } from "../../core/units.ts";
import { frameAt } from "../../kernel/mm/pin.ts";
import { knumaMigrated, publishTails } from "../../kernel/numa/autonuma/migrated.ts";
import { autonumaForm } from "../../kernel/numa/autonuma/of.ts";
import { actor, splitHuge, untilSleep } from "../actors.ts";
import { queuedTo } from "../autonuma.ts";
import { formAutonuma } from "../forms.ts";
import type { Race } from "../scenario.ts";
import { vpnOf } from "../world.ts";

export const TAIL_PUBLISHED_EARLY: Race = {
  kind: "race",
  name: "tail-published-early",
  entries: ["E02", "E03", "E09", "E10"],
  claim:
    "a split leaves every base page of a queued page on one queue that it knows of; locks keep one order",
  world: { picture: "HHHH", threads: 2, tunables: { numaBalancing: true } },
  prepare(w) {
    queuedTo(w, 0, 1);
  },
  actors: (w) => [
    actor("knuma_migrated1", 3, () => untilSleep(knumaMigrated(w.k, asNode(1)))),
    actor("split", 0, function* () {
      const head = frameAt(w.k, w.mm, vpnOf(w, 0));
      const split = yield* splitHuge(w, 0);
      if (split && autonumaForm(w.k).tail === "queued-first") yield* publishTails(w.k, head);
    }),
  ],
  forms: [
    formAutonuma("alpha14, tails first", { tail: "queued-first" }, "AutoNUMA's queues hold what they count"),
    formAutonuma("AutoNUMA 19", {}, "holds"),
  ],
};
