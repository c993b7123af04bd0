/**
 * What the commands know of the host: standard output and error, colours, files that appear whole or not at
 * all.
 */
import {
  accessSync,
  constants,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { styleText } from "node:util";
import { UserError } from "../lib/assert.ts";
import { didYouMean } from "../lib/suggest.ts";
import { type Painter, PLAIN } from "../report/text.ts";

const STDOUT = 1;
const STDERR = 2;
/** What messages call them. */
const STREAMS: Readonly<Record<number, string>> = { [STDOUT]: "standard output", [STDERR]: "standard error" };

/** A reader that has gone away wants no more; that is no mistake. */
class ReaderGone extends Error {
  override name = "ReaderGone";
}

/** Writes all of it, however slow the reader is: nothing is lost when the process ends right after. */
function writeAll(descriptor: number, text: string): void {
  const bytes = Buffer.from(text, "utf8");
  let at = 0;
  while (at < bytes.length) {
    try {
      at += writeSync(descriptor, bytes, at);
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code;
      // A pipe that is full and does not block: let the reader have a millisecond.
      if (code === "EAGAIN") Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
      else if (code === "EPIPE") throw new ReaderGone();
      else throw new UserError(`cannot be written: ${reasonOf(error)}`, { file: STREAMS[descriptor]! });
    }
  }
}

export const out = (text: string): void => writeAll(STDOUT, text);

/** Standard error; that nobody reads it, or that it takes no more, changes nothing. */
export function err(text: string): void {
  try {
    writeAll(STDERR, text);
  } catch (error) {
    if (!isReaderGone(error) && !(error instanceof UserError)) throw error;
  }
}

export const isReaderGone = (error: unknown): boolean => error instanceof ReaderGone;

/** Columns of the terminal; files and pipes get lines of a width that mails and editors show. */
export const widthChars = (): number => process.stdout.columns ?? 120;

const paint = (format: Parameters<typeof styleText>[0], text: string): string =>
  styleText(format, text, { stream: process.stdout });

/** Colours on a terminal only; NO_COLOR and FORCE_COLOR are respected by styleText. */
export function painterOf(): Painter {
  if (!process.stdout.isTTY) return PLAIN;
  return {
    better: (text) => paint("green", text),
    worse: (text) => paint("yellow", text),
    dim: (text) => paint("gray", text),
    bold: (text) => paint("bold", text),
  };
}

/** Shows how far a run is, on a terminal's last line; silent elsewhere. `done` clears it. */
export interface Progress {
  show(text: string): void;
  done(): void;
}

export function progressLine(): Progress {
  if (!process.stderr.isTTY) return { show: () => {}, done: () => {} };
  let shown = "";
  return {
    show(text) {
      const line = text.slice(0, (process.stderr.columns ?? 80) - 1);
      if (line === shown) return;
      err("\r\x1b[K" + line);
      shown = line;
    },
    done() {
      if (shown !== "") err("\r\x1b[K");
      shown = "";
    },
  };
}

/** Files being written, under their temporary names. */
const unfinished = new Set<string>();
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Leaves nothing half-written, then dies of the signal as if it had never been caught. */
function dieClean(signal: NodeJS.Signals): void {
  for (const path of unfinished) rmSync(path, { force: true });
  for (const each of SIGNALS) process.off(each, dieClean);
  process.kill(process.pid, signal);
}

/** A file that appears whole or not at all: write to `temporary`, then `keep` or `drop` it. */
export interface PendingFile {
  readonly temporary: string;
  keep(): void;
  drop(): void;
}

/**
 * Begins a file. Signals are caught only while one is being written: a simulation between them is one long
 * call, in which no handler could run, and must die at once. Who `handlesSignals` itself ends the file then.
 */
export function beginFile(path: string, handlesSignals = false): PendingFile {
  // A pipe or a device is written to as it is: renaming would replace it.
  if (isPipeOrDevice(path)) {
    return { temporary: path, keep: () => {}, drop: () => {} };
  }
  // Seen by people only where it is worth something when its writer was killed.
  const hidden = handlesSignals ? "" : ".";
  const temporary = join(dirname(path), `${hidden}${basename(path)}.${process.pid}.part`);
  if (!handlesSignals) {
    if (unfinished.size === 0) for (const signal of SIGNALS) process.on(signal, dieClean);
    unfinished.add(temporary);
  }
  const end = (): void => {
    unfinished.delete(temporary);
    if (unfinished.size === 0) for (const signal of SIGNALS) process.off(signal, dieClean);
  };
  return {
    temporary,
    keep() {
      renameSync(temporary, path);
      end();
    },
    drop() {
      rmSync(temporary, { force: true });
      end();
    },
  };
}

/** Writes a file so that no reader ever sees half of it. */
export function writeWhole(path: string, contents: string | Uint8Array): void {
  const file = beginFile(path);
  try {
    writeFileSync(file.temporary, contents);
    file.keep();
  } catch (error) {
    file.drop();
    throw new UserError(`cannot be written: ${reasonOf(error)}`, { file: path });
  }
}

const REASONS: Readonly<Record<string, string>> = {
  EACCES: "permission denied",
  EISDIR: "it is a directory",
  ENOENT: "no such directory",
  ENOSPC: "no space left on device",
  ENOTDIR: "a part of its path is no directory",
  EROFS: "the file system is read-only",
};

/** Why a file could not be written or read, for people. */
export function reasonOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return REASONS[code ?? ""] ?? message;
}

/** A pipe or a device takes what is written as it comes; nothing of it stays. */
export function isPipeOrDevice(path: string): boolean {
  try {
    const found = statSync(path, { throwIfNoEntry: false });
    return found !== undefined && !found.isFile() && !found.isDirectory();
  } catch (error) {
    throw new UserError(`cannot be written: ${reasonOf(error)}`, { file: path });
  }
}

/** Throws unless a file can be made there: better before a long run than behind it. `option` named it. */
export function demandWritable(path: string, option: string): void {
  demandPath(path, option);
  if (isPipeOrDevice(path)) return;
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() === true)
    throw new UserError("expected a file to write, found a directory", { file: path });
  demandFolderOf(path);
}

/** The same of a folder for files, which may be there already. */
export function demandWritableFolder(path: string, option: string): void {
  demandPath(path, option);
  const isThere = isPipeOrDevice(path) || statSync(path, { throwIfNoEntry: false }) !== undefined;
  if (isThere && !statSync(path).isDirectory())
    throw new UserError(`expected a folder for ${option}, found a file`, { file: path });
  demandFolderOf(isThere ? join(path, "events.parquet") : path);
}

function demandPath(path: string, option: string): void {
  if (path === "") throw new UserError("expected a path, found ''", { file: option });
}

function demandFolderOf(path: string): void {
  const folder = dirname(path);
  const found = statSync(folder, { throwIfNoEntry: false });
  if (found?.isDirectory() !== true) throw new UserError("its folder does not exist", { file: path });
  try {
    accessSync(folder, constants.W_OK | constants.X_OK);
  } catch (error) {
    throw new UserError(`cannot be written: ${reasonOf(error)} in its folder`, { file: path });
  }
}

/** The names beside a path, for suggestions. */
function neighbours(path: string): string[] {
  try {
    return readdirSync(dirname(path));
  } catch {
    return [];
  }
}

/** Throws unless the path is a file that is there. Pipes and devices count as files. */
export function demandFile(path: string): void {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined && path === "-")
    throw new UserError("expected a file: standard input is not read here", { file: path });
  if (found === undefined) {
    const meant = didYouMean(basename(path), neighbours(path));
    throw new UserError(`no such file${meant}`, { file: path });
  }
  if (found.isDirectory()) throw new UserError("expected a file, found a directory", { file: path });
}
