/** After fork, parent and child write to pages of the same huge page at once. */
import { actor, fork } from "../actors.ts";
import { form61 } from "../forms.ts";
import type { Race } from "../scenario.ts";
import { alone, write } from "../world.ts";

export const HUGE_COPY_ON_WRITE_TWICE: Race = {
  kind: "race",
  name: "huge-copy-on-write-twice",
  entries: [],
  claim: "a huge page that fork shares is split by who writes first, copied page by page, and leaks nothing",
  world: { picture: "HHHH", threads: 1 },
  prepare(w) {
    alone(w, fork(w));
  },
  actors: (w) => [
    actor("parent", 0, () => write(w, 0, 7)),
    actor("child", 2, () => write(w, 1, 8, w.k.mms[1]!)),
  ],
  forms: [form61()],
};
