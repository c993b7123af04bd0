/** A07: the page goes while a hint fault has let go of the lock. */
import { actor } from "../actors.ts";
import type { Race } from "../scenario.ts";
import { advise, alone, read, scan } from "../world.ts";

export const ZAP_DURING_MIGRATION: Race = {
  kind: "race",
  name: "zap-during-migration",
  entries: ["A07"],
  claim: "a huge page that is given back while it is being moved leaks nothing and is not moved",
  alike: "the entry is about looking at the PMD again, which every form that was posted does",
  // Four base pages in one huge page, written by CPU 0 on node 0; two nodes, two CPUs each.
  world: { picture: "HHHH", threads: 2 },
  // Set-up, alone on the machine: the scanner has marked the PMD.
  prepare: (w) => {
    alone(w, scan(w));
  },
  // Each actor is a path on a CPU; CPUs 2 and 3 belong to node 1.
  actors: (w) => [
    actor("MADV_DONTNEED", 0, () => advise(w, "dontneed")),
    actor("hint fault", 2, () => read(w, 0)),
  ],
  mayVanish: true,
  forms: [{ name: "linux-6.1", generation: "linux-6.1", expect: "holds" }],
};
