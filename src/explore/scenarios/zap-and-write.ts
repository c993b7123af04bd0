/** A thread writes through its translation while another gives the page back. */
import { actor } from "../actors.ts";
import { form61 } from "../forms.ts";
import type { Race } from "../scenario.ts";
import { advise, write } from "../world.ts";

export const ZAP_AND_WRITE: Race = {
  kind: "race",
  name: "zap-and-write",
  entries: [],
  claim: "a page that is given back is freed only when no CPU can write to it any more",
  world: { picture: "s...", threads: 2, tunables: { enabled: "never" } },
  actors: (w) => [
    actor("MADV_DONTNEED", 2, () => advise(w, "dontneed", 0, 1)),
    actor("writer", 0, () => write(w, 0, 7)),
  ],
  mayVanish: true,
  forms: [form61(), { name: "linux-6.18", generation: "linux-6.18", expect: "holds" }],
};
