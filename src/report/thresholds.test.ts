import { expect, test } from "vitest";
import { simulate } from "../engine/simulation.ts";
import { parseScript } from "../workloads/script/parse.ts";
import { bar, thresholdLines, thresholdPoints } from "./thresholds.ts";

const SPARSE = `machine nodes=1 cpus=2 mem=1G
map a 32M align 2M
write a step 64K
snapshot s
`;

function column(name: string, settings: Record<string, string | number>) {
  const script = parseScript(SPARSE, "sparse.pw");
  const { result } = simulate(script, { generation: "linux-6.1+reservations", settings });
  return { name, result };
}

const COLUMNS = [
  column("never", { thp: "never" }),
  column("always", { thp: "always" }),
  column("16", { thp: "always", promotion_threshold: 16 }),
  column("64", { thp: "always", promotion_threshold: 64 }),
];

test("memory falls and the longest waits go as the threshold rises above what is touched", () => {
  const [never, always, low, high] = thresholdPoints(COLUMNS);
  expect([never, always, low, high].map((point) => point!.threshold)).toEqual([undefined, 1, 16, 64]);
  expect([low!.promotions, high!.promotions, high!.reservations]).toEqual([16, 0, 16]);
  expect(low!.peakBytes).toBe(always!.peakBytes);
  expect(high!.peakBytes).toBe(never!.peakBytes);
  expect(high!.p999Ns).toBeLessThan(always!.p50Ns);
});

test("the drawing has a line for each column, and a bar as long as its share", () => {
  expect(bar(1)).toBe("█".repeat(24));
  expect(bar(1 / 48)).toBe("▌".padEnd(24));
  const lines = thresholdLines(COLUMNS);
  expect(lines.length).toBe(5);
  expect(lines[3]).toMatch(/^16 {6}█{24} 32 MiB .* 16 of 16$/);
});

test("without two thresholds there is nothing to draw", () => {
  expect(thresholdLines(COLUMNS.slice(0, 3))).toEqual([]);
});
