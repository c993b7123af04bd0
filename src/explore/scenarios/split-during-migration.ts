/** A06: a huge page is split while a hint fault that wants to move it holds no lock. */
import { actor, splitHuge } from "../actors.ts";
import { form61, form2021 } from "../forms.ts";
import type { Race } from "../scenario.ts";
import { alone, read, scan } from "../world.ts";

export const SPLIT_DURING_MIGRATION: Race = {
  kind: "race",
  name: "split-during-migration",
  entries: ["A06"],
  claim: "the fault's reference makes the split fail, or the split makes the migration fail: never a half",
  alike: "the entry doubts that a reference alone keeps a split away; it does, so no form fails",
  world: { picture: "HHHH", threads: 2 },
  prepare(w) {
    alone(w, scan(w));
  },
  actors: (w) => [actor("split", 0, () => splitHuge(w, 0)), actor("hint fault", 2, () => read(w, 0))],
  forms: [form61(), form2021("linux-5.12"), form2021("linux-5.14")],
};
