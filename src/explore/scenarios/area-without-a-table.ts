/** B17, B23: an area was made while the threshold was 1; later memory merges into it. */
import { C } from "../../core/counters.ts";
import { mmap } from "../../kernel/mm/mmap.ts";
import { VM } from "../../kernel/mm/vma.ts";
import { actor, unmap } from "../actors.ts";
import { formReservations } from "../forms.ts";
import type { Cost } from "../scenario.ts";
import { alone, write } from "../world.ts";

export const AREA_WITHOUT_A_TABLE: Cost = {
  kind: "cost",
  name: "area-without-a-table",
  entries: ["B17", "B23"],
  claim: "memory that merges into an area from before is never reserved as posted, by process it is",
  world: { picture: ".... ....", threads: 1, tunables: { promotionThreshold: 1 } },
  prepare(w) {
    alone(w, unmap(w, 4, 8));
    w.k.tunables.promotionThreshold = 4;
    const flags = VM.READ | VM.WRITE | VM.NORESERVE;
    alone(w, mmap(w.k, w.mm, { at: w.start + 4, pages: 4, flags, replace: false, stack: false }));
  },
  actors: (w) => [actor("first touch of the new part", 0, () => write(w, 4, 7))],
  count: (w) => ({ "still reserved": w.k.vmstat[C.nr_thp_reserved]! }),
  forms: [
    { ...formReservations("posted", ""), expect: { "still reserved": 0 } },
    { ...formReservations("reviewed", ""), expect: { "still reserved": 3 } },
  ],
};
