/** A13: the target node has no free huge page. */
import { actor } from "../actors.ts";
import { form61, form2013 } from "../forms.ts";
import type { Cost } from "../scenario.ts";
import { alone, holdOneFrameOfEachBlock, read, scan, usedFrom } from "../world.ts";

export const NO_ROOM_FOR_A_HUGE_PAGE: Cost = {
  kind: "cost",
  name: "no-room-for-a-huge-page",
  entries: ["A13"],
  claim: "a huge page that finds no huge page on its target stays whole where it is",
  alike: "splitting was feared of the series' fourth patch applied alone, which no kernel ever was",
  world: { picture: "HHHH", threads: 2, framesPerNode: 32 },
  prepare(w) {
    usedFrom(w, 0, 1);
    holdOneFrameOfEachBlock(w, 1);
    alone(w, scan(w));
  },
  actors: (w) => [actor("hint fault", 2, () => read(w, 0))],
  count: (_w, { moved }) => ({
    thp_migration_split: moved("thp_migration_split"),
    thp_split_page: moved("thp_split_page"),
    pgmigrate_fail: moved("pgmigrate_fail"),
    numa_pages_migrated: moved("numa_pages_migrated"),
  }),
  forms: [
    {
      ...form2013("F4", ""),
      expect: { thp_migration_split: 0, thp_split_page: 0, pgmigrate_fail: 4, numa_pages_migrated: 0 },
    },
    {
      ...form61(),
      expect: { thp_migration_split: 0, thp_split_page: 0, pgmigrate_fail: 4, numa_pages_migrated: 0 },
    },
  ],
};
