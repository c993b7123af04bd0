import { expect, test } from "vitest";
import { distribution, sampleHuge, sampleResult } from "../../../test/samples/results.ts";
import { reportData } from "./data.ts";
import { tipsOfLatency } from "./latency.ts";
import { embeddedJson } from "./markup.ts";
import { renderHtml } from "./page.ts";
import { axisOf } from "./scale.ts";
import { sampleAt, thinned } from "./thin.ts";

const columns = [
  { name: "thp=never", result: sampleResult() },
  { name: "thp=always", result: sampleHuge() },
];
const page = renderHtml(columns, { version: "1.2.3", command: "npx pagewise compare a.pwt" });

/** The data that the page embeds. */
function embedded(html: string): Record<string, unknown> {
  const text = /<script type="application\/json" id="pagewise-data">(.*?)<\/script>/s.exec(html)![1]!;
  return JSON.parse(text);
}

/** The page without its script: what is drawn, and its data. */
const drawnPart = (html: string): string => html.slice(0, html.lastIndexOf("<script>"));

test("the page embeds its data: columns with series, table, counters, tooltips", () => {
  const data = embedded(page);
  const plain = JSON.parse(
    JSON.stringify(reportData(columns, { version: "1.2.3", command: "npx pagewise compare a.pwt" })),
  );
  expect({ ...data, tips: undefined }).toEqual({ ...plain, tips: undefined });
  expect(Object.keys(data.tips as object)).toEqual([
    "memory",
    "huge",
    "share",
    "stack-0",
    "stack-1",
    "latency",
  ]);
});

test("the page loads nothing: no address, no import, no source", () => {
  expect(page).not.toMatch(/https?:/);
  expect(page).not.toMatch(/\s(src|srcset)=|@import|url\(/);
  expect([...page.matchAll(/href="([^"]*)"/g)].map((match) => match[1])).toEqual(["data:,"]);
});

test("the same results give the same bytes", () => {
  const again = renderHtml(columns, { version: "1.2.3", command: "npx pagewise compare a.pwt" });
  expect(again).toBe(page);
});

test("names that look like markup stay text, in the page and in its data", () => {
  const name = '</script><b onclick="x">&';
  const html = renderHtml([{ name, result: sampleResult({ workload: "<i>w</i>" }) }], { version: "1" });
  expect(html).not.toContain("<b onclick");
  expect(html).not.toContain("<i>w</i>");
  const data = embedded(html) as { columns: { name: string }[] };
  expect(data.columns[0]!.name).toBe(name);
  expect(embeddedJson("<!--\u2028")).toBe('"\\u003c!--\\u2028"');
});

test(
  "every chart is drawn for wide and for narrow pages, with a name for readers that cannot see " + "it",
  () => {
    const charts = [
      ...page.matchAll(/<svg class="chart (\w+)"[^>]*aria-label="([^"]+)"[^>]*data-tips="([\w-]+)"/g),
    ];
    const drawn = charts.map((match) => `${match[3]} ${match[1]}`);
    for (const id of ["memory", "huge", "share", "stack-0", "stack-1", "latency"]) {
      expect(drawn.filter((each) => each === `${id} wide`)).toHaveLength(1);
      expect(drawn.filter((each) => each === `${id} narrow`)).toHaveLength(1);
    }
    expect(drawnPart(page)).not.toMatch(/NaN|undefined|Infinity/);
  },
);

test("a result without faults and with an empty series still makes a page", () => {
  const none = sampleResult({ faultsAll: distribution([]), faults: {}, vmstat: {}, runNs: 0 });
  const series = Object.fromEntries(
    Object.keys(none.series).map((key) => [key, []]),
  ) as unknown as typeof none.series;
  const html = renderHtml([{ name: "empty", result: { ...none, series } }], { version: "1" });
  expect(drawnPart(html)).not.toMatch(/NaN|undefined|Infinity/);
});

test("every fault stands in one bin of the latency chart", () => {
  const faultsAll = distribution([
    [0, 1],
    [1, 2],
    [9, 3],
    [10, 4],
    [999, 5],
    [1000, 6],
    [1995, 7],
    [176_000, 8],
  ]);
  const data = reportData([{ name: "a", result: sampleResult({ faultsAll }) }], { version: "1" });
  expect(data.columns[0]!.latency.reduce((sum, bin) => sum + bin.count, 0)).toBe(36);
  const told = tipsOfLatency(data.columns).flatMap((tip) => tip.lines.map(([, text]) => text));
  expect(told.filter((text) => !text.endsWith(" 0 faults"))).toHaveLength(data.columns[0]!.latency.length);
});

test("axes end on a round tick and speak one unit", () => {
  expect(axisOf("bytes", 55.9 * 2 ** 20, 5, true).ticks.map((tick) => tick.label)).toEqual([
    "0",
    "20 MiB",
    "40 MiB",
    "60 MiB",
  ]);
  expect(axisOf("ns", 14.6e9, 4, false).ticks.map((tick) => tick.label)).toEqual(["0", "5 s", "10 s"]);
  expect(axisOf("count", 2, 5, true).ticks.map((tick) => tick.label)).toEqual(["0", "1", "2"]);
  expect(axisOf("ns", 600e6, 3, false).ticks.map((tick) => tick.label)).toEqual([
    "0",
    "200 ms",
    "400 ms",
    "600 ms",
  ]);
});

test("thinning keeps the lowest and the highest sample of every strip", () => {
  const t = Array.from({ length: 1000 }, (_, i) => i);
  const y = t.map((i) => (i === 333 ? 99 : i === 334 ? -99 : i % 7));
  const kept = thinned(t, y, 1000, 20);
  expect(kept.length).toBeLessThanOrEqual(80);
  expect(kept).toEqual(expect.arrayContaining([0, 333, 334, 999]));
  expect(sampleAt(t, 333.5)).toBe(333);
  expect(sampleAt(t, -1)).toBe(0);
});
