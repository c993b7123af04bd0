import { expect, test } from "vitest";
import { formatBytes } from "../../report/format.ts";
import type { ThresholdPoint } from "../../report/thresholds.ts";
import { LIGHT } from "../theme.ts";
import { svgSurface } from "./surface.ts";
import { paintThresholds } from "./thresholds.ts";

function point(name: string, threshold: number | undefined, peakMib: number): ThresholdPoint {
  const waits = { p50Ns: 1_000, p99Ns: 10_000, p999Ns: 100_000 };
  const made = threshold === undefined || threshold === 1 ? 0 : 8;
  return {
    name,
    threshold,
    peakBytes: peakMib * 2 ** 20,
    ...waits,
    promotions: made / 2,
    reservations: made,
  };
}

const POINTS = [
  point("thp=never", undefined, 60),
  point("512", 512, 70),
  point("first touch", 1, 120),
  point("64", 64, 90),
];

/** Where the middle of that text stands. */
function placeOf(svg: string, text: string): { readonly x: number; readonly y: number } {
  const found = new RegExp(`<text x="([\\d.]+)" y="([\\d.]+)"[^>]*>${text}</text>`).exec(svg);
  if (found === null) throw new Error(`the drawing has the text ${text}`);
  return { x: Number(found[1]), y: Number(found[2]) };
}

test("memory falls along the thresholds, in their order; huge pages off stand in front of them", () => {
  const s = svgSurface(900, 210, LIGHT.card);
  const curves = [{ name: "peak", of: ({ peakBytes }: ThresholdPoint) => peakBytes }];
  paintThresholds(s, { width: 900, height: 210 }, LIGHT, {
    points: POINTS,
    curves,
    kind: "bytes",
    format: formatBytes,
  });
  const svg = s.svg();
  const places = ["thp=never", "1", "64", "512"].map((text) => placeOf(svg, text).x);
  expect(places).toEqual(places.toSorted((a, b) => a - b));
  const heights = ["120 MiB", "90 MiB", "70 MiB", "60 MiB"].map((text) => placeOf(svg, text).y);
  expect(heights).toEqual(heights.toSorted((a, b) => a - b));
  expect(svg.match(/4 of 8/g)?.length).toBe(2);
  expect(svg).toContain('stroke-dasharray="1 4"');
});

test("waits stand on a logarithmic axis: a tenfold wait is one step further up, each time", () => {
  const s = svgSurface(900, 210, LIGHT.card);
  const curves = [
    { name: "p50", of: ({ p50Ns }: ThresholdPoint) => p50Ns },
    { name: "p99", of: ({ p99Ns }: ThresholdPoint) => p99Ns },
    { name: "p99.9", of: ({ p999Ns }: ThresholdPoint) => p999Ns },
  ];
  paintThresholds(s, { width: 900, height: 210 }, LIGHT, {
    points: POINTS,
    curves,
    kind: "ns",
    format: String,
  });
  const [p50, p99, p999] = ["p50", "p99", "p99.9"].map((name) => placeOf(s.svg(), name).y);
  expect(p50! - p99!).toBeCloseTo(p99! - p999!, 0);
});
