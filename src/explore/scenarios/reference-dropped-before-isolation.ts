/** E06: the migrator drops its reference before it isolates; the frame becomes another page. */
import { asNode } from "../../core/units.ts";
import { nodeOfFrame } from "../../kernel/buddy/state.ts";
import { frameAt } from "../../kernel/mm/pin.ts";
import { knumaMigrated } from "../../kernel/numa/autonuma/migrated.ts";
import { lruDrain } from "../../kernel/reclaim/lru.ts";
import { actor, untilSleep } from "../actors.ts";
import { queuedTo } from "../autonuma.ts";
import { formAutonuma } from "../forms.ts";
import type { Race } from "../scenario.ts";
import { advise, vpnOf, write } from "../world.ts";

export const REFERENCE_DROPPED_BEFORE_ISOLATION: Race = {
  kind: "race",
  name: "reference-dropped-before-isolation",
  entries: ["E06"],
  claim: "a page that the migrator isolates is the page that was queued",
  world: { picture: "s... ....", threads: 2, tunables: { numaBalancing: true, enabled: "never" } },
  prepare(w) {
    queuedTo(w, 0, 1);
  },
  actors: (w) => [
    actor("knuma_migrated1", 3, () => untilSleep(knumaMigrated(w.k, asNode(1)))),
    actor("gives back, and takes anew", 0, function* () {
      yield* advise(w, "dontneed", 0, 1);
      yield* write(w, 4, 7);
      // The new page is old enough to be on the LRU.
      lruDrain(w.k, w.k.cpu);
    }),
  ],
  mayVanish: true,
  atEnd(w) {
    const pfn = frameAt(w.k, w.mm, vpnOf(w, 4));
    const moved = pfn >= 0 && nodeOfFrame(w.k.buddy, pfn) === 1;
    return moved ? "another page is moved: page 4 was never queued, and is on node 1" : undefined;
  },
  forms: [
    formAutonuma("alpha14", { reference: "before-isolation" }, "another page is moved"),
    formAutonuma("AutoNUMA 19", {}, "holds"),
  ],
};
