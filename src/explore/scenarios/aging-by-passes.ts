/** E24: a task's sums are halved once, at its first fault of a pass. */
import { enlist } from "../../kernel/numa/autonuma/life.ts";
import { earlyTask } from "../../kernel/numa/early/state.ts";
import { actor } from "../actors.ts";
import { markAll } from "../autonuma.ts";
import { formAutonuma } from "../forms.ts";
import type { Cost } from "../scenario.ts";
import { forgetTranslations, read } from "../world.ts";

export const AGING_BY_PASSES: Cost = {
  kind: "cost",
  name: "aging-by-passes",
  entries: ["E24"],
  claim: "two passes without a fault halve a task's sums once: 4 pages, then 4/2 + 4",
  alike: "the entry asks for the exact sequence of halvings: there is one form of it",
  world: { picture: "HHHH", threads: 1, tunables: { numaBalancing: true } },
  actors: (w) => [
    actor("task", 0, function* () {
      const sums: number[] = [];
      for (const passes of [1, 2]) {
        enlist(w.k, w.mm).pass += passes;
        forgetTranslations(w);
        yield* markAll(w);
        yield* read(w, 0);
        sums.push(earlyTask(w.k, w.k.numa.running[0]!).total);
      }
      return sums;
    }),
  ],
  count(_w, { returned }) {
    const [first, second] = returned(0) as [number, number];
    return { "after the first fault": first, "two passes later": second };
  },
  forms: [
    { ...formAutonuma("AutoNUMA 19", {}, ""), expect: { "after the first fault": 4, "two passes later": 6 } },
  ],
};
