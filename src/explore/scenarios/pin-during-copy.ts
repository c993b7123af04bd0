/** A09, C13: a pin is taken while the page is being copied. */
import { actor, deviceWrite } from "../actors.ts";
import { form61, form2013, form2021 } from "../forms.ts";
import type { Race } from "../scenario.ts";
import { alone, read, scan, usedFrom } from "../world.ts";

export const PIN_DURING_COPY: Race = {
  kind: "race",
  name: "pin-during-copy",
  entries: ["A09", "C13"],
  claim: "after the scanner's flush nobody gets a new pin on the old page before the switch",
  alike: "a pin from before the mark is pin-then-migrate's; after the mark nobody gets one, in any form",
  world: { picture: "HHHH", threads: 2 },
  prepare(w) {
    usedFrom(w, 0, 1);
    alone(w, scan(w));
  },
  actors: (w) => [
    actor("direct I/O", 0, () => deviceWrite(w, 1, 7)),
    actor("hint fault", 2, () => read(w, 0)),
  ],
  forms: [form2013("F4", "holds"), form2021("linux-5.12"), form2021("v1"), form2021("linux-5.14"), form61()],
};
