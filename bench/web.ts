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
  await page.waitForTimeout(1000);
  const mainThreadMs = await mainThreadClock(page);
  const all: Frames[] = [];
  const cpu: string[] = [];
  for (const view of ["timeline", "map", "walk"]) {
    const before = await mainThreadMs();
    const frames = (await page.evaluate(`window.measures.${view}()`)) as Frames[];
    const count = frames.reduce((sum, { frameMs }) => sum + frameMs.length, 0);
    cpu.push(`${view} ${(((await mainThreadMs()) - before) / count).toFixed(1)}`);
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
  await page.close();
  await timeReport(browser, folder);
} finally {
  await browser.close();
  rmSync(folder, { recursive: true, force: true });
}
