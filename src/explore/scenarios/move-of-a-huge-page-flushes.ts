/** A01: what moving a hinted huge page costs in TLB shootdowns, and how long others can use it meanwhile. */
import { actor } from "../actors.ts";
import { form61, form2013, form2021 } from "../forms.ts";
import type { Cost } from "../scenario.ts";
import { countOpen } from "../transit.ts";
import { alone, read, scan, usedFrom } from "../world.ts";

export const MOVE_OF_A_HUGE_PAGE_FLUSHES: Cost = {
  kind: "cost",
  name: "move-of-a-huge-page-flushes",
  entries: ["A01"],
  claim:
    "a copy under the hint needs no flush; generic migration unmaps with one, on whatever kernel, and only " +
    "if the PMD was restored first can others write to the page meanwhile",
  world: { picture: "HHHH", threads: 4 },
  prepare(w) {
    usedFrom(w, 0, 1);
    alone(w, scan(w));
  },
  actors: (w) => [actor("hint fault", 2, () => countOpen(w, 0, read(w, 0)))],
  count: (_w, { moved, returned }) => ({
    "flush rounds": moved("nr_tlb_remote_flush"),
    interrupts: moved("nr_tlb_remote_flush_received"),
    "pages moved": moved("numa_pages_migrated"),
    "steps in which the old page could be written": returned(0) as number,
  }),
  forms: [
    { ...form2013("F4", ""), expect: expected(0, 0, 0) },
    { ...form2021("linux-5.12"), expect: expected(0, 0, 0) },
    { ...form2021("v1"), expect: expected(1, 3, 7) },
    { ...form2021("linux-5.14"), expect: expected(1, 3, 0) },
    { ...form61(), expect: expected(1, 3, 0) },
  ],
};

function expected(rounds: number, interrupts: number, open: number): Readonly<Record<string, number>> {
  return {
    "flush rounds": rounds,
    interrupts,
    "pages moved": 4,
    "steps in which the old page could be written": open,
  };
}
