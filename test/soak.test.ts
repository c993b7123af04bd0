/** A short soak in every `npm test`; `npm run soak` runs 2,000 scripts. */
import { expect, test } from "vitest";
import { replayLine, soak } from "./soak/soak.ts";

test("60 random scripts break no invariant under any generation", () => {
  expect(soak(1, 60).map(replayLine)).toEqual([]);
});
