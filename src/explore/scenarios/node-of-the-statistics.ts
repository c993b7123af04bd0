/** A18: which node a hint fault counts for. */
import { FAULTS, faultIndex, LOCALITY } from "../../kernel/numa/state.ts";
import { actor, pin } from "../actors.ts";
import { form61 } from "../forms.ts";
import type { Cost } from "../scenario.ts";
import { alone, read, scan } from "../world.ts";

export const NODE_OF_THE_STATISTICS: Cost = {
  kind: "cost",
  name: "node-of-the-statistics",
  entries: ["A18"],
  claim: "a page that moved counts for its new node; one that could not, for the node where it stays",
  alike:
    "the first posting differs in when it accounts, not in what: the node is read before the move in all",
  world: { picture: "HHHH HHHH", threads: 2, tunables: { numaBalancing: true } },
  prepare(w) {
    alone(w, pin(w, 4));
    alone(w, scan(w));
  },
  actors: (w) => [
    actor("fault on a free page", 2, () => read(w, 0)),
    actor("fault on a pinned page", 2, () => read(w, 4)),
  ],
  count(w) {
    const { faults, locality } = w.k.numa.running[2]!;
    const on = (node: number) =>
      [0, 1].map((kind) => faults![faultIndex(w.k, FAULTS.MEM_BUFFER, node, kind)]!);
    const sum = (node: number) => on(node).reduce((a, b) => a + b, 0);
    return { "pages on node 0": sum(0), "pages on node 1": sum(1), failed: locality[LOCALITY.FAILED] };
  },
  // A refused page was mapped again, accessible: the fault's entry has changed, so it is not accounted.
  forms: [{ ...form61(), expect: { "pages on node 0": 0, "pages on node 1": 4, failed: 0 } }],
};
