/** E25: the mark on a table's PMD, and marks on each PTE. */
import { actor } from "../actors.ts";
import { markAll } from "../autonuma.ts";
import { formAutonuma, formNumacore } from "../forms.ts";
import type { Cost } from "../scenario.ts";
import { alone, forgetTranslations, onCpu, read, scan } from "../world.ts";

export const ONE_ACCESS_COUNTS_FOR_A_TABLE: Cost = {
  kind: "cost",
  name: "one-access-counts-for-a-table",
  entries: ["E25"],
  claim: "with marked tables one access counts all pages of the table for its thread; with marked PTEs one",
  world: { picture: "ssss", threads: 1, tunables: { numaBalancing: true, enabled: "never" } },
  prepare(w) {
    forgetTranslations(w);
    onCpu(w, 2);
    alone(w, w.k.behaviours.numaDesign.policy === "autonuma" ? markAll(w) : scan(w));
  },
  actors: (w) => [actor("one access", 2, () => read(w, 0))],
  count: (_w, { moved }) => ({ "pages counted": moved("numa_hint_faults") }),
  forms: [
    { ...formAutonuma("AutoNUMA, pmd mode", {}, ""), expect: { "pages counted": 4 } },
    { ...formNumacore("numa/core", {}), expect: { "pages counted": 1 } },
  ],
};
