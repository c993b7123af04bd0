import { describe, expect, test } from "vitest";
import { NO_PLACE, type PlacementAlignment, placeTopDown } from "./placement.ts";

/** Places into a picture: one character a page, `#` occupied, 4-page huge pages; `n` are the new pages. */
function place(picture: string, length: number, alignment: PlacementAlignment = "page"): string {
  const starts: number[] = [];
  const ends: number[] = [];
  for (let i = 0; i < picture.length; i++) {
    if (picture[i] !== "#") continue;
    if (ends.at(-1) === i) ends[ends.length - 1] = i + 1;
    else {
      starts.push(i);
      ends.push(i + 1);
    }
  }
  const top = picture.length;
  const at = placeTopDown(
    { starts, ends, count: starts.length },
    { length, bottom: 0, top, alignment, hugeSize: 4 },
  );
  if (at === NO_PLACE) return "no place";
  return picture.slice(0, at) + "n".repeat(length) + picture.slice(at + length);
}

describe("placement from the top down", () => {
  test("takes the upper end of the highest gap that is large enough", () => {
    expect(place("....##..##.#", 1)).toBe("....##..##n#");
    expect(place("....##..##.#", 2)).toBe("....##nn##.#");
    expect(place("....##..##.#", 3)).toBe(".nnn##..##.#");
  });

  test("an empty address space gives the top", () => {
    expect(place("........", 3)).toBe(".....nnn");
  });

  test("a length that fits nowhere has no place", () => {
    expect(place("..#...#.", 4)).toBe("no place");
    expect(place("########", 1)).toBe("no place");
  });

  test("up to 6.6 no length is aligned", () => {
    expect(place("...............#", 4, "page")).toBe("...........nnnn#");
  });

  test("6.7 to 6.12 align every length of a huge page and more", () => {
    expect(place("...............#", 4, "huge-if-large")).toBe("........nnnn...#");
    expect(place("...............#", 5, "huge-if-large")).toBe("........nnnnn..#");
    expect(place("...............#", 3, "huge-if-large")).toBe("............nnn#");
  });

  test("since 6.13 only multiples of a huge page are aligned", () => {
    expect(place("...............#", 4, "huge-if-multiple")).toBe("........nnnn...#");
    expect(place("...............#", 5, "huge-if-multiple")).toBe("..........nnnnn#");
  });

  test("a gap that is aligned by itself is used up to its end", () => {
    expect(place("............####", 4, "huge-if-multiple")).toBe("........nnnn####");
  });

  test("alignment wants a huge page of room more than the length, and goes to a lower gap for it", () => {
    expect(place("............#....####", 4, "huge-if-multiple")).toBe("........nnnn#....####");
  });

  test("where no gap has that room the mapping is placed unaligned", () => {
    expect(place("#.....##", 4, "huge-if-multiple")).toBe("#.nnnn##");
  });

  test("what lies above the top or below the bottom is no place", () => {
    const occupied = { starts: [20], ends: [30], count: 1 };
    const request = { length: 4, bottom: 10, top: 16, alignment: "page", hugeSize: 4 } as const;
    expect(placeTopDown(occupied, request)).toBe(12);
    expect(placeTopDown(occupied, { ...request, length: 7 })).toBe(NO_PLACE);
  });
});
