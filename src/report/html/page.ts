/**
 * The report: one self-contained HTML file (style, script, charts and data inside; nothing is loaded from
 * anywhere). The same results give the same bytes.
 */
import type { Column } from "../table.ts";
import { CLIENT } from "./client.ts";
import { type ReportColumn, type ReportData, type ReportOptions, reportData } from "./data.ts";
import type { Width } from "./frame.ts";
import { drawLatency, LATENCY_ID, tipsOfLatency } from "./latency.ts";
import { drawLines, type LineChart, type Tip, tipsOfLines } from "./lines.ts";
import { embeddedJson, escapeText, prose } from "./markup.ts";
import { drawStack, hasFiles, LAYERS, stackId, tipsOfStack } from "./stack.ts";
import { STYLE } from "./style.ts";
import { drawTable } from "./table.ts";

const WIDTHS: readonly Width[] = ["wide", "narrow"];

const styleOf = (index: number): string => `c${index % 8}`;

/** The touched memory of the column that ran longest: it is the same program in every column. */
function touchedLine(columns: readonly ReportColumn[]): LineChart["lines"][number] {
  const longest = columns.reduce((best, each) => (each.runNs > best.runNs ? each : best));
  const { tNs, touchedKb } = longest.series;
  return { name: "touched by the program", style: "reference", tNs, y: touchedKb.map((kb) => kb * 1024) };
}

function lineCharts(columns: readonly ReportColumn[]): LineChart[] {
  const lines = (y: (column: ReportColumn, i: number) => number): LineChart["lines"] =>
    columns.map((column, index) => ({
      name: column.name,
      style: styleOf(index),
      tNs: column.series.tNs,
      y: column.series.tNs.map((_, i) => y(column, i)),
    }));
  const memory: LineChart = {
    id: "memory",
    title: "Memory over time",
    caption: "Resident memory of all processes under each setting. Dotted: what the program itself touched.",
    kind: "bytes",
    lines: [touchedLine(columns), ...lines((c, i) => c.series.rssKb[i]! * 1024)],
  };
  const huge: LineChart = {
    id: "huge",
    title: "Huge pages over time",
    caption: "Huge pages made so far, at first touch and in the background together.",
    kind: "count",
    lines: lines((c, i) => c.series.hugeFaults[i]! + c.series.hugeCollapses[i]!),
  };
  const share: LineChart = {
    id: "share",
    title: "Share of memory under huge pages",
    caption: "How much of the program's own memory huge pages map at each moment.",
    kind: "share",
    lines: lines((c, i) => (c.series.anonKb[i]! === 0 ? 0 : c.series.anonHugeKb[i]! / c.series.anonKb[i]!)),
  };
  return [memory, huge, share];
}

function legendSample(style: string, shape: "line" | "area"): string {
  const isLine = shape === "line" || style === "touched" || style === "reference";
  return `<path class="${isLine ? "line" : "area"} ${style}" d="${isLine ? "M1 6H33" : "M9 0H25V12H9Z"}"/>`;
}

function legend(items: readonly (readonly [style: string, name: string])[], shape: "line" | "area"): string {
  const entries = items.map(([style, name]) => {
    const sample = legendSample(style, shape);
    return `<li><svg viewBox="0 0 34 12" aria-hidden="true">${sample}</svg>${escapeText(name)}</li>`;
  });
  return `<ul class="legend">${entries.join("")}</ul>`;
}

/** A part of the page; `long` ones may be broken over printed pages. */
function section(title: string, caption: string, content: string, long = false): string {
  const about = caption === "" ? "" : `<p class="caption">${escapeText(caption)}</p>`;
  return `<section${long ? ' class="long"' : ""}><h2>${escapeText(title)}</h2>${about}${content}</section>`;
}

function lineSection(chart: LineChart): string {
  const items = chart.lines.map((line) => [line.style, line.name] as const);
  const drawn = WIDTHS.map((width) => drawLines(chart, width)).join("");
  return section(chart.title, chart.caption, legend(items, "line") + drawn);
}

function stackSection(columns: readonly ReportColumn[]): string {
  const layers = LAYERS.filter((layer) => layer.style !== "l2" || hasFiles(columns));
  const touched = ["touched", "touched by the program"] as const;
  const items = [...layers.map((layer) => [layer.style, layer.name] as const), touched];
  const panels = columns.map((column, index) => {
    const drawn = WIDTHS.map((width) => drawStack(columns, index, width)).join("");
    return `<h3>${escapeText(column.name)}</h3>${drawn}`;
  });
  const caption =
    "Where huge and small pages reach above the dashed line, memory is resident that was never touched.";
  return section("What the memory was made of", caption, legend(items, "area") + panels.join("\n"), true);
}

function latencySection(columns: readonly ReportColumn[]): string {
  const caption =
    "How many faults took how long; both scales are logarithmic. " +
    "Dashed: 99 of 100 faults are faster than this (p99).";
  const drawn = WIDTHS.map((width) => drawLatency(columns, width)).join("");
  return section("How long page faults took", caption, drawn, true);
}

function settingsOf(column: ReportColumn): string {
  const code = (text: string): string => `<code>${escapeText(text)}</code>`;
  const changed = Object.entries(column.settings).map(([knob, value]) => code(`${knob} = ${value}`));
  const what = changed.length === 0 ? "every knob at its default" : changed.join(", ");
  return `<li><b>${escapeText(column.name)}</b>: kernel ${escapeText(column.generation)}, ${what}</li>`;
}

const list = (items: readonly string[]): string => `<ul class="notes">${items.join("")}</ul>`;

function notesSections(data: ReportData): string {
  const made = data.command === "" ? [] : [`<li>Made by: <code>${escapeText(data.command)}</code></li>`];
  const trust = data.trust.map((note) => `<li>${prose(note)}</li>`);
  const runs = [...data.columns.map(settingsOf), ...made];
  return section("How far to trust this", "", list(trust)) + section("What was run", "", list(runs));
}

function tipsOf(data: ReportData, charts: readonly LineChart[]): Record<string, Tip[]> {
  const tips: Record<string, Tip[]> = {};
  for (const chart of charts) tips[chart.id] = tipsOfLines(chart);
  data.columns.forEach((_, index) => {
    tips[stackId(index)] = tipsOfStack(data.columns, index);
  });
  tips[LATENCY_ID] = tipsOfLatency(data.columns);
  return tips;
}

function titleOf({ columns, workload }: ReportData): string {
  return columns.length === 1
    ? `What ${columns[0]!.name} does to ${workload}`
    : `What each setting does to ${workload}`;
}

function figuresSection(data: ReportData, names: readonly string[]): string {
  const point = "Point at a name to read what it means.";
  const caption =
    names.length > 1 ? `Differences are to the first column: ✓ better, ▲ worse. ${point}` : point;
  return section("The figures", caption, drawTable(data.table, names, "Comparison of all settings"), true);
}

function countersSection(data: ReportData, names: readonly string[]): string {
  if (data.counters.length === 0) return "";
  const table = drawTable([{ title: "", rows: data.counters }], names, "Counters of /proc/vmstat");
  const summary = "<summary>Every counter of the kernel, under its own name</summary>";
  return `<section class="long"><details>${summary}${table}</details></section>`;
}

function headSections(data: ReportData): string {
  const about = data.about.map((line) => `<p class="about">${prose(line)}</p>`).join("");
  const answer = data.answer.map((sentence) => `<p>${prose(sentence)}</p>`).join("");
  return (
    `<header><h1>${escapeText(titleOf(data))}</h1>${about}</header>` +
    `<section class="answer"><h2>The answer</h2>${answer}</section>`
  );
}

function bodyOf(data: ReportData, charts: readonly LineChart[]): string {
  const names = data.columns.map((column) => column.name);
  const [memory, ...later] = charts;
  const made = `Pagewise ${escapeText(data.version)}`;
  return [
    headSections(data),
    figuresSection(data, names),
    memory === undefined ? "" : lineSection(memory),
    stackSection(data.columns),
    latencySection(data.columns),
    ...later.map(lineSection),
    countersSection(data, names),
    notesSections(data),
    `<footer>${made}. This file is complete: it loads nothing and can be passed on.</footer>`,
  ].join("\n");
}

/** The HTML file. */
export function renderHtml(columns: readonly Column[], options: ReportOptions): string {
  const data = reportData(columns, options);
  const charts = lineCharts(data.columns);
  const embedded = embeddedJson({ ...data, tips: tipsOf(data, charts) });
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,">
<title>Pagewise: ${escapeText(data.workload)}</title>
<style>${STYLE}</style>
</head>
<body>
<main>
${bodyOf(data, charts)}
</main>
<div id="tip" role="status" aria-live="polite"></div>
<script type="application/json" id="pagewise-data">${embedded}</script>
<script>${CLIENT}</script>
</body>
</html>
`;
}
