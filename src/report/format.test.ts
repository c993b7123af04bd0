import assert from "node:assert/strict";
import { test } from "vitest";
import { formatBytes, formatCount, formatFigure, formatRelative, formatTime } from "./format.ts";

test("figures for people have three digits and a unit", () => {
  const table: [string, string][] = [
    [formatBytes(0), "0 B"],
    [formatBytes(1023), "1023 B"],
    [formatBytes(57_320 * 1024), "56 MiB"],
    [formatBytes(1536 * 2 ** 20), "1.5 GiB"],
    [formatTime(0), "0 s"],
    [formatTime(630), "630 ns"],
    [formatTime(1_480), "1.48 µs"],
    [formatTime(176_400), "176 µs"],
    [formatTime(999_999), "1 ms"],
    [formatTime(14_610_000_000), "14.61 s"],
    [formatCount(1, "fault"), "1 fault"],
    [formatCount(23_075, "fault"), "23,075 faults"],
    [formatFigure("count", 23_075), "23,075"],
    [formatFigure("count", 1_234_567), "1,234,567"],
    [formatFigure("count", -1_000), "-1,000"],
    [formatFigure("share", 0.927), "92.7%"],
    [formatFigure("per-thousand", 0.0031), "3.1"],
    [formatFigure("ns", undefined), "–"],
  ];
  for (const [found, wanted] of table) assert.equal(found, wanted);
});

test("figures for programs are plain numbers in the base unit", () => {
  assert.equal(formatFigure("bytes", 4096, "raw"), "4096");
  assert.equal(formatFigure("share", 0.25, "raw"), "0.25");
  assert.equal(formatFigure("ns", undefined, "raw"), "");
});

test("a difference is a percentage, from twice as much on a factor; equal figures tell none", () => {
  const table: [number | undefined, string][] = [
    [undefined, ""],
    [0, ""],
    [-0.273, "-27%"],
    [0.07, "+7%"],
    [-0.028, "-2.8%"],
    [0.0001, "~0%"],
    [0.995, "+100%"],
    [-1, "-100%"],
    [-0.99999, "-99.9%"],
    [1.87, "×2.9"],
    [83, "×84"],
    [1233, "×1,234"],
  ];
  for (const [relative, wanted] of table) assert.equal(formatRelative(relative), wanted);
});
