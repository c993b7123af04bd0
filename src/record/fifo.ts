/**
 * A named pipe that tools write their text into, however many processes they become: a tool finds it by its
 * path after every exec. The text ends when `close` has been called and the last writer is gone.
 *
 *     tool ──▶ pipe ──▶ cat ──▶ text        `close` lets go of the pipe: cat sees its end
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { closeSync, constants, mkdtempSync, openSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { UserError } from "../lib/assert.ts";
import type { Launched } from "./launcher.ts";
import { type Capture, makeComplaints } from "./source.ts";

export interface Fifo {
  readonly path: string;
  readonly text: AsyncIterable<Uint8Array>;
  /** No writer is to come. */
  close(): void;
  /** Ends reading, whoever still writes. */
  remove(): void;
}

/** A process that goes on in the background after the program has ended is waited for so long. */
const STRAGGLERS_MS = 2000;

export function makeFifo(): Fifo {
  const folder = mkdtempSync(join(tmpdir(), "pagewise-record-"));
  const path = join(folder, "text");
  const { status, stderr } = spawnSync("mkfifo", [path], { encoding: "utf8" });
  if (status !== 0) {
    rmSync(folder, { recursive: true, force: true });
    throw new UserError(`a pipe cannot be made: ${stderr?.trim() ?? "mkfifo is missing"}`, { file: path });
  }
  // Open for both, it does not wait for a writer, and cat sees no end before it is closed.
  let held: number | undefined = openSync(path, constants.O_RDWR);
  const cat: ChildProcess = spawn("cat", [path], { stdio: ["ignore", "pipe", "ignore"], detached: true });
  let timer: NodeJS.Timeout | undefined;
  const close = (): void => {
    if (held === undefined) return;
    closeSync(held);
    held = undefined;
    timer = setTimeout(() => cat.kill("SIGKILL"), STRAGGLERS_MS);
    cat.once("close", () => clearTimeout(timer));
  };
  return {
    path,
    text: cat.stdout!,
    close,
    remove() {
      close();
      clearTimeout(timer);
      cat.kill("SIGKILL");
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** The capture of a tool that runs the program itself and writes into the pipe. */
export function fifoCapture(fifo: Fifo, launched: Launched, text: AsyncIterable<Uint8Array>): Capture {
  return {
    text,
    launched,
    stop: () => fifo.close(),
    complaints: makeComplaints().lines,
    close: () => fifo.remove(),
  };
}
