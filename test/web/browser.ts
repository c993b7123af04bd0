/** A real browser for tests of the page, and the page itself. */
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { pathToFileURL } from "node:url";
import { type Browser, type ConsoleMessage, chromium, type Page } from "playwright-core";

const NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/** Where Chromium is: PAGEWISE_CHROMIUM, or the first of its usual names on PATH. */
function findChromium(): string {
  const given = process.env.PAGEWISE_CHROMIUM;
  if (given !== undefined && existsSync(given)) return given;
  if (given !== undefined) throw new Error(`PAGEWISE_CHROMIUM names ${given}, which does not exist`);
  const folders = (process.env.PATH ?? "").split(delimiter);
  const found = folders.flatMap((folder) => NAMES.map((name) => join(folder, name))).find(existsSync);
  if (found !== undefined) return found;
  throw new Error(
    "the page's tests need Chromium: 'apt-get install chromium' (Debian), or name another one in " +
      "PAGEWISE_CHROMIUM",
  );
}

export async function openBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath: findChromium(), args: ["--no-sandbox"] });
}

export interface Opened {
  readonly page: Page;
  /** Errors of the page so far: its console's and those that nobody caught. */
  readonly errors: string[];
}

export interface OpenOptions {
  readonly scheme?: "light" | "dark";
  readonly hash?: string;
  readonly width?: number;
  readonly height?: number;
}

/** Opens a page from file://, and waits until it is ready. */
export async function openPage(browser: Browser, path: string, o: OpenOptions = {}): Promise<Opened> {
  const viewport = { width: o.width ?? 1280, height: o.height ?? 860 };
  const page = await browser.newPage({ viewport, colorScheme: o.scheme ?? "light" });
  page.setDefaultTimeout(60_000);
  const errors: string[] = [];
  page.on("console", (message: ConsoleMessage) => {
    if (message.type() === "error" || message.type() === "warning") errors.push(message.text());
  });
  page.on("pageerror", (error) => errors.push(String(error.stack ?? error)));
  page.on("request", (request) => {
    if (!/^(file|data|blob):/.test(request.url())) errors.push(`it asked for ${request.url()}`);
  });
  await page.goto(pathToFileURL(path).href + (o.hash ?? ""));
  await page.waitForSelector("html[data-ready]");
  return { page, errors };
}

/** Drops a file on the page, as a person would. */
export async function dropFile(page: Page, name: string, contents: Uint8Array): Promise<void> {
  const address = `data:application/octet-stream;base64,${Buffer.from(contents).toString("base64")}`;
  const transfer = await page.evaluateHandle(`(async () => {
    const bytes = await (await fetch(${JSON.stringify(address)})).arrayBuffer();
    const dropped = new DataTransfer();
    dropped.items.add(new File([bytes], ${JSON.stringify(name)}));
    return dropped;
  })()`);
  await page.dispatchEvent("body", "drop", { dataTransfer: transfer });
}
