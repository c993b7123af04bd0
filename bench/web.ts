/**
 * How long the page's frames take with a large run: `npm run bench:web`. Ten million events, 4,096 regions of
 * 512 pages; one interaction a frame, in headless Chromium.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { cpus, hostname, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Browser, Page } from "playwright-core";
import { build } from "vite";
import { viteSingleFile } from "vite-plugin-singlefile";
import { openBrowser } from "../test/web/browser.ts";

interface Frames {
  readonly name: string;
  readonly workMs: readonly number[];
  readonly frameMs: readonly number[];
}

const quantile = (values: readonly number[], q: number): number =>
  [...values].sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * q))]!;

const cell = (ms: number): string => ms.toFixed(1).padStart(8);

/** Main thread's time with a CPU so far: what a loaded machine does not stretch. */
async function mainThreadClock(page: Page): Promise<() => Promise<number>> {
  const devtools = await page.context().newCDPSession(page);
  await devtools.send("Performance.enable", { timeDomain: "threadTicks" });
  return async () => {
    const { metrics } = await devtools.send("Performance.getMetrics");
    return (metrics.find(({ name }) => name === "TaskDuration")?.value ?? 0) * 1000;
  };
}

interface TraceEvent {
  readonly name: string;
  readonly ph: string;
  readonly pid: number;
  readonly tid: number;
  /** CPU time in µs; only of what lasted. */
  readonly tdur?: number;
  readonly args: { readonly name?: string };
}

/**
 * What one task of the page's main thread took at most, in ms of a CPU: a frame cannot come while it runs.
 * Other programs on the machine do not stretch it.
 */
async function longestTask<T>(page: Page, act: () => Promise<T>): Promise<[T, longestMs: number]> {
  const categories = ["toplevel", "devtools.timeline", "disabled-by-default-devtools.timeline"];
  await page.context().browser()!.startTracing(page, { categories });
  const done = await act();
  const trace = await page.context().browser()!.stopTracing();
  const { traceEvents } = JSON.parse(trace.toString()) as { traceEvents: readonly TraceEvent[] };
  const threadOf = ({ pid, tid }: TraceEvent): string => `${pid} ${tid}`;
  const isMain = (e: TraceEvent): boolean => e.name === "thread_name" && e.args.name === "CrRendererMain";
  const mains = new Set(traceEvents.filter(isMain).map(threadOf));
  let longestUs = 0;
  for (const e of traceEvents) {
    if (e.ph === "X" && mains.has(threadOf(e))) longestUs = Math.max(longestUs, e.tdur ?? 0);
  }
  return [done, longestUs / 1000];
}

/** How large the report of the bundled trace is, and how long it takes to open. */
async function timeReport(browser: Browser, folder: string): Promise<void> {
  const root = join(import.meta.dirname, "..");
  const report = join(folder, "report.html");
  const compare = ["compare", join(root, "examples", "redis.pwt"), "--html", report];
  const main = [join(root, "tools", "run-ts.mjs"), join(root, "src", "cli", "main.ts")];
  const settings = ["--generation", "linux-6.18", "--settings", "thp=never; thp=madvise; thp=always"];
  const made = spawnSync(process.execPath, [...main, ...compare, ...settings], { cwd: root });
  if (made.status !== 0) throw new Error(String(made.stderr));
  const lines: string[] = [];
  for (let i = 0; i < 3; i++) {
    const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
    const clock = await mainThreadClock(page);
    await page.goto(pathToFileURL(report).href);
    await page.waitForSelector("html[data-ready]");
    const ms = (await page.evaluate("performance.getEntriesByName('rendered')[0].startTime")) as number;
    lines.push(`${ms.toFixed(0)} ms (${(await clock()).toFixed(0)} of them on a CPU)`);
    await page.close();
  }
  const megabytes = (statSync(report).size / 1e6).toFixed(2);
  console.log(`report of the bundled trace: ${megabytes} MB, open after ${lines.join(", ")}`);
}

const folder = mkdtempSync(join(tmpdir(), "pagewise-bench-"));
const browser = await openBrowser();
try {
  await build({
    root: join(import.meta.dirname, "web"),
    configFile: false,
    logLevel: "warn",
    plugins: [viteSingleFile()],
    worker: { format: "iife" },
    build: { outDir: folder, emptyOutDir: true, target: "es2023" },
  });
  const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
  page.on("pageerror", (error) => console.error(error));
  await page.goto(pathToFileURL(join(folder, "index.html")).href);
  await page.waitForFunction("window.measures !== undefined", undefined, { timeout: 120_000 });
  // A person looks at what has come; meanwhile the page makes ready what other views need.
  await page.waitForTimeout(3000);
  const mainThreadMs = await mainThreadClock(page);
  const all: Frames[] = [];
  const cpu: string[] = [];
  const longest: string[] = [];
  for (const view of ["views", "timeline", "map", "walk"]) {
    const before = await mainThreadMs();
    const measure = async () => (await page.evaluate(`window.measures.${view}()`)) as Frames[];
    const [frames, longestMs] = await longestTask(page, measure);
    const count = frames.reduce((sum, { frameMs }) => sum + frameMs.length, 0);
    cpu.push(`${view} ${(((await mainThreadMs()) - before) / count).toFixed(1)}`);
    longest.push(`${view} ${longestMs.toFixed(1)}`);
    all.push(...frames);
  }
  const { model } = cpus()[0]!;
  console.log(`${hostname()}: ${model.trim()}, ${cpus().length} CPUs, load ${loadavg()[0]!.toFixed(1)}; ms`);
  const heads = ["p50", "p95", "max"].map((head) => head.padStart(8)).join("");
  console.log(`${"".padEnd(34)}${"script of a frame".padStart(24)}${"from frame to frame".padStart(24)}`);
  console.log(`${"".padEnd(34)}${heads}${heads}   frames over 32 ms`);
  for (const { name, workMs, frameMs } of all) {
    const slow = frameMs.filter((ms) => ms > 32.5).length;
    const cells = [workMs, frameMs].flatMap((list) => [0.5, 0.95, 1].map((q) => cell(quantile(list, q))));
    console.log(`${name.padEnd(34)}${cells.join("")}   ${slow} of ${frameMs.length}`);
  }
  console.log(`main thread's CPU time, ms a frame on average: ${cpu.join(", ")}`);
  console.log(`its longest task, ms of a CPU: ${longest.join(", ")}`);
  await page.close();
  await timeReport(browser, folder);
} finally {
  await browser.close();
  rmSync(folder, { recursive: true, force: true });
}
