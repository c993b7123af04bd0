/** The page in a real browser, from file://: report, static page, views, keys, bad files. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  closeSync,
  ftruncateSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { pageTemplate } from "../../src/cli/page-template.ts";
import { counterRows, readResults, tableOf } from "../../src/index.ts";
import { DARK, LIGHT, rgbOf } from "../../src/web/theme.ts";
import { dropFile, openBrowser, openPage } from "./browser.ts";

const ROOT = join(import.meta.dirname, "..", "..");
const TRACE = join(ROOT, "examples", "redis.pwt");
const folder = mkdtempSync(join(tmpdir(), "pagewise-web-"));
const report = join(folder, "report.html");
const plain = join(folder, "index.html");
const MAIN = [join(ROOT, "tools", "run-ts.mjs"), join(ROOT, "src", "cli", "main.ts")];
let browser: Browser;
/** What the command line printed for the same trace. */
let json = "";

beforeAll(async () => {
  // First: without a browser there is no need to wait for anything else.
  browser = await openBrowser();
  writeFileSync(plain, pageTemplate());
  const options = ["--generation", "linux-6.18", "--settings", "thp=never; thp=always"];
  const args = [...MAIN, "compare", TRACE, ...options, "--json", "--html", report];
  const ran = spawnSync(process.execPath, args, { encoding: "utf8", maxBuffer: 2 ** 26, cwd: folder });
  assert.equal(ran.status, 0, ran.stderr);
  json = ran.stdout;
}, 240_000);

afterAll(async () => {
  await browser?.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Every figure of the table, as the cells hold them: its key, the column's number, the value. */
function figuresOn(page: Page): Promise<string[]> {
  return page.$$eval("td[data-key]", (cells) =>
    cells.map((cell) => ["key", "column", "value"].map((of) => cell.getAttribute(`data-${of}`)).join(" ")),
  );
}

/** The same from the command line's JSON. */
function figuresOf(text: string): string[] {
  const columns = readResults(text, "out.json");
  const rows = [...tableOf(columns).flatMap((group) => group.rows), ...counterRows(columns)];
  return rows.flatMap((row) => row.cells.map(({ value }, i) => `${row.key} ${i} ${value ?? ""}`));
}

const CHECKS: readonly (readonly [key: string, view: string, seen: string])[] = [
  ["2", "timeline", "[data-chart=memory-1] canvas"],
  ["3", "map", "[data-chart=map] canvas"],
  ["4", "walk", "[role=option]"],
  ["5", "race", "section[aria-label=Race]"],
  ["1", "compare", "table.comparison"],
];

test("the report opens from file:// without console errors; each view is reached by its key", async () => {
  assert.ok(statSync(report).size < 3_000_000, `it has ${statSync(report).size} bytes`);
  const { page, errors } = await openPage(browser, report);
  for (const [key, view, seen] of CHECKS) {
    await page.keyboard.press(key);
    await page.waitForSelector(`main[data-view=${view}] ${seen}`);
  }
  await page.keyboard.press("Shift+?");
  await page.waitForSelector("dialog[open]");
  await page.keyboard.press("Escape");
  await page.waitForSelector("dialog:not([open])", { state: "attached" });
  assert.deepEqual(errors, []);
  await page.close();
});

/** Of a picture: how many colours it has, the most frequent one (red, green, blue), and its share. */
interface Seen {
  readonly colours: number;
  readonly most: string;
  readonly share: number;
}

async function lookAt(page: Page, blank: Page): Promise<Seen> {
  const png = (await page.screenshot()).toString("base64");
  return blank.evaluate(`(async () => {
    const bytes = await (await fetch("data:image/png;base64,${png}")).blob();
    const bitmap = await createImageBitmap(bytes);
    const context = new OffscreenCanvas(bitmap.width, bitmap.height).getContext("2d");
    context.drawImage(bitmap, 0, 0);
    const { data } = context.getImageData(0, 0, bitmap.width, bitmap.height);
    const counts = new Map();
    for (let i = 0; i < data.length; i += 4) {
      const colour = data[i] + "," + data[i + 1] + "," + data[i + 2];
      counts.set(colour, (counts.get(colour) ?? 0) + 1);
    }
    const [most, count] = [...counts].sort((a, b) => b[1] - a[1])[0];
    return { colours: counts.size, most, share: count / (data.length / 4) };
  })()`) as Promise<Seen>;
}

/** Different pixels of each chart's own canvas: one that nothing was drawn on has one. */
const COLOURS_OF_CHARTS = `[...document.querySelectorAll("main [data-chart] canvas")].map((canvas) => {
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  return new Set(new Uint32Array(data.buffer)).size;
})`;

test("every view is drawn in light and in dark, on the theme's own ground, with a picture", async () => {
  const { page: blank } = await openPage(browser, plain);
  const race = readFileSync(join(import.meta.dirname, "race.sample.json"));
  for (const scheme of ["light", "dark"] as const) {
    const { ground, card } = scheme === "light" ? LIGHT : DARK;
    const grounds = [ground, card].map((colour) => rgbOf(colour).join(","));
    const { page, errors } = await openPage(browser, report, { scheme, hash: "#view=compare&col=1" });
    for (const [key, view, seen] of CHECKS) {
      if (view === "race") await dropFile(page, "race.json", race);
      else await page.keyboard.press(key);
      await page.waitForSelector(`main[data-view=${view}] ${seen}`);
      if (view === "walk") {
        await page.focus(".events");
        await page.keyboard.press("ArrowDown");
        await page.waitForSelector("main [data-chart]");
        await page.locator(".events").blur();
      }
      // Charts are drawn in the frame behind the one in which they came.
      await page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))");
      const picture = await lookAt(page, blank);
      const told = `${view} in ${scheme}: ${JSON.stringify(picture)}`;
      assert.ok(grounds.includes(picture.most), told);
      assert.ok(picture.share < 0.97 && picture.colours > 50, told);
      const charts = await page.evaluate(COLOURS_OF_CHARTS);
      assert.ok(Array.isArray(charts) && charts.length > 0 && Math.min(...charts) > 3, `${told} ${charts}`);
    }
    assert.deepEqual(errors, []);
    await page.close();
  }
  await blank.close();
}, 120_000);

test("without scripts the report is the command line's text", () => {
  const text = /<noscript><pre>([\s\S]*?)<\/pre>/.exec(readFileSync(report, "utf8"))?.[1] ?? "";
  assert.match(text, /page faults\s+23,043\s+13,744/);
});

test("a fault is walked by keys alone, and the address brings another reader to the same step", async () => {
  const { page, errors } = await openPage(browser, report, { hash: "#view=walk&col=1" });
  await page.selectOption("select >> nth=1", "anon-huge");
  await page.focus(".events");
  await page.keyboard.press("ArrowDown");
  await page.waitForSelector("li.now");
  await page.locator(".events").blur();
  for (let i = 0; i < 3; i++) await page.keyboard.press("ArrowRight");
  const steps = await page.$$eval(".steps .what", (all) => all.map((each) => each.textContent));
  assert.ok(steps.includes("do_huge_pmd_anonymous_page()"), steps.join());
  assert.ok(steps.includes("take page_table"));
  const now = await page.textContent("li.now .what");
  await page.waitForFunction("location.hash.includes('step=3')");
  const hash = new URL(page.url()).hash;
  const again = await openPage(browser, report, { hash });
  assert.equal(await again.page.textContent("li.now .what"), now);
  assert.equal(await again.page.inputValue("select >> nth=0"), "1");
  assert.deepEqual([...errors, ...again.errors], []);
  await page.close();
  await again.page.close();
});

test("the map knows a region's area, pages and history; the wheel zooms it and a key selects", async () => {
  const { page, errors } = await openPage(browser, report, { hash: "#view=map&col=1" });
  const canvas = page.locator("[data-chart=map] canvas");
  const picture = () => page.evaluate("document.querySelector('[data-chart=map] canvas').toDataURL()");
  const whole = await picture();
  await canvas.hover();
  await page.mouse.wheel(0, -600);
  await expect.poll(picture, { timeout: 60_000 }).not.toBe(whole);
  await canvas.focus();
  await page.keyboard.press("n");
  const told = await page.textContent("aside.region");
  assert.match(told ?? "", /region 1 of \d+/);
  assert.match(told ?? "", /Areas|History/);
  await canvas.press("0");
  const named = new Set<string>();
  for (let i = 0; i < 90 && !named.has("[heap]"); i++) {
    await canvas.press("n");
    for (const name of await page.$$eval("aside.region li b", (all) => all.map((each) => each.textContent)))
      named.add((name ?? "").trim());
  }
  assert.ok(named.has("[heap]"), [...named].join());
  assert.deepEqual(errors, []);
  await page.close();
});

test("a chart is saved as SVG that a parser accepts", async () => {
  const { page } = await openPage(browser, report, { hash: "#view=timeline" });
  const button = page.locator("[data-chart=memory-1] .save");
  const [download] = await Promise.all([page.waitForEvent("download"), button.click({ force: true })]);
  const text = readFileSync(await download.path(), "utf8");
  const kind = await page.evaluate(`(() => {
    const parsed = new DOMParser().parseFromString(${JSON.stringify(text)}, "image/svg+xml");
    return parsed.documentElement.tagName + " " + (parsed.querySelectorAll("path").length > 3);
  })()`);
  assert.equal(kind, "svg true");
  await page.close();
});

test("a trace dropped on the static page runs there; its figures are the command line's", async () => {
  const { page, errors } = await openPage(browser, plain);
  await page.fill(".plan input[type=text]", "thp=never; thp=always");
  await dropFile(page, "redis.pwt", readFileSync(TRACE));
  await page.waitForSelector("table.comparison", { timeout: 90_000 });
  await page.locator("thead input[type=checkbox]").nth(1).check();
  assert.deepEqual(await figuresOn(page), figuresOf(json));
  assert.deepEqual(errors, []);
  await page.close();
}, 120_000);

test("results and counterexamples are shown when they are dropped", async () => {
  const { page, errors } = await openPage(browser, plain);
  await dropFile(page, "out.json", Buffer.from(json));
  await page.waitForSelector("table.comparison");
  await page.locator("thead input[type=checkbox]").nth(1).check();
  assert.deepEqual(await figuresOn(page), figuresOf(json));
  await dropFile(page, "race.json", readFileSync(join(import.meta.dirname, "race.sample.json")));
  await page.waitForSelector("main[data-view=race] [data-chart=race]");
  assert.match((await page.textContent("aside")) ?? "", /frame 33 holds 7, it held 5/);
  await page.focus("[data-chart=race] canvas");
  await page.keyboard.press("Home");
  for (const key of ["ArrowDown", "j", "ArrowRight", "k"]) await page.keyboard.press(key);
  assert.match((await page.textContent("aside")) ?? "", /Step 3: scanner, CPU 0.*PMD 0: HINT set/);
  assert.deepEqual(errors, []);
  await page.close();
});

test("the race of January 2013, as check finds it: verdict, steps, and the machine after each", async () => {
  const svg = join(folder, "race.svg");
  const race = ["check", "pin-then-migrate", "--form", "F0", "--json", "--svg", svg];
  const found = spawnSync(process.execPath, [...MAIN, ...race], { encoding: "utf8", cwd: folder });
  assert.equal(found.status, 0, found.stderr);
  const { page, errors } = await openPage(browser, plain);
  await dropFile(page, "f0.json", Buffer.from(found.stdout));
  await page.waitForSelector("main[data-view=race] [data-chart=race]");
  assert.equal(await page.textContent("h1"), "pin-then-migrate, F0");
  assert.match((await page.textContent(".verdict")) ?? "", /a write is lost: page 1 of mm 0/);
  const machine = async () => (await page.textContent("aside")) ?? "";
  assert.match(await machine(), /Step 26: direct I\/O, CPU 0.*no lock is held/);
  await page.focus("[data-chart=race] canvas");
  for (let i = 0; i < 14; i++) await page.keyboard.press("ArrowUp");
  assert.match(await machine(), /Step 12: scan, then hint fault.*page lock 0/);
  assert.match(await machine(), /Locks held.*mmap_lock of mm 0 \(read\)scan, then hint fault/);
  const told = (await page.textContent("section[aria-label=Race] > .note")) ?? "";
  assert.match(told, /pagewise check pin-then-migrate --form 'F0' --schedule 0\.1\*23\.0\*2/);
  const drawing = JSON.stringify(readFileSync(svg, "utf8"));
  const drawn = await page.evaluate(`(() => {
    const parsed = new DOMParser().parseFromString(${drawing}, "image/svg+xml");
    return parsed.documentElement.tagName + " " + parsed.documentElement.textContent;
  })()`);
  assert.match(String(drawn), /^svg .*a write is lost/s);
  assert.deepEqual(errors, []);
  await page.close();
}, 120_000);

test("a run can be cancelled, and another one started after it", async () => {
  const { page } = await openPage(browser, plain);
  await dropFile(page, "redis.pwt", readFileSync(TRACE));
  await page.locator(".running button").click();
  await page.waitForSelector(".running", { state: "detached" });
  assert.equal(await page.locator("table.comparison").count(), 0);
  await dropFile(page, "small.pw", Buffer.from("map a 4M align 2M\nwrite a\n"));
  await page.waitForSelector("table.comparison", { timeout: 60_000 });
  await page.close();
}, 120_000);

test("files that are no use get a sentence that says why, and the page goes on", async () => {
  const { page, errors } = await openPage(browser, plain);
  const trace = readFileSync(TRACE);
  const future = Uint8Array.from(trace);
  future[3] = 9;
  const bad: readonly (readonly [name: string, contents: Uint8Array, message: RegExp])[] = [
    ["cat.png", Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10, 0, 0), /cat\.png: /],
    ["cut.pwt", trace.subarray(0, trace.length >> 1), /cut\.pwt: .*(cut|end)/i],
    ["future.pwt", future, /future\.pwt: .*version 9/],
    ["empty.pwt", new Uint8Array(0), /empty\.pwt: it is empty \(0 bytes\)/],
    ["cut.json", Buffer.from(json.slice(0, 2000)), /cut\.json: no JSON, or cut off/],
    ["future.json", Buffer.from(json.replace('"version":1', '"version":8')), /version is 8/],
    ["other.html", Buffer.from("<!doctype html><p>hello"), /none with results of Pagewise/],
    ["typo.pw", Buffer.from("map a 4M\nwrit a\n"), /typo\.pw:2/],
  ];
  for (const [name, contents, message] of bad) {
    await dropFile(page, name, contents);
    const alert = page.locator(".failure p", { hasText: name.split(".")[0]! });
    await alert.waitFor({ timeout: 60_000 });
    assert.match((await alert.textContent()) ?? "", message);
    await page.locator(".failure button").click();
  }
  const huge = join(folder, "huge.pwt");
  const descriptor = openSync(huge, "w");
  ftruncateSync(descriptor, 2 ** 31);
  closeSync(descriptor);
  await page.setInputFiles("input[type=file]", huge);
  const said = await page.locator(".failure p").textContent();
  assert.match(said ?? "", /huge\.pwt: it has 2\.0 GiB, and a page can open at most 1 GiB/);
  assert.deepEqual(errors, []);
  assert.equal(await page.locator(".drop").isVisible(), true);
  await page.close();
}, 120_000);
