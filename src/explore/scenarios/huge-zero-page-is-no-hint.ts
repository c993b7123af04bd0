/** A16: the scanner comes to the huge zero page. */
import { actor } from "../actors.ts";
import { form61, form2013 } from "../forms.ts";
import type { Cost } from "../scenario.ts";
import { alone, read, scan } from "../world.ts";

export const HUGE_ZERO_PAGE_IS_NO_HINT: Cost = {
  kind: "cost",
  name: "huge-zero-page-is-no-hint",
  entries: ["A16"],
  claim: "the huge zero page is never marked, and reading it again faults nobody",
  alike: "the old check was an assertion that nothing reached: no scanner marks the huge zero page",
  world: { picture: "....", threads: 2 },
  prepare(w) {
    alone(w, read(w, 0));
    alone(w, scan(w));
  },
  actors: (w) => [actor("reader", 2, () => read(w, 1))],
  count: (_w, { moved, returned }) => ({
    numa_hint_faults: moved("numa_hint_faults"),
    "faults of the second reader": returned(0) === "no fault" ? 0 : 1,
  }),
  forms: [
    { ...form61(), expect: { numa_hint_faults: 0, "faults of the second reader": 0 } },
    { ...form2013("F4", ""), expect: { numa_hint_faults: 0, "faults of the second reader": 0 } },
  ],
};
