/** Compiles the guest's runner with the system's compiler; once for each version of its source. */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, renameSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "../lib/assert.ts";
import { guestFolder } from "./folders.ts";

const FLAGS = ["-static", "-O2", "-Wall", "-Wextra"];
export const COMPILER_ADVICE = "a C compiler that links statically is missing: apt-get install gcc libc6-dev";

export function hasCompiler(): boolean {
  return spawnSync("cc", ["--version"], { stdio: "ignore" }).status === 0;
}

/** The path of the compiled runner; compiles if this version of the source was not yet. */
export function buildRunner(cache: string): string {
  const folder = guestFolder();
  const names = readdirSync(folder).sort();
  const hash = createHash("sha256").update(FLAGS.join(" "));
  for (const name of names) hash.update(name + "\0").update(readFileSync(join(folder, name)));
  const runner = join(cache, `runner-${hash.digest("hex").slice(0, 16)}`);
  if (existsSync(runner)) return runner;
  if (!hasCompiler()) throw new UserError(COMPILER_ADVICE);
  const sources = names.filter((name) => name.endsWith(".c")).map((name) => join(folder, name));
  const unfinished = `${runner}.${process.pid}.part`;
  const { status, stderr } = spawnSync("cc", [...FLAGS, "-o", unfinished, ...sources, "-lpthread"], {
    encoding: "utf8",
  });
  if (status !== 0)
    throw new UserError(`cc cannot compile the runner: ${stderr.trim().split("\n").slice(-3).join(" | ")}`);
  renameSync(unfinished, runner);
  return runner;
}
