/**
 * Where validation keeps what it makes: kernels, compiled runners, raw consoles; and where the guest's source
 * is.
 */
import { existsSync, mkdirSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { UserError } from "../lib/assert.ts";

/**
 * Makes a folder and those above it. Node's own way goes round for ever where none can be made, as in /proc.
 */
function makeFolder(folder: string): void {
  if (existsSync(folder)) return;
  const above = dirname(folder);
  if (above !== folder) makeFolder(above);
  try {
    mkdirSync(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
}

/** The cache folder: the one asked for, else as the XDG base directories have it. */
export function cacheFolder(asked: string | undefined): string {
  const base = process.env.XDG_CACHE_HOME;
  const usual = base?.startsWith("/") ? base : join(homedir(), ".cache");
  const folder = asked ?? join(usual, "pagewise");
  try {
    makeFolder(resolve(folder));
  } catch (error) {
    throw new UserError(`the cache folder cannot be made: ${(error as Error).message}`, { file: folder });
  }
  return folder;
}

/** The runner's C files: beside this file in the sources, and in the package that ships them. */
export function guestFolder(): string {
  const beside = [
    join(import.meta.dirname, "guest"),
    join(import.meta.dirname, "..", "..", "src", "validate", "guest"),
  ];
  const found = beside.find((folder) => existsSync(join(folder, "runner.c")));
  if (found === undefined) throw new UserError("the package lacks the runner's C files (src/validate/guest)");
  return found;
}
