/**
 * A05: the scanner has marked a PMD and not yet flushed; one thread faults and migrates, one still writes.
 */
import { actor } from "../actors.ts";
import type { Race } from "../scenario.ts";
import { alone, onCpu, read, scan, write } from "../world.ts";

export const STALE_WRITE_BEFORE_FLUSH: Race = {
  kind: "race",
  name: "stale-write-before-flush",
  entries: ["A05"],
  claim: "a write through a translation that the scanner has not flushed yet is not lost by a migration",
  world: { picture: "HHHH", threads: 3 },
  prepare(w) {
    onCpu(w, 1);
    alone(w, write(w, 1, 5));
  },
  actors: (w) => [
    actor("scanner", 0, () => scan(w)),
    actor("fault", 2, () => read(w, 0)),
    actor("writer", 1, () => write(w, 1, 7)),
  ],
  forms: [{ name: "linux-6.1", generation: "linux-6.1", expect: "holds" }],
};
