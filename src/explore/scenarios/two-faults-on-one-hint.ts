/** A04, C12: two threads of two nodes fault on one hint PMD. */
import { C } from "../../core/counters.ts";
import { actor } from "../actors.ts";
import { form61, form2013, form2021 } from "../forms.ts";
import type { Race } from "../scenario.ts";
import { alone, read, scan, usedFrom, write } from "../world.ts";

export const TWO_FAULTS_ON_ONE_HINT: Race = {
  kind: "race",
  name: "two-faults-on-one-hint",
  entries: ["A04", "C12"],
  claim: "of two hint faults on one huge page each comes through, and the page is moved at most once",
  alike: "the entry asks whether both faults come through, as posted and as merged: they do",
  world: { picture: "HHHH", threads: 2 },
  prepare(w) {
    usedFrom(w, 0, 1);
    alone(w, scan(w));
  },
  actors: (w) => [
    actor("fault on node 1", 2, () => read(w, 0)),
    actor("fault on node 0", 0, () => write(w, 1, 7)),
  ],
  atEnd: (w) => (w.k.vmstat[C.numa_pages_migrated]! > 4 ? "the page was moved more than once" : undefined),
  forms: [
    form2013("F3", "holds"),
    form2013("F4", "holds"),
    form2021("linux-5.12"),
    form2021("v1"),
    form2021("linux-5.14"),
    form61(),
  ],
};
