/** A thread writes while another forks. */
import { actor, fork } from "../actors.ts";
import { form61 } from "../forms.ts";
import type { Race } from "../scenario.ts";
import { write } from "../world.ts";

export const FORK_AND_WRITE: Race = {
  kind: "race",
  name: "fork-and-write",
  entries: [],
  claim: "a write that comes during fork stays the parent's: no entry stays writable on a shared page",
  world: { picture: "HHHH", threads: 2 },
  actors: (w) => [actor("fork", 0, () => fork(w)), actor("writer", 2, () => write(w, 1, 7))],
  forms: [form61()],
};
