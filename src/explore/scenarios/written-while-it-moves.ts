/** A03: a thread writes to a huge page between the restoring of its PMD and its unmapping. */
import { actor } from "../actors.ts";
import { form61, form2021 } from "../forms.ts";
import type { Race } from "../scenario.ts";
import { alone, read, scan, write } from "../world.ts";

export const WRITTEN_WHILE_IT_MOVES: Race = {
  kind: "race",
  name: "written-while-it-moves",
  entries: ["A03"],
  claim: "a write that comes before a huge page is unmapped is flushed and copied, restored first or not",
  alike: "as posted it holds because unmapping flushes; a planted fault shows the write lost without",
  world: { picture: "HHHH", threads: 2 },
  prepare: (w) => {
    alone(w, scan(w));
  },
  actors: (w) => [
    actor("hint fault", 2, () => read(w, 0)),
    actor("writer on node 0", 0, () => write(w, 1, 7)),
  ],
  forms: [form2021("linux-5.12"), form2021("v1"), form2021("linux-5.14"), form61()],
};
