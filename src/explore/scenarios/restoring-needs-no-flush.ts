/** D06: a hint that becomes accessible again. */
import { actor } from "../actors.ts";
import { form61, formNumacore } from "../forms.ts";
import type { Cost } from "../scenario.ts";
import { alone, read, scan } from "../world.ts";

export const RESTORING_NEEDS_NO_FLUSH: Cost = {
  kind: "cost",
  name: "restoring-needs-no-flush",
  entries: ["D06"],
  claim: "from hint to accessible nothing is flushed: nobody could have used the entry",
  alike: "the flush that the review pointed at is none on x86, where restoring writes the entry alone",
  world: { picture: "HHHH", threads: 4 },
  prepare: (w) => {
    alone(w, scan(w));
  },
  actors: (w) => [actor("local hint fault", 0, () => read(w, 0))],
  count: (_w, { moved }) => ({
    "flush rounds": moved("nr_tlb_remote_flush"),
    "own flushes": moved("nr_tlb_local_flush_one") + moved("nr_tlb_local_flush_all"),
  }),
  forms: [
    { ...formNumacore("numa/core", {}), expect: { "flush rounds": 0, "own flushes": 0 } },
    { ...form61(), expect: { "flush rounds": 0, "own flushes": 0 } },
  ],
};
