/** C14: migrations that fail have used up the budget of their window. */
import { actor, pin } from "../actors.ts";
import { form61, form2013 } from "../forms.ts";
import type { Cost } from "../scenario.ts";
import { alone, read, scan, usedFrom } from "../world.ts";

export const REFUSED_PAGES_USE_UP_THE_WINDOW: Cost = {
  kind: "cost",
  name: "refused-pages-use-up-the-window",
  entries: ["C14"],
  claim: "in 3.8 a pinned page that cannot move is charged to the window like one that moves",
  world: { picture: "HHHH", threads: 2 },
  prepare(w) {
    usedFrom(w, 0, 1);
    alone(w, pin(w, 0));
    alone(w, scan(w));
  },
  actors: (w) => [actor("hint fault", 2, () => read(w, 0))],
  count: (w, { moved }) => ({
    "pages charged": w.k.numa.early === undefined ? 0 : w.k.numa.early.windows[1]!.pages,
    "pages moved": moved("numa_pages_migrated"),
  }),
  forms: [
    { ...form2013("F3", ""), expect: { "pages charged": 4, "pages moved": 0 } },
    { ...form61(), expect: { "pages charged": 0, "pages moved": 0 } },
  ],
};
