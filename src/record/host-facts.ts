/** What a recording says of the machine and kernel that it was made on, and what these allow. */
import { spawnSync } from "node:child_process";
import { accessSync, constants, readFileSync } from "node:fs";
import { cpus, release, totalmem } from "node:os";
import { formatFigure } from "../report/format.ts";
import { onPath } from "./launcher.ts";

export const THP_FOLDER = "/sys/kernel/mm/transparent_hugepage";

/** A file of /proc or /sys, trimmed; undefined when it cannot be read. */
export function readHost(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8").trim();
  } catch {
    return undefined;
  }
}

/** The chosen word of a file such as `always [madvise] never`. */
export function chosenWord(text: string | undefined): string | undefined {
  return /\[([^\]]+)\]/.exec(text ?? "")?.[1];
}

/** The mode of transparent huge pages: never, madvise or always; undefined where the kernel has none. */
export function thpMode(): string | undefined {
  return chosenWord(readHost(`${THP_FOLDER}/enabled`));
}

/** Processor, CPUs and memory in one line. */
export function machineLine(): string {
  const all = cpus();
  const model = all[0]?.model.trim().replace(/\s+/g, " ") ?? "unknown processor";
  return `${model}, ${all.length} CPUs, ${formatFigure("bytes", totalmem())}`;
}

export const kernelRelease = (): string => `Linux ${release()}`;

export const isRoot = (): boolean => process.getuid?.() === 0;

export function isReadable(path: string): boolean {
  try {
    accessSync(path, constants.R_OK);
    return true;
  } catch {
    return false;
  }
}

/** First line of what a tool says of its version; undefined when the tool is not there or does not run. */
export function toolVersion(tool: string): string | undefined {
  if (onPath(tool) === undefined) return undefined;
  const { status, stdout } = spawnSync(tool, ["--version"], { encoding: "utf8" });
  return status === 0 ? stdout.split("\n")[0]!.trim() : undefined;
}
