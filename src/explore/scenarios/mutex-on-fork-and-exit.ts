/** E01, E28: what a short-lived process pays for a scanner that never comes to it. */
import { actor, exit, fork, type LockTally, tallyLocks } from "../actors.ts";
import { formAutonuma } from "../forms.ts";
import type { Cost } from "../scenario.ts";

export const MUTEX_ON_FORK_AND_EXIT: Cost = {
  kind: "cost",
  name: "mutex-on-fork-and-exit",
  entries: ["E01", "E28"],
  claim:
    "a process that ends before the first pass takes the global mutex twice as posted, never as reviewed",
  world: { picture: "s...", threads: 1, tunables: { numaBalancing: true } },
  actors: (w) => [
    actor("fork, then exit of the child", 0, () =>
      tallyLocks(
        (function* () {
          yield* fork(w);
          yield* exit(w, w.k.mms[1]!);
        })(),
      ),
    ),
  ],
  count: (w, { returned }) => ({
    "global mutex": (returned(0) as LockTally).autonuma_mm ?? 0,
    "descriptors made": w.k.numa.early!.autonuma.mms.size,
  }),
  forms: [
    { ...formAutonuma("as posted", {}, ""), expect: { "global mutex": 2, "descriptors made": 1 } },
    {
      ...formAutonuma("listed by the scanner", { listed: "scanner" }, ""),
      expect: { "global mutex": 0, "descriptors made": 0 },
    },
  ],
};
