/** After fork two threads of the parent write to one shared page at once. */
import { PREEMPT } from "../../core/ops.ts";
import { actor, fork } from "../actors.ts";
import { form61 } from "../forms.ts";
import type { Race } from "../scenario.ts";
import { alone, read, write } from "../world.ts";

export const TWO_THREADS_COPY_ONE_PAGE: Race = {
  kind: "race",
  name: "two-threads-copy-one-page",
  entries: [],
  claim: "of two copies of one page one stays, and both threads write to it",
  world: { picture: "s...", threads: 2, tunables: { enabled: "never" } },
  prepare(w) {
    alone(w, fork(w));
    alone(w, read(w, 0));
  },
  actors: (w) => [
    actor("thread 1", 0, () => write(w, 0, 7)),
    actor("thread 2", 2, function* () {
      yield* read(w, 0);
      yield PREEMPT;
      yield* read(w, 0);
      yield* write(w, 0, 8);
    }),
  ],
  forms: [form61()],
};
