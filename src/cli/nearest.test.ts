import { expect, test } from "vitest";
import { generationOfRelease } from "./nearest.ts";

test("a release is modelled by the newest kernel that is not newer than it, else by the oldest", () => {
  expect(generationOfRelease("6.18.44-fc-v657")).toBe("linux-6.18");
  expect(generationOfRelease("6.12.1")).toBe("linux-6.12");
  expect(generationOfRelease("6.11.9-generic")).toBe("linux-6.1");
  expect(generationOfRelease("7.2.0")).toBe("linux-6.18");
});
