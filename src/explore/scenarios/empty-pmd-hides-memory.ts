/** A08: MADV_DONTNEED looks at PMDs without the lock; a marker that clears and sets one hides it. */
import { PMD } from "../../kernel/mm/page-table.ts";
import { actor } from "../actors.ts";
import { form61, form2013 } from "../forms.ts";
import type { Race } from "../scenario.ts";
import { advise, rowOf, scan } from "../world.ts";

export const EMPTY_PMD_HIDES_MEMORY: Race = {
  kind: "race",
  name: "empty-pmd-hides-memory",
  entries: ["A08"],
  claim: "MADV_DONTNEED gives everything back that was there when it began, whatever the scanner does",
  world: { picture: "HHHH", threads: 2 },
  actors: (w) => [actor("scanner", 2, () => scan(w)), actor("MADV_DONTNEED", 0, () => advise(w, "dontneed"))],
  mayVanish: true,
  atEnd(w) {
    const kind = w.k.pt.pmd.kind[rowOf(w, 0)];
    return kind === PMD.HUGE ? "memory survives MADV_DONTNEED: the huge page is still mapped" : undefined;
  },
  forms: [form2013("F3", "memory survives MADV_DONTNEED"), form61()],
};
