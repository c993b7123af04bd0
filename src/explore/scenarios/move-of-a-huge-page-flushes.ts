/** A01: what moving a hinted huge page costs in TLB shootdowns. */
import { actor } from "../actors.ts";
import { form61, form2013 } from "../forms.ts";
import type { Cost } from "../scenario.ts";
import { alone, read, scan, usedFrom } from "../world.ts";

export const MOVE_OF_A_HUGE_PAGE_FLUSHES: Cost = {
  kind: "cost",
  name: "move-of-a-huge-page-flushes",
  entries: ["A01"],
  claim: "a copy under the hint needs no flush; generic migration unmaps with one, on whatever kernel",
  world: { picture: "HHHH", threads: 4 },
  prepare(w) {
    usedFrom(w, 0, 1);
    alone(w, scan(w));
  },
  actors: (w) => [actor("hint fault", 2, () => read(w, 0))],
  count: (_w, { moved }) => ({
    "flush rounds": moved("nr_tlb_remote_flush"),
    interrupts: moved("nr_tlb_remote_flush_received"),
    "pages moved": moved("numa_pages_migrated"),
  }),
  forms: [
    { ...form2013("F4", ""), expect: { "flush rounds": 0, interrupts: 0, "pages moved": 4 } },
    { ...form61(), expect: { "flush rounds": 1, interrupts: 3, "pages moved": 4 } },
  ],
};
