/**
 * Pictures of every view, light and dark, from the real report of the bundled trace:
 *
 *     npm run screenshots              ten pictures into .cache/screenshots
 *     npm run screenshots -- --docs    and the three of the README into docs/images
 */
import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { dropFile, openBrowser, openPage } from "../test/web/browser.ts";

const ROOT = join(import.meta.dirname, "..");
const MAIN = [join(ROOT, "tools", "run-ts.mjs"), join(ROOT, "src", "cli", "main.ts")];
const FOLDER = join(ROOT, ".cache", "screenshots");
const IN_README = ["compare-light", "map-dark", "walk-light"];
const SETTINGS = "thp=never; thp=madvise; thp=always";

/** Brings a view to a place where there is something to see. */
const SCENES: Readonly<
  Record<string, { readonly hash: string; readonly act?: (page: Page) => Promise<void> }>
> = {
  compare: { hash: "#view=compare" },
  timeline: { hash: "#view=timeline&col=2&t=900000000&range=0-2500000000" },
  map: { hash: "#view=map&col=2&t=1200000000&region=33" },
  walk: {
    hash: "#view=walk&col=2",
    async act(page) {
      await page.selectOption("select >> nth=1", "anon-huge");
      await page.locator(".events").focus();
      for (let i = 0; i < 4; i++) await page.keyboard.press("ArrowDown");
      await page.locator(".steps").focus();
      for (let i = 0; i < 6; i++) await page.keyboard.press("ArrowDown");
    },
  },
  race: {
    hash: "",
    async act(page) {
      const race = ["check", "pin-then-migrate", "--form", "F0", "--json"];
      const found = spawnSync(process.execPath, [...MAIN, ...race], { encoding: "utf8" });
      await dropFile(page, "race.json", Buffer.from(found.stdout));
      await page.waitForSelector("[data-chart=race]");
    },
  },
};

mkdirSync(FOLDER, { recursive: true });
const report = join(FOLDER, "report.html");
const made = spawnSync(
  process.execPath,
  [
    ...[...MAIN, "compare"],
    ...["examples/redis.pwt", "--generation", "linux-6.18", "--settings", SETTINGS, "--html", report],
  ],
  { cwd: ROOT, stdio: ["ignore", "ignore", "inherit"] },
);
if (made.status !== 0) throw new Error("the report could not be made");
const browser = await openBrowser();
for (const scheme of ["light", "dark"] as const) {
  for (const [name, { hash, act }] of Object.entries(SCENES)) {
    const { page, errors } = await openPage(browser, report, { scheme, hash, width: 1240, height: 800 });
    await act?.(page);
    await page.mouse.move(5, 5);
    await page.waitForTimeout(250);
    const path = join(FOLDER, `${name}-${scheme}.png`);
    await page.screenshot({ path });
    if (errors.length > 0) throw new Error(`${name}: ${errors.join("\n")}`);
    console.log(path);
    await page.close();
  }
}
await browser.close();
if (process.argv.includes("--docs")) {
  mkdirSync(join(ROOT, "docs", "images"), { recursive: true });
  for (const name of IN_README) {
    copyFileSync(join(FOLDER, `${name}.png`), join(ROOT, "docs", "images", `${name}.png`));
  }
}
