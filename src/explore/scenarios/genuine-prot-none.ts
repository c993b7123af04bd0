/** D01, D12: an area without access, before and after the scanner came. */
import { actor, protect } from "../actors.ts";
import { form61, form2013 } from "../forms.ts";
import type { Race } from "../scenario.ts";
import { read, scan } from "../world.ts";

export const GENUINE_PROT_NONE: Race = {
  kind: "race",
  name: "genuine-prot-none",
  entries: ["D01", "D12"],
  claim:
    "an access to an area that mprotect closed is SIGSEGV, not a hint to repair, whenever the scanner came",
  alike: "the entry asks that a mark is not taken for a program's own PROT_NONE: none of the designs does",
  world: { picture: "s...", threads: 2, tunables: { enabled: "never" } },
  actors: (w) => [
    actor("mprotect, then access", 2, function* () {
      yield* protect(w, "none");
      return yield* read(w, 0);
    }),
    actor("scanner", 0, () => scan(w)),
  ],
  atEnd: (_w, returned) =>
    returned(0) === "segv" ? undefined : `the access ends with '${String(returned(0))}', not with SIGSEGV`,
  forms: [
    form61(),
    form2013("F4", "holds"),
    { name: "numa/core", generation: "numacore-october", expect: "holds" },
  ],
};
