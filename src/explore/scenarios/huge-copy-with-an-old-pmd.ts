/** D03: the caller of the huge hint handler goes on with the PMD that it read before. */
import { actor } from "../actors.ts";
import { form61, formNumacore } from "../forms.ts";
import type { Cost } from "../scenario.ts";
import { alone, scan, write } from "../world.ts";

export const HUGE_COPY_WITH_AN_OLD_PMD: Cost = {
  kind: "cost",
  name: "huge-copy-with-an-old-pmd",
  entries: ["D03"],
  claim: "a write fault on a hint allocates and copies no huge page in vain",
  world: { picture: "HHHH", threads: 2 },
  prepare: (w) => {
    alone(w, scan(w));
  },
  actors: (w) => [actor("write", 0, () => write(w, 0, 7))],
  count: (_w, { moved }) => ({ "huge pages in vain": moved("thp_fault_alloc") }),
  forms: [
    { ...formNumacore("as posted", { afterHuge: "old-pmd" }), expect: { "huge pages in vain": 1 } },
    { ...formNumacore("starts again", { afterHuge: "retry" }), expect: { "huge pages in vain": 0 } },
    { ...form61(), expect: { "huge pages in vain": 0 } },
  ],
};
