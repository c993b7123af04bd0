/** One boot of a virtual machine: its command line, its console, its end. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { closeSync, openSync, rmSync, truncateSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { PAGE_BYTES } from "../core/units.ts";
import { nodeOfCpu } from "../kernel/machine.ts";
import { UserError } from "../lib/assert.ts";
import type { ScriptMachine } from "../workloads/script/ast.ts";

const QEMU = "qemu-system-x86_64";
export const QEMU_ADVICE = `${QEMU} is missing: apt-get install qemu-system-x86`;

export type Accelerator = "tcg" | "kvm";

/** QEMU's own account of its version; undefined when there is no QEMU. */
export function qemuVersion(): string | undefined {
  const { status, stdout } = spawnSync(QEMU, ["--version"], { encoding: "utf8" });
  return status === 0 ? stdout.split("\n")[0]!.trim() : undefined;
}

export interface Boot {
  readonly vmlinuz: string;
  readonly initramfs: Uint8Array;
  readonly machine: ScriptMachine;
  readonly accelerator: Accelerator;
  /** The word that begins the runner's own lines. */
  readonly mark: string;
  /** Time limit of one script in the guest. */
  readonly scriptLimitS: number;
  /** The console says nothing for that long: the guest hangs. */
  readonly silenceLimitS: number;
  /** Caches are dropped between scripts, so that each finds what a fresh boot would have. */
  readonly dropCaches: boolean;
  /** Folder for this boot's raw console and archive. */
  readonly folder: string;
  readonly name: string;
}

export interface BootEnd {
  /** Why it ended: the guest left, said nothing for too long, or QEMU refused. */
  readonly how: "left" | "silent" | "refused";
  readonly console: string;
  /** What QEMU itself said. */
  readonly complaint: string;
  readonly consoleFile: string;
  readonly durationS: number;
}

/** Nodes with their CPUs, spread evenly and in order, and their share of the memory. */
function machineArguments({ nodes, cpus, memBytes }: ScriptMachine): string[] {
  const nodeBytes = memBytes / nodes;
  const nodeMiB = Math.floor(nodeBytes / 2 ** 20);
  const args = ["-smp", String(cpus), "-m", `${nodeMiB * nodes}M`];
  for (let node = 0; node < nodes; node++) {
    args.push("-object", `memory-backend-ram,id=m${node},size=${nodeMiB}M`);
    const own: string[] = [];
    for (let cpu = 0; cpu < cpus; cpu++)
      if (nodeOfCpu({ nodes, cpus }, cpu) === node) own.push(`cpus=${cpu}`);
    args.push("-numa", ["node", `nodeid=${node}`, `memdev=m${node}`, ...own].join(","));
  }
  return args;
}

/** A disk of nothing but holes, for swap: what the guest writes to it goes with the boot. */
function swapArguments({ machine }: Boot, disk: string): string[] {
  if (machine.swapBytes === undefined) return [];
  return [
    ...["-drive", `file=${disk},format=raw,if=none,id=swap,cache=unsafe`],
    ...["-device", "virtio-blk-pci,drive=swap"],
  ];
}

function commandLine(boot: Boot, archive: string, disk: string): string[] {
  const kernelWords = [
    // On a busy host an emulated timer may miss the moment at which the kernel tests it (no_timer_check).
    // The kernel's image lies where the model has it: on the first node (nokaslr).
    "console=ttyS0 loglevel=4 panic=-1 mitigations=off norandmaps nokaslr no_timer_check",
    `mark=${boot.mark} nodes=${boot.machine.nodes}`,
    `limit=${boot.scriptLimitS} drop=${boot.dropCaches ? 1 : 0}`,
    `swap=${boot.machine.swapBytes === undefined ? 0 : 1}`,
  ];
  return [
    ...["-accel", boot.accelerator === "kvm" ? "kvm" : "tcg,thread=multi"],
    // The same plain CPU everywhere: what a kernel does must not depend on the machine that it is asked on.
    ...["-cpu", "qemu64"],
    ...machineArguments(boot.machine),
    ...swapArguments(boot, disk),
    ...["-nodefaults", "-display", "none", "-no-reboot", "-serial", "stdio"],
    ...["-kernel", boot.vmlinuz, "-initrd", archive, "-append", kernelWords.join(" ")],
  ];
}

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** While a guest runs, whatever ends this process ends the guest first. Answers with what undoes that. */
function takeAlong(child: ChildProcess): () => void {
  const onExit = (): boolean => child.kill("SIGKILL");
  const onSignal = (signal: NodeJS.Signals): void => {
    child.kill("SIGKILL");
    undo();
    process.kill(process.pid, signal);
  };
  const undo = (): void => {
    process.off("exit", onExit);
    for (const signal of SIGNALS) process.off(signal, onSignal);
  };
  process.on("exit", onExit);
  for (const signal of SIGNALS) process.on(signal, onSignal);
  return undo;
}

/** Boots, follows the console until the guest leaves or falls silent, and keeps the raw console in a file. */
export function bootGuest(boot: Boot): Promise<BootEnd> {
  const archive = join(boot.folder, `${boot.name}.cpio`);
  const consoleFile = join(boot.folder, `${boot.name}.console.txt`);
  writeFileSync(archive, boot.initramfs);
  const disk = join(boot.folder, `${boot.name}.swap`);
  if (boot.machine.swapBytes !== undefined) {
    writeFileSync(disk, "");
    truncateSync(disk, Math.floor(boot.machine.swapBytes / PAGE_BYTES) * PAGE_BYTES + PAGE_BYTES);
  }
  const kept = openSync(consoleFile, "w");
  const startedMs = performance.now();
  const child = spawn(QEMU, commandLine(boot, archive, disk), { stdio: ["ignore", "pipe", "pipe"] });
  const pieces: Buffer[] = [];
  let complaint = "";
  let silent = false;
  const fallSilent = (): void => {
    silent = true;
    child.kill("SIGKILL");
  };
  const leaveBehind = takeAlong(child);
  let timer = setTimeout(fallSilent, boot.silenceLimitS * 1000);
  child.stdout.on("data", (piece: Buffer) => {
    pieces.push(piece);
    writeSync(kept, piece);
    clearTimeout(timer);
    timer = setTimeout(fallSilent, boot.silenceLimitS * 1000);
  });
  child.stderr.on("data", (piece: Buffer) => {
    complaint += piece.toString("utf8");
  });
  return new Promise((resolve, reject) => {
    const end = (): void => {
      clearTimeout(timer);
      leaveBehind();
      closeSync(kept);
      rmSync(archive, { force: true });
      rmSync(disk, { force: true });
    };
    child.on("error", (error: NodeJS.ErrnoException) => {
      end();
      reject(new UserError(error.code === "ENOENT" ? QEMU_ADVICE : `${QEMU}: ${error.message}`));
    });
    child.on("close", (code) => {
      end();
      const how = silent ? "silent" : code === 0 ? "left" : "refused";
      const durationS = (performance.now() - startedMs) / 1000;
      const text = Buffer.concat(pieces).toString("utf8");
      resolve({ how, console: text, complaint: complaint.trim(), consoleFile, durationS });
    });
  });
}
