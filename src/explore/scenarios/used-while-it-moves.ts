/** A02: a thread uses a huge page while another's hint fault moves it. */
import type { Path } from "../../core/ops.ts";
import { actor } from "../actors.ts";
import { form61, form2021 } from "../forms.ts";
import { Violation } from "../runner.ts";
import type { Race } from "../scenario.ts";
import { keepTransit, type Transit } from "../transit.ts";
import { alone, read, scan, type World } from "../world.ts";

/** Reads; whoever comes through without a fault, while the page is on its way, has been seen by nobody. */
function* readSeen(w: World, transit: Transit): Path {
  const outcome = yield* read(w, 1);
  if (outcome === "no fault" && transit.frame >= 0)
    throw new Violation(
      "a hint is lost: a thread used the page while it was being moved, and no fault tells",
    );
}

export const USED_WHILE_IT_MOVES: Race = {
  kind: "race",
  name: "used-while-it-moves",
  entries: ["A02"],
  claim: "a thread that uses a huge page while it is being moved is seen by a hint fault of its own",
  world: { picture: "HHHH", threads: 2 },
  prepare: (w) => {
    alone(w, scan(w));
  },
  actors: (w) => {
    const transit: Transit = { frame: -1 };
    return [
      actor("hint fault", 2, () => {
        transit.frame = -1;
        return keepTransit(w, 0, transit, read(w, 0));
      }),
      actor("reader on node 0", 0, () => readSeen(w, transit)),
    ];
  },
  forms: [form2021("linux-5.12"), form2021("v1", "a hint is lost"), form2021("linux-5.14"), form61()],
};
