/** D10: the faulting task moves the page, or a daemon does later. */
import { C } from "../../core/counters.ts";
import { asNode } from "../../core/units.ts";
import { knumaMigrated } from "../../kernel/numa/autonuma/migrated.ts";
import { actor, nothing, untilSleep } from "../actors.ts";
import { markAll } from "../autonuma.ts";
import { formAutonuma, formNumacore } from "../forms.ts";
import type { Cost } from "../scenario.ts";
import { alone, forgetTranslations, read, scan, usedFrom } from "../world.ts";

export const WHO_PAYS_FOR_MIGRATION: Cost = {
  kind: "cost",
  name: "who-pays-for-migration",
  entries: ["D10"],
  claim: "numa/core moves the page within the fault; AutoNUMA queues it, and its daemon moves it",
  world: { picture: "s...", threads: 2, tunables: { numaBalancing: true, enabled: "never" } },
  prepare(w) {
    usedFrom(w, 0, 1);
    forgetTranslations(w);
    alone(w, w.k.behaviours.numaDesign.policy === "autonuma" ? markAll(w) : scan(w));
  },
  actors: (w) => [
    actor("fault", 2, function* () {
      yield* read(w, 0);
      return w.k.vmstat[C.numa_pages_migrated];
    }),
    actor("daemon", 3, () =>
      w.k.behaviours.numaDesign.policy === "autonuma" ? untilSleep(knumaMigrated(w.k, asNode(1))) : nothing(),
    ),
  ],
  count: (_w, { returned, moved }) => ({
    "moved in the fault": returned(0) as number,
    "moved in all": moved("numa_pages_migrated"),
  }),
  forms: [
    { ...formNumacore("numa/core", {}), expect: { "moved in the fault": 1, "moved in all": 1 } },
    { ...formAutonuma("AutoNUMA 19", {}, ""), expect: { "moved in the fault": 0, "moved in all": 1 } },
  ],
};
