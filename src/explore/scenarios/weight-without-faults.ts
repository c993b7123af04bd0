/** E18, E22, E23: what a pass over memory that nobody uses counts, and calls progress. */
import { enlist } from "../../kernel/numa/autonuma/life.ts";
import { knumaScand } from "../../kernel/numa/autonuma/scand.ts";
import { actor, untilSleep } from "../actors.ts";
import { formAutonuma } from "../forms.ts";
import type { Cost } from "../scenario.ts";

export const WEIGHT_WITHOUT_FAULTS: Cost = {
  kind: "cost",
  name: "weight-without-faults",
  entries: ["E18", "E22", "E23"],
  claim: "as posted a pass gives an idle process the weight of its memory; by faults it has none",
  world: { picture: "HHHH s...", threads: 1, tunables: { numaBalancing: true } },
  prepare(w) {
    enlist(w.k, w.mm);
  },
  actors: (w) => [actor("knuma_scand", 3, () => untilSleep(knumaScand(w.k)))],
  count(w) {
    const { autonuma } = w.k.numa.early!;
    return { "weight, in pages": autonuma.mms.get(0)!.total, progress: autonuma.figures.progressPages };
  },
  forms: [
    { ...formAutonuma("as posted", {}, ""), expect: { "weight, in pages": 5, progress: 6 } },
    {
      ...formAutonuma("by faults", { statistics: "faults" }, ""),
      expect: { "weight, in pages": 0, progress: 6 },
    },
  ],
};
