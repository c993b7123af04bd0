/** Compiles bench/tlb.c with the system's compiler and runs it; undefined where there is none. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { StreamName } from "./streams.ts";

export interface LoopResult {
  readonly l1: number;
  readonly l2: number;
  readonly walks: number;
  readonly walkReferences: number;
  readonly perSecond: number;
}

export interface CLoop {
  run(name: StreamName, huge: boolean, references: number, rounds: number): LoopResult;
  /** Removes what was compiled. */
  remove(): void;
}

export function compileCLoop(): CLoop | undefined {
  const folder = mkdtempSync(join(tmpdir(), "pagewise-bench-"));
  const program = join(folder, "tlb");
  try {
    // Beside package.json, whichever folder this program was built into.
    const source = fileURLToPath(new URL("bench/tlb.c", import.meta.resolve("pagewise/package.json")));
    execFileSync("cc", ["-O2", "-o", program, source, "-lm"], { stdio: "pipe" });
  } catch {
    rmSync(folder, { recursive: true });
    return undefined;
  }
  return {
    run(name, huge, references, rounds) {
      const words = [name, huge ? "huge" : "4k", String(references), String(rounds)];
      return JSON.parse(execFileSync(program, words, { encoding: "utf8" })) as LoopResult;
    },
    remove: () => rmSync(folder, { recursive: true }),
  };
}
