/** D07: what is restored with the protection of a private area is read-only. */
import { actor } from "../actors.ts";
import { form61, formNumacore } from "../forms.ts";
import type { Cost } from "../scenario.ts";
import { alone, onCpu, scan, write } from "../world.ts";

export const SECOND_FAULT_FOR_A_WRITE: Cost = {
  kind: "cost",
  name: "second-fault-for-a-write",
  entries: ["D07"],
  claim: "a write to a hint takes one fault where the entry remembers that it was writable, else two",
  world: { picture: "s...", threads: 2, tunables: { enabled: "never" } },
  prepare(w) {
    onCpu(w, 2);
    alone(w, scan(w));
  },
  actors: (w) => [actor("write", 0, () => write(w, 0, 7))],
  count: (_w, { moved }) => ({ "page faults": moved("pgfault") }),
  forms: [
    { ...formNumacore("numa/core", {}), expect: { "page faults": 2 } },
    { ...form61(), expect: { "page faults": 1 } },
  ],
};
