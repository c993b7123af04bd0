import { expect, test } from "vitest";
import { placeInSource } from "./story.ts";

test("compiled code names the file of the sources, whose lines it does not know", () => {
  expect(placeInSource("pin.ts", "42")).toBe("pin.ts:42");
  expect(placeInSource("pin.js", "39")).toBe("pin.ts");
});
