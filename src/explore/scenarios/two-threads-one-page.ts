/** Two threads touch the same page first, at once: one has a free page at hand, the other asks the zone. */
import { actor } from "../actors.ts";
import type { Race } from "../scenario.ts";
import { write } from "../world.ts";

export const TWO_THREADS_ONE_PAGE: Race = {
  kind: "race",
  name: "two-threads-one-page",
  entries: [],
  claim: "of two first touches of one page one frame stays; the other goes back",
  world: { picture: "....", tunables: { enabled: "never" }, threads: 2, atHandPages: [1] },
  actors: (w) => [actor("thread 1", 0, () => write(w, 0, 1)), actor("thread 2", 2, () => write(w, 0, 2))],
  forms: [
    { name: "linux-6.1", generation: "linux-6.1", expect: "holds" },
    { name: "linux-6.18", generation: "linux-6.18", expect: "holds" },
  ],
};
