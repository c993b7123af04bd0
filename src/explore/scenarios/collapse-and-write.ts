/** khugepaged's copy and a write: MADV_COLLAPSE while another thread writes and a third gives a page back. */
import { actor } from "../actors.ts";
import { form61 } from "../forms.ts";
import type { Race } from "../scenario.ts";
import { advise, write } from "../world.ts";

export const COLLAPSE_AND_WRITE: Race = {
  kind: "race",
  name: "collapse-and-write",
  entries: [],
  claim: "a write during a collapse is in the huge page, or the collapse is refused",
  world: { picture: "ssss", threads: 2 },
  actors: (w) => [
    actor("MADV_COLLAPSE", 2, () => advise(w, "collapse")),
    actor("writer", 0, () => write(w, 1, 7)),
  ],
  forms: [form61()],
};
