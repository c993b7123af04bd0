/** A11, A12: what one huge page counts as, moved and refused. */
import { actor, pin } from "../actors.ts";
import { form61, form2013 } from "../forms.ts";
import type { Cost } from "../scenario.ts";
import { alone, read, scan, usedFrom } from "../world.ts";

export const UNITS_OF_A_HUGE_PAGE: Cost = {
  kind: "cost",
  name: "units-of-a-huge-page",
  entries: ["A11", "A12"],
  claim:
    "a huge page counts with all its base pages, in NR_ISOLATED when it is put back and when it has moved",
  world: { picture: "HHHH HHHH", threads: 2 },
  prepare(w) {
    usedFrom(w, 0, 1);
    usedFrom(w, 4, 1);
    alone(w, pin(w, 4));
    alone(w, scan(w));
  },
  actors: (w) => [
    actor("fault on a free page", 2, () => read(w, 0)),
    actor("fault on a pinned page", 2, () => read(w, 4)),
  ],
  count: (_w, { moved }) => ({
    numa_pages_migrated: moved("numa_pages_migrated"),
    nr_isolated_anon: moved("nr_isolated_anon"),
  }),
  forms: [
    { ...form2013("F2", ""), expect: { numa_pages_migrated: 4, nr_isolated_anon: 4 } },
    { ...form2013("F4", ""), expect: { numa_pages_migrated: 4, nr_isolated_anon: 0 } },
    { ...form61(), expect: { numa_pages_migrated: 4, nr_isolated_anon: 0 } },
  ],
};
