/**
 * Runs scripts on a real kernel in virtual machines: one boot for all scripts of one machine, another one for
 * what a hang or a panic left undone.
 *
 *     scripts by machine ──▶ boot ──▶ all ran?  yes ──▶ next machine
 *                             ▲          no: the one that had begun is lost, the rest …
 *                             └──────────────────────────────────────────┘
 */
import { mkdirSync, mkdtempSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "../lib/assert.ts";
import type { Script, ScriptMachine, Statement } from "../workloads/script/ast.ts";
import { printMachine } from "../workloads/script/print.ts";
import { type GuestKernel, type GuestRun, readGuestOutput } from "./guest-output.ts";
import { guestName, makeInitramfs } from "./initramfs.ts";
import { DEFAULT_MACHINE } from "./model.ts";
import { type Accelerator, type BootEnd, bootGuest } from "./qemu.ts";

/** A script with the text that the guest gets. */
export interface GuestScript {
  readonly script: Script;
  readonly text: string;
}

export interface GuestOptions {
  readonly vmlinuz: string;
  /** Modules that this kernel needs for a disk. */
  readonly modules: readonly string[];
  readonly runner: string;
  readonly accelerator: Accelerator;
  /** Raw consoles are kept in a folder below this one. */
  readonly cache: string;
  /** Scripts a boot at most. */
  readonly batch: number;
  /** Caches are dropped between scripts. */
  readonly dropCaches: boolean;
  /** Least time limit of one script in the guest; those that sleep get more. */
  readonly scriptLimitS: number;
  readonly onBoot: (told: string) => void;
}

export interface GuestResult {
  /** In the order of the scripts. */
  readonly runs: readonly GuestRun[];
  readonly kernel: GuestKernel | undefined;
  readonly boots: number;
  readonly folder: string;
  readonly durationS: number;
}

const HUGE_BYTES = 2 ** 21;
/** A hang shows in that many seconds behind the longest script's limit. */
const SILENCE_S = 60;
const LAST_LINES = 8;

/** How long a script waits, in seconds, if every statement of it runs once. */
function waitsS(body: readonly Statement[]): number {
  const own = (each: Statement): number => {
    if (each.op === "sleep") return each.ns / 1e9;
    if (each.op === "during") return each.ns / 1e9 + waitsS(each.body);
    if (each.op === "repeat") return each.times * waitsS(each.body);
    return "body" in each ? waitsS(each.body) : 0;
  };
  return body.reduce((sum, each) => sum + own(each), 0);
}

function lastLines(messages: readonly string[]): string {
  const lines = messages.map((line) => line.trim()).filter((line) => line !== "");
  return lines.slice(-LAST_LINES).join("\n    ");
}

/** Why nothing, or no more, came from this boot. */
function whyLost(end: BootEnd, messages: readonly string[]): string {
  if (end.how === "refused" && end.complaint !== "") return `QEMU refused: ${end.complaint.split("\n")[0]}`;
  const how = end.how === "silent" ? "the guest hung" : "the guest left early (a panic?)";
  return `${how}; console ${end.consoleFile}, its last lines:\n    ${lastLines(messages)}`;
}

interface Work {
  readonly options: GuestOptions;
  readonly folder: string;
  readonly runs: (GuestRun | undefined)[];
  kernel: GuestKernel | undefined;
  boots: number;
  /** The last boot came to nothing. */
  bootedAgain: boolean;
}

/** Boots once with these scripts. Answers with those that did not get their turn. */
async function bootWith(
  work: Work,
  machine: ScriptMachine,
  scripts: readonly GuestScript[],
  order: readonly number[],
) {
  const { options, folder } = work;
  const name = `boot-${String(++work.boots).padStart(3, "0")}`;
  // An echo of the kernel's command line has the word too, but none of the runner's words behind it.
  const mark = `@@${name}`;
  const longestS = Math.max(...order.map((index) => waitsS(scripts[index]!.script.body)));
  const scriptLimitS = Math.ceil(options.scriptLimitS + 3 * longestS);
  const texts = order.map((index) => scripts[index]!.text);
  options.onBoot(`${name}: ${order.length} scripts on ${printMachine(machine)}`);
  const end = await bootGuest({
    vmlinuz: options.vmlinuz,
    initramfs: makeInitramfs(options.runner, texts, machine.swapBytes === undefined ? [] : options.modules),
    machine,
    accelerator: options.accelerator,
    mark,
    scriptLimitS,
    silenceLimitS: scriptLimitS + SILENCE_S,
    dropCaches: options.dropCaches,
    folder,
    name,
  });
  const output = readGuestOutput(end.console, mark);
  work.kernel ??= output.kernel;
  if (output.kernel !== undefined) work.bootedAgain = false;
  const left: number[] = [];
  order.forEach((index, place) => {
    const run = output.runs.get(guestName(place));
    if (run !== undefined) work.runs[index] = run;
    else if (output.unfinished === guestName(place)) {
      work.runs[index] = { outcome: "failed", why: whyLost(end, output.messages), lines: [] };
    } else left.push(index);
  });
  if (output.refused !== undefined) {
    for (const index of left) work.runs[index] = { outcome: "failed", why: output.refused, lines: [] };
    return [];
  }
  if (left.length === order.length) {
    // On a busy host an emulated machine may fall over before it comes to anything; twice, it is no accident.
    if (output.kernel === undefined && end.how !== "refused" && !work.bootedAgain) {
      work.bootedAgain = true;
      return left;
    }
    const why = whyLost(end, output.messages);
    for (const index of left) work.runs[index] = { outcome: "failed", why, lines: [] };
    return [];
  }
  return left;
}

/** Scripts by machine, in order of appearance, at most `batch` at a time. */
function batches(
  scripts: readonly GuestScript[],
  batch: number,
): { machine: ScriptMachine; order: number[] }[] {
  const open = new Map<string, { machine: ScriptMachine; order: number[] }>();
  const all: { machine: ScriptMachine; order: number[] }[] = [];
  scripts.forEach(({ script }, index) => {
    const machine = script.machine ?? DEFAULT_MACHINE;
    const key = printMachine(machine);
    let group = open.get(key);
    if (group === undefined || group.order.length === batch) {
      group = { machine, order: [] };
      open.set(key, group);
      all.push(group);
    }
    group.order.push(index);
  });
  return all;
}

function demandRealMachine({ script }: GuestScript): void {
  const { nodes, memBytes, hugeBytes } = script.machine ?? DEFAULT_MACHINE;
  const place = { file: script.file };
  if ((hugeBytes ?? HUGE_BYTES) !== HUGE_BYTES) {
    throw new UserError(
      "not run: a real x86-64 kernel has huge pages of 2M, the machine line says otherwise",
      place,
    );
  }
  if (memBytes / nodes < 2 ** 27) {
    throw new UserError("not run: a real kernel needs at least 128M a node to boot", place);
  }
}

/** Runs all scripts. Every script has a run in the answer, be it a failed one. */
export async function runInGuests(
  scripts: readonly GuestScript[],
  options: GuestOptions,
): Promise<GuestResult> {
  for (const each of scripts) demandRealMachine(each);
  mkdirSync(join(options.cache, "runs"), { recursive: true });
  const folder = mkdtempSync(join(options.cache, "runs", "run-"));
  const work: Work = {
    options,
    folder,
    runs: scripts.map(() => undefined),
    kernel: undefined,
    boots: 0,
    bootedAgain: false,
  };
  const startedMs = performance.now();
  for (const { machine, order } of batches(scripts, options.batch)) {
    let left: readonly number[] = order;
    work.bootedAgain = false;
    while (left.length > 0) left = await bootWith(work, machine, scripts, left);
  }
  const lost: GuestRun = { outcome: "failed", why: "never ran", lines: [] };
  const runs = work.runs.map((run) => run ?? lost);
  const durationS = (performance.now() - startedMs) / 1000;
  return { runs, kernel: work.kernel, boots: work.boots, folder, durationS };
}
