#!/usr/bin/env node
// Starts the command line: the built one (dist), or in a clone, where nothing is built or the build is older than the
// sources, the TypeScript itself, which Node runs by stripping types.
import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const built = join(root, "dist/cli/main.js");
const source = join(root, "src/cli/main.ts");

function newestMs(folder) {
  const entries = readdirSync(folder, { withFileTypes: true });
  return entries.reduce((newest, entry) => {
    const path = join(folder, entry.name);
    return Math.max(newest, entry.isDirectory() ? newestMs(path) : statSync(path).mtimeMs);
  }, 0);
}

function entry() {
  const stripsTypes = process.features.typescript !== undefined && process.features.typescript !== false;
  const isClone = existsSync(source);
  if (!existsSync(built)) return isClone && stripsTypes ? source : undefined;
  if (!isClone || !stripsTypes) return built;
  return statSync(built).mtimeMs >= newestMs(join(root, "src")) ? built : source;
}

const main = entry();
if (main === undefined) {
  console.error(
    `pagewise is not built, and Node ${process.versions.node} cannot run its TypeScript sources.\n` +
      "In a clone, run `npm ci`, then `npx pagewise …` (which uses the Node 24 that npm ci brings on Linux x64), or\n" +
      "`npm run build`, or use Node 22.18 or newer.",
  );
  process.exitCode = 1;
} else {
  await import(pathToFileURL(main).href);
}
