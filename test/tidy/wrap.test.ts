import { expect, test } from "vitest";
import { wrapComments } from "../../tools/wrap-comments.ts";

const words = (count: number) => Array.from({ length: count }, () => "word").join(" ");

test("words that do not fit go to the next line of their paragraph, through to its end", () => {
  const { lines, wide } = wrapComments([
    "/**",
    ` * ${words(23)}`,
    ` * ${words(21)} end.`,
    " *",
    " * Next.",
    " */",
  ]);
  expect(wide).toEqual([]);
  expect(lines).toEqual([
    "/**",
    ` * ${words(21)}`,
    ` * ${words(21)}`,
    ` * ${words(2)} end.`,
    " *",
    " * Next.",
    " */",
  ]);
});

test("the rest of a labelled paragraph hangs under its first word, and a label begins a line", () => {
  const { lines } = wrapComments([` * Models:       ${words(21)}`, " * Not modelled: nothing."]);
  expect(lines).toEqual([
    ` * Models:       ${words(18)}`,
    ` *               ${words(3)}`,
    " * Not modelled: nothing.",
  ]);
});

test("a one-line block comment opens up; a colon in prose is no label", () => {
  const { lines } = wrapComments([`  /** Prose is: ${words(22)} */`]);
  expect(lines).toEqual(["  /**", `   * Prose is: ${words(19)}`, `   * ${words(3)}`, "   */"]);
});

test("pictures, code and comments behind code are left alone and reported by line", () => {
  const wideLines = [` *   a ─▶ b   ${words(25)}`, `const x = 1; // ${words(25)}`, "short"];
  expect(wrapComments(wideLines)).toEqual({ lines: wideLines, wide: [1, 2] });
});
