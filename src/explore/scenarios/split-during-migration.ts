/** A06: a huge page is split while a hint fault that wants to move it holds no lock. */
import { actor, splitHuge } from "../actors.ts";
import { form61 } from "../forms.ts";
import type { Race } from "../scenario.ts";
import { alone, read, scan } from "../world.ts";

export const SPLIT_DURING_MIGRATION: Race = {
  kind: "race",
  name: "split-during-migration",
  entries: ["A06"],
  claim: "the fault's reference makes the split fail, or the split makes the migration fail: never a half",
  world: { picture: "HHHH", threads: 2 },
  prepare(w) {
    alone(w, scan(w));
  },
  actors: (w) => [actor("split", 0, () => splitHuge(w, 0)), actor("hint fault", 2, () => read(w, 0))],
  forms: [form61()],
};
