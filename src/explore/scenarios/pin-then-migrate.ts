/**
 * C01 to C04: the story of January 2013. A device holds a pin and writes, while a hint fault on another node
 * moves the huge page; then what the answers to it forgot.
 */
import { actor, deviceWrite } from "../actors.ts";
import { form61, form2013 } from "../forms.ts";
import type { Race } from "../scenario.ts";
import { read, scan, usedFrom } from "../world.ts";

export const PIN_THEN_MIGRATE: Race = {
  kind: "race",
  name: "pin-then-migrate",
  entries: ["C01", "C02", "C03", "C04"],
  claim: "what direct I/O writes through its pin is in the page afterwards, whenever a hint fault moves it",
  world: { picture: "HHHH", threads: 2 },
  prepare(w) {
    usedFrom(w, 0, 1);
  },
  actors: (w) => [
    actor("direct I/O", 0, () => deviceWrite(w, 1, 7)),
    actor("scan, then hint fault", 2, function* () {
      yield* scan(w);
      yield* read(w, 0);
    }),
  ],
  forms: [
    form2013("F0", "a write is lost"),
    form2013("F1", "every reference of a page has an owner"),
    form2013("F2", "nr_isolated_anon is 4"),
    form2013("F3", "holds"),
    form2013("F4", "holds"),
    form61(),
  ],
};
