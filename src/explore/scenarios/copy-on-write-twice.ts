/** After fork, parent and child write to the same shared page at once. */
import { actor, fork } from "../actors.ts";
import { form61 } from "../forms.ts";
import type { Race } from "../scenario.ts";
import { alone, write } from "../world.ts";

export const COPY_ON_WRITE_TWICE: Race = {
  kind: "race",
  name: "copy-on-write-twice",
  entries: [],
  claim: "of two writers after fork each finds its own write, and one frame is left for each",
  world: { picture: "s...", threads: 1, tunables: { enabled: "never" } },
  prepare(w) {
    alone(w, fork(w));
  },
  actors: (w) => [
    actor("parent", 0, () => write(w, 0, 7)),
    actor("child", 2, () => write(w, 0, 8, w.k.mms[1]!)),
  ],
  forms: [form61(), { name: "linux-6.18", generation: "linux-6.18", expect: "holds" }],
};
