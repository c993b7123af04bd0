/**
 * The built page, into which a report's data go. It comes with the package; a working copy builds it when it
 * is missing or older than its sources, which takes a few seconds.
 */
import { spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { UserError } from "../lib/assert.ts";

const ROOT = join(import.meta.dirname, "..", "..");
/** From dist/cli as from src/cli. */
const PAGE = join(ROOT, "dist", "web", "index.html");
const SOURCES = join(ROOT, "src");
const BUNDLER = join(ROOT, "node_modules", "vite", "bin", "vite.js");

/** When the newest file that the page is made of was changed. */
function newestMs(folder: string): number {
  let newest = 0;
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) newest = Math.max(newest, newestMs(path));
    else if (/\.(tsx?|css|html)$/.test(entry.name)) newest = Math.max(newest, statSync(path).mtimeMs);
  }
  return newest;
}

function isFresh(): boolean {
  if (!existsSync(PAGE)) return false;
  // A package holds no sources: what it came with is what there is.
  return !existsSync(join(SOURCES, "web")) || statSync(PAGE).mtimeMs >= newestMs(SOURCES);
}

/** Builds aside and moves into place: several commands may do so at once. */
function build(): void {
  if (!existsSync(BUNDLER)) throw new UserError("the page is not built: run 'npm run build' first");
  const folder = mkdtempSync(join(ROOT, "node_modules", ".pagewise-page-"));
  try {
    const options = ["build", "--outDir", folder, "--logLevel", "error"];
    const { status, stderr } = spawnSync(process.execPath, [BUNDLER, ...options], {
      cwd: ROOT,
      encoding: "utf8",
      stdio: ["ignore", "ignore", "pipe"],
    });
    if (status !== 0) throw new UserError(`the page could not be built:\n${stderr}`);
    mkdirSync(dirname(PAGE), { recursive: true });
    renameSync(join(folder, "index.html"), PAGE);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The page without data. Throws `UserError` when it is not built and cannot be. */
export function pageTemplate(): string {
  if (!isFresh()) build();
  return readFileSync(PAGE, "utf8");
}
