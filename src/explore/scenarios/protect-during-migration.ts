/** A07: the range becomes inaccessible, or goes, while a hint fault has let go of the lock. */
import { actor, protect } from "../actors.ts";
import { form61, form2013, form2021 } from "../forms.ts";
import type { Race } from "../scenario.ts";
import { alone, onCpu, read, scan } from "../world.ts";

export const PROTECT_DURING_MIGRATION: Race = {
  kind: "race",
  name: "protect-during-migration",
  entries: ["A07", "D08"],
  claim: "an entry that changed while the lock was dropped is left alone; a mismatch touches nothing",
  alike: "the entry is about looking at the PMD again, which every form that was posted does",
  world: { picture: "ss..", threads: 2, tunables: { enabled: "never" } },
  prepare(w) {
    onCpu(w, 2);
    alone(w, scan(w));
  },
  actors: (w) => [actor("mprotect", 0, () => protect(w, "ro")), actor("hint fault", 2, () => read(w, 0))],
  forms: [form61(), form2013("F4", "holds"), form2021("linux-5.12"), form2021("v1"), form2021("linux-5.14")],
};
