/** C10: several threads fault on one huge page; each holds a reference that the count does not expect. */
import { C } from "../../core/counters.ts";
import { actor } from "../actors.ts";
import { form61, form2013 } from "../forms.ts";
import type { Race } from "../scenario.ts";
import { alone, read, scan, usedFrom } from "../world.ts";

export const FAULTERS_KEEP_THE_PAGE: Race = {
  kind: "race",
  name: "faulters-keep-the-page",
  entries: ["C10"],
  claim: "two faults of one node on a misplaced huge page move it, in whatever order they come",
  world: { picture: "HHHH", threads: 2 },
  prepare(w) {
    usedFrom(w, 0, 1);
    alone(w, scan(w));
  },
  actors: (w) => [actor("thread 1", 2, () => read(w, 0)), actor("thread 2", 3, () => read(w, 1))],
  atEnd(w) {
    const moved = w.k.vmstat[C.numa_pages_migrated]! > 0;
    return moved ? undefined : "the page stays where it is: the other fault's reference looked like a pin";
  },
  forms: [
    form2013("F0", "holds"),
    form2013("F4", "the page stays where it is"),
    form61("the page stays where it is"),
  ],
};
