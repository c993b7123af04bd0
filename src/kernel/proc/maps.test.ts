import { expect, test } from "vitest";
import { advise, world } from "../testing/picture.ts";
import { figuresOfRange } from "./maps.ts";

test("huge memory counts while it is mapped by PMD; swapped and zero pages are not resident", () => {
  const w = world("HHHH cc.. ss.. z...", { swapPages: 16 });
  advise(w, "pageout", 8, 9);
  expect(figuresOfRange(w.k, w.mm, w.start, w.start + 16)).toEqual({
    rssKb: 4 * 7,
    anonKb: 4 * 7,
    anonHugeKb: 16,
    swapKb: 4,
    nodePages: [7],
  });
});

test("a range is summed over the whole areas that it overlaps", () => {
  const w = world("ssss ssss", { tunables: { enabled: "never" } });
  advise(w, "dontfork", 4, 8);
  expect(figuresOfRange(w.k, w.mm, w.start + 1, w.start + 2)?.rssKb).toBe(16);
  expect(figuresOfRange(w.k, w.mm, w.start + 3, w.start + 5)?.rssKb).toBe(32);
});

test("where no area is, there are no figures", () => {
  const w = world("ssss");
  expect(figuresOfRange(w.k, w.mm, w.start + 4, w.start + 8)).toBeUndefined();
});
