/** Direct I/O into a page that fork shares: the parent pins, the child looks. */
import { actor, deviceWrite, fork } from "../actors.ts";
import { form61 } from "../forms.ts";
import type { Race } from "../scenario.ts";
import { alone, read } from "../world.ts";

export const PIN_AFTER_FORK: Race = {
  kind: "race",
  name: "pin-after-fork",
  entries: [],
  claim: "a page that fork shares is copied before it is pinned for writing: the child never sees the device",
  world: { picture: "s...", threads: 1, tunables: { enabled: "never" } },
  prepare(w) {
    alone(w, fork(w));
  },
  actors: (w) => [
    actor("direct I/O of the parent", 0, () => deviceWrite(w, 0, 7)),
    actor("child", 2, function* () {
      const seen: number[] = [];
      yield* read(w, 0, seen, w.k.mms[1]!);
      yield* read(w, 0, seen, w.k.mms[1]!);
      return seen.includes(7);
    }),
  ],
  atEnd: (_w, returned) =>
    returned(1) === true ? "the child sees what the parent's device wrote" : undefined,
  forms: [form61()],
};
