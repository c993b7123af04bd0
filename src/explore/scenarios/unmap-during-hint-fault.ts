/** A07: munmap waits for the mmap lock of a hint fault, and the other way round. */
import { actor, unmap } from "../actors.ts";
import { form61, form2013, form2021 } from "../forms.ts";
import type { Race } from "../scenario.ts";
import { alone, read, scan } from "../world.ts";

export const UNMAP_DURING_HINT_FAULT: Race = {
  kind: "race",
  name: "unmap-during-hint-fault",
  entries: ["A07"],
  claim: "munmap and a hint fault of another thread leave no reference, no entry and no isolated page",
  alike: "the entry is about looking at the PMD again, which every form that was posted does",
  world: { picture: "HHHH", threads: 2 },
  prepare(w) {
    alone(w, scan(w));
  },
  actors: (w) => [actor("munmap", 0, () => unmap(w)), actor("hint fault", 2, () => read(w, 0))],
  mayVanish: true,
  forms: [form61(), form2013("F4", "holds"), form2021("linux-5.12"), form2021("v1"), form2021("linux-5.14")],
};
