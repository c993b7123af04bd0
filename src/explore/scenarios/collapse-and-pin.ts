/** MADV_COLLAPSE while a device holds a pin. */
import { actor, deviceWrite } from "../actors.ts";
import { form61 } from "../forms.ts";
import type { Race } from "../scenario.ts";
import { advise } from "../world.ts";

export const COLLAPSE_AND_PIN: Race = {
  kind: "race",
  name: "collapse-and-pin",
  entries: [],
  claim: "a pinned page is not copied away from under its device by a collapse",
  world: { picture: "ssss", threads: 2 },
  actors: (w) => [
    actor("MADV_COLLAPSE", 2, () => advise(w, "collapse")),
    actor("direct I/O", 0, () => deviceWrite(w, 1, 7)),
  ],
  forms: [form61()],
};
