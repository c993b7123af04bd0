/** D09: the whole address space in one pass. */
import { actor, type LockTally, passOf, tallyLocks } from "../actors.ts";
import { form61, formNumacore } from "../forms.ts";
import type { Cost } from "../scenario.ts";

export const PASS_WITH_THE_LOCK_FOR_WRITING: Cost = {
  kind: "cost",
  name: "pass-with-the-lock-for-writing",
  entries: ["D09"],
  claim:
    "a pass that holds the mmap lock for writing keeps every fault of the process waiting; a window does not",
  world: { picture: "HHHH HHHH", threads: 2, tunables: { numaBalancing: true } },
  actors: (w) => [actor("a pass", 0, () => tallyLocks(passOf(w)))],
  count(_w, { returned }) {
    const tally = returned(0) as LockTally;
    return { "for writing": tally.mmap_lock ?? 0, "for reading": tally["mmap_lock read"] ?? 0 };
  },
  forms: [
    { ...formNumacore("October: whole", { pass: "whole" }), expect: { "for writing": 1, "for reading": 0 } },
    { ...form61(), expect: { "for writing": 0, "for reading": 1 } },
  ],
};
