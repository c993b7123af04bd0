/** A14, A17: a huge page that fork shares is a hint; parent and child touch it. */
import { actor, fork } from "../actors.ts";
import { form61, form2013, form2021 } from "../forms.ts";
import type { Race } from "../scenario.ts";
import { alone, read, scan, usedFrom, write } from "../world.ts";

export const WRITE_RIGHT_AFTER_FORK: Race = {
  kind: "race",
  name: "write-right-after-fork",
  entries: ["A14", "A17", "C11"],
  claim:
    "a huge page of two address spaces is not moved, and no entry of it becomes writable while it is shared",
  world: { picture: "HHHH", threads: 1 },
  prepare(w) {
    usedFrom(w, 0, 1);
    alone(w, fork(w));
    alone(w, scan(w));
  },
  actors: (w) => [actor("parent", 2, () => read(w, 0)), actor("child", 0, () => write(w, 1, 7, w.k.mms[1]!))],
  forms: [
    form61(),
    form2021("linux-5.12"),
    form2021("linux-5.14"),
    form2013("F4", "holds"),
    { name: "numa/core, no look at map counts", generation: "numacore-october", expect: "map" },
  ],
};
