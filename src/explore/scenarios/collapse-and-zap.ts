/** MADV_COLLAPSE while a page of the region is given back. */
import { actor } from "../actors.ts";
import { form61 } from "../forms.ts";
import { heldAt, ZEROES } from "../memory.ts";
import type { Race } from "../scenario.ts";
import { advise, vpnOf } from "../world.ts";

export const COLLAPSE_AND_ZAP: Race = {
  kind: "race",
  name: "collapse-and-zap",
  entries: [],
  claim: "a page that is given back during a collapse reads as zeroes, huge page or not",
  world: { picture: "ssss", threads: 2 },
  actors: (w) => [
    actor("MADV_COLLAPSE", 2, () => advise(w, "collapse")),
    actor("MADV_DONTNEED", 0, () => advise(w, "dontneed", 1, 2)),
  ],
  mayVanish: true,
  atEnd(w) {
    const held = heldAt(w.memory, w.mm, vpnOf(w, 1));
    return held === undefined || held === ZEROES ? undefined : `page 1 was given back and holds ${held}`;
  },
  forms: [form61()],
};
