/**
 * The first file system of a boot: the runner as /init, a console to print on, and the scripts in their
 * order.
 */
import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { type CpioEntry, writeCpio } from "./cpio.ts";

/** The name of a script in the archive: its place among the boot's, so that the runner's order is ours. */
export const guestName = (index: number): string => String(index).padStart(5, "0");

/** `modules`: files of kernel modules that the runner loads first. */
export function makeInitramfs(
  runner: string,
  scripts: readonly string[],
  modules: readonly string[] = [],
): Uint8Array {
  const encoder = new TextEncoder();
  const entries: CpioEntry[] = [
    { kind: "folder", path: "dev" },
    { kind: "device", path: "dev/console", major: 5, minor: 1 },
    { kind: "file", path: "init", contents: readFileSync(runner), executable: true },
    { kind: "folder", path: "scripts" },
  ];
  if (modules.length > 0) entries.push({ kind: "folder", path: "modules" });
  for (const file of modules) {
    const contents = readFileSync(file);
    entries.push({ kind: "file", path: "modules/" + basename(file), contents, executable: false });
  }
  scripts.forEach((text, index) => {
    const path = "scripts/" + guestName(index);
    entries.push({ kind: "file", path, contents: encoder.encode(text), executable: false });
  });
  return writeCpio(entries);
}
