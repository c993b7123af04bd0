/** C01: a device holds a pin and writes, while a hint fault on another node wants to move the page. */
import { actor, deviceWrite } from "../actors.ts";
import type { Race } from "../scenario.ts";
import { read, scan } from "../world.ts";

export const PIN_THEN_MIGRATE: Race = {
  kind: "race",
  name: "pin-then-migrate",
  entries: ["C01"],
  claim: "what direct I/O writes through its pin is in the page afterwards, whenever a hint fault moves it",
  world: { picture: "HHHH", threads: 2 },
  actors: (w) => [
    actor("direct I/O", 0, () => deviceWrite(w, 1, 7)),
    actor("scan, then fault", 2, function* () {
      yield* scan(w);
      yield* read(w, 0);
    }),
  ],
  forms: [{ name: "linux-6.1", generation: "linux-6.1", expect: "holds" }],
};
