/** A10, C05 to C08: the huge page goes while the routine of 2012 copies it. */
import { C } from "../../core/counters.ts";
import { actor } from "../actors.ts";
import { form2013 } from "../forms.ts";
import type { Race } from "../scenario.ts";
import { advise, alone, read, scan, usedFrom } from "../world.ts";

export const ZAP_DURING_COPY: Race = {
  kind: "race",
  name: "zap-during-copy",
  entries: ["A10", "C05", "C06", "C07", "C08"],
  claim:
    "when the PMD changed under the copy, every lock and reference is let go once, and nobody calls it moved",
  world: { picture: "HHHH", threads: 2 },
  prepare(w) {
    usedFrom(w, 0, 1);
    alone(w, scan(w));
    w.k.numa.running[2]!.scanPeriodMs = 100;
  },
  actors: (w) => [
    actor("MADV_DONTNEED", 0, () => advise(w, "dontneed")),
    actor("hint fault", 2, () => read(w, 0)),
  ],
  mayVanish: true,
  atEnd(w) {
    const task = w.k.numa.running[2]!;
    const moved = w.k.vmstat[C.numa_pages_migrated]! > 0;
    // A fault that moved nothing makes its task scan more slowly.
    const hinted = w.k.vmstat[C.numa_hint_faults]! > 0;
    const toldOfSuccess = hinted && !moved && task.scanPeriodMs === 100;
    return toldOfSuccess ? "the caller is told of a migration that was undone" : undefined;
  },
  forms: [
    form2013("F0", "told of a migration that was undone"),
    form2013("F3", "told of a migration that was undone"),
    form2013("F4", "holds"),
  ],
};
