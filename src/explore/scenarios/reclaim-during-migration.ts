/** C15: reclaim takes a page that a hint fault is moving. */
import { actor } from "../actors.ts";
import { form61 } from "../forms.ts";
import type { Race } from "../scenario.ts";
import { advise, alone, onCpu, scan, write } from "../world.ts";

export const RECLAIM_DURING_MIGRATION: Race = {
  kind: "race",
  name: "reclaim-during-migration",
  entries: ["C15"],
  claim: "a page that is being moved is not swapped out under the mover, nor moved under reclaim",
  alike: "the entry states what every form has: reclaim's trylock fails while the page moves",
  world: { picture: "s...", threads: 2, swapPages: 16, tunables: { enabled: "never" } },
  prepare(w) {
    onCpu(w, 2);
    alone(w, scan(w));
  },
  actors: (w) => [
    actor("MADV_PAGEOUT", 0, () => advise(w, "pageout", 0, 1)),
    actor("hint fault", 2, () => write(w, 0, 7)),
  ],
  forms: [form61()],
};
