/**
 * A05: the scanner has marked a PMD and not yet flushed; one thread faults and migrates, one still writes.
 */
import { LINUX_5_12 } from "../../generations/linux-5.12.ts";
import type { NumaRules } from "../../kernel/numa/rules.ts";
import { actor } from "../actors.ts";
import { form61, form2021 } from "../forms.ts";
import type { Race, RaceForm } from "../scenario.ts";
import { alone, onCpu, read, scan, write } from "../world.ts";

/** The copy under the hint when marks are flushed late: with or without a look at flushes to come. */
function flushedLate(name: string, flushPending: NumaRules["flushPending"], expect: string): RaceForm {
  const numaRules: NumaRules = { ...LINUX_5_12.behaviours.numaRules, flushEachHuge: false, flushPending };
  return { name, generation: "linux-5.12", behaviours: { numaRules }, expect };
}

export const STALE_WRITE_BEFORE_FLUSH: Race = {
  kind: "race",
  name: "stale-write-before-flush",
  entries: ["A05"],
  claim: "a write through a translation that the scanner has not flushed yet is not lost by a migration",
  world: { picture: "HHHH", threads: 3 },
  prepare(w) {
    onCpu(w, 1);
    alone(w, write(w, 1, 5));
  },
  actors: (w) => [
    actor("scanner", 0, () => scan(w)),
    actor("fault", 2, () => read(w, 0)),
    actor("writer", 1, () => write(w, 1, 7)),
  ],
  forms: [
    flushedLate("flushed late", "never", "a stale translation is used"),
    flushedLate("flushed late, looked at", "before-copy", "holds"),
    form2021("linux-5.12"),
    form2021("v1"),
    form2021("linux-5.14"),
    form61(),
  ],
};
