/** A thread writes to a range that another moves. */
import { actor, remap, unmap } from "../actors.ts";
import { form61 } from "../forms.ts";
import type { Race } from "../scenario.ts";
import { alone, read } from "../world.ts";

export const MREMAP_AND_WRITE: Race = {
  kind: "race",
  name: "mremap-and-write",
  entries: [],
  claim: "a write to a range that mremap moves is refused or moves along",
  world: { picture: "HHHH ....", threads: 2 },
  prepare(w) {
    alone(w, unmap(w, 4, 8));
  },
  actors: (w) => [actor("mremap", 0, () => remap(w, 0, 4, 4)), actor("reader", 2, () => read(w, 1))],
  mayVanish: true,
  forms: [form61()],
};
