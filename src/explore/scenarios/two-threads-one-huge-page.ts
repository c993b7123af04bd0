/** Two threads touch pages of one empty region first, at once; huge pages are on. */
import { actor } from "../actors.ts";
import type { Race } from "../scenario.ts";
import { write } from "../world.ts";

export const TWO_THREADS_ONE_HUGE_PAGE: Race = {
  kind: "race",
  name: "two-threads-one-huge-page",
  entries: [],
  claim:
    "of two huge faults in one region one huge page stays; the other goes back, and both writes are there",
  world: { picture: "....", threads: 2 },
  actors: (w) => [actor("thread 1", 0, () => write(w, 0, 1)), actor("thread 2", 2, () => write(w, 3, 2))],
  forms: [{ name: "linux-6.1", generation: "linux-6.1", expect: "holds" }],
};
