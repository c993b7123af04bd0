/** A short soak in every `npm test`; `npm run soak` runs 2,000 scripts under every generation. */
import { expect, test } from "vitest";
import { isKnownDefect, replayLine, soakInTurn } from "./soak/soak.ts";

test("24 random scripts break no invariant, each under two of the generations", () => {
  const found = soakInTurn(1, 24, 2).filter((failure) => !isKnownDefect(failure));
  expect(found.map(replayLine)).toEqual([]);
});
