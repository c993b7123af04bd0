/**
 * Runs scripts on the kernel of this very machine: root only, one node, with other programs' counters mixed
 * in.
 */
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { cpus, release } from "node:os";
import { join } from "node:path";
import type { Generation } from "../generations/generation.ts";
import { GENERATIONS } from "../generations/index.ts";
import { UserError } from "../lib/assert.ts";
import type { GuestResult, GuestScript } from "./guest.ts";
import { type GuestRun, readGuestOutput } from "./guest-output.ts";
import { guestName } from "./initramfs.ts";

const MARK = "@@host";

/** The generation of this machine's kernel, by its release. */
export function hostGeneration(): Generation {
  const version = /^\d+\.\d+/.exec(release())?.[0];
  const generation = GENERATIONS.find(({ name }) => name === `linux-${version}`);
  if (generation !== undefined) return generation;
  const known = GENERATIONS.map(({ name }) => name).join(", ");
  throw new UserError(
    `no generation stands for this kernel (${release()}): choose one of ${known} with --generation`,
  );
}

/** What counts of the machine that one sits at. */
export interface Host {
  readonly platform: string;
  readonly uid: number | undefined;
  readonly cpus: number;
}

const thisHost = (): Host => ({
  platform: process.platform,
  uid: process.getuid?.(),
  cpus: cpus().length,
});

/** Throws if this machine cannot run the scripts as they want it. */
export function demandHost(scripts: readonly GuestScript[], host: Host = thisHost()): void {
  if (host.platform !== "linux") throw new UserError("not run: --host needs Linux");
  if (host.uid !== 0)
    throw new UserError(
      "not run: --host writes kernel knobs, which needs root: use sudo, or a virtual machine",
    );
  for (const { script } of scripts) {
    const machine = script.machine;
    if (machine === undefined) continue;
    const place = { file: script.file };
    if (machine.nodes !== 1)
      throw new UserError("not run: --host has one node, the machine line says more", place);
    if (machine.cpus > host.cpus)
      throw new UserError("not run: this machine has fewer CPUs than its line says", place);
    if (machine.swapBytes !== undefined)
      throw new UserError("not run: --host has no swap of its own, the machine line wants some", place);
  }
}

/** Runs the scripts one after the other; knobs are put back behind each. */
export async function runOnHost(
  scripts: readonly GuestScript[],
  o: { readonly runner: string; readonly cache: string; readonly scriptLimitS: number },
): Promise<GuestResult> {
  mkdirSync(join(o.cache, "runs"), { recursive: true });
  const folder = mkdtempSync(join(o.cache, "runs", "host-"));
  const names = scripts.map(({ text }, index) => {
    writeFileSync(join(folder, guestName(index)), text);
    return guestName(index);
  });
  const startedMs = performance.now();
  const env = { mark: MARK, nodes: "1", limit: String(o.scriptLimitS), drop: "0" };
  const child = spawn(o.runner, names, { cwd: folder, env, stdio: ["ignore", "pipe", "inherit"] });
  let text = "";
  child.stdout.on("data", (piece: Buffer) => {
    text += piece.toString("utf8");
  });
  await new Promise((resolve) => child.on("close", resolve));
  writeFileSync(join(folder, "console.txt"), text);
  const output = readGuestOutput(text, MARK);
  const lost: GuestRun = { outcome: "failed", why: `the runner ended before it; see ${folder}`, lines: [] };
  const runs = scripts.map((_, index) => output.runs.get(guestName(index)) ?? lost);
  return { runs, kernel: output.kernel, boots: 0, folder, durationS: (performance.now() - startedMs) / 1000 };
}
