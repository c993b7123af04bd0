/**
 * Hardware acceleration, but only where it works: on some virtual machines /dev/kvm is there and a guest
 * hangs in it. So one is booted, with nothing to do and little time to do it in.
 */
import { accessSync, constants, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readGuestOutput } from "./guest-output.ts";
import { makeInitramfs } from "./initramfs.ts";
import { type Accelerator, bootGuest } from "./qemu.ts";

export interface Choice {
  readonly accelerator: Accelerator;
  readonly why: string;
}

/** A guest under KVM is up in one or two seconds. */
const PROBE_LIMIT_S = 20;
const PROBE_MARK = "@@probe";

function kvmMissing(): string | undefined {
  if (!existsSync("/dev/kvm")) return "there is no /dev/kvm";
  try {
    accessSync("/dev/kvm", constants.R_OK | constants.W_OK);
    return undefined;
  } catch {
    return "/dev/kvm may not be opened by this user";
  }
}

/** What an earlier probe found holds until this machine boots again. */
function bootId(): string {
  return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
}

function earlierProbe(file: string): Choice | undefined {
  if (!existsSync(file)) return undefined;
  try {
    const { boot, choice } = JSON.parse(readFileSync(file, "utf8")) as { boot: string; choice: Choice };
    return boot === bootId() ? { ...choice, why: `${choice.why} (probed earlier)` } : undefined;
  } catch {
    return undefined; // A file that cannot be read is no knowledge: probe again.
  }
}

interface ProbeOptions {
  readonly vmlinuz: string;
  readonly runner: string;
  readonly cache: string;
}

/** Boots a guest under KVM and gives it little time. */
async function probe(o: ProbeOptions, folder: string): Promise<Choice> {
  const end = await bootGuest({
    vmlinuz: o.vmlinuz,
    initramfs: makeInitramfs(o.runner, []),
    machine: { nodes: 1, cpus: 2, memBytes: 2 ** 29, hugeBytes: undefined },
    accelerator: "kvm",
    mark: PROBE_MARK,
    scriptLimitS: 1,
    silenceLimitS: PROBE_LIMIT_S,
    dropCaches: false,
    folder,
    name: "kvm",
  });
  if (readGuestOutput(end.console, PROBE_MARK).over) {
    return { accelerator: "kvm", why: `hardware acceleration: a probe ran in ${end.durationS.toFixed(1)} s` };
  }
  const found = end.how === "silent" ? `hung (no word in ${PROBE_LIMIT_S} s)` : "failed";
  return { accelerator: "tcg", why: `software emulation: a probe with hardware acceleration ${found}` };
}

/** Chooses. `asked` is "tcg", "kvm" or "auto"; a probe decides in both of the latter. */
export async function chooseAccelerator(asked: Accelerator | "auto", o: ProbeOptions): Promise<Choice> {
  if (asked === "tcg") return { accelerator: "tcg", why: "software emulation, as asked" };
  const missing = kvmMissing();
  if (missing !== undefined) return { accelerator: "tcg", why: `software emulation: ${missing}` };
  const folder = join(o.cache, "probe");
  mkdirSync(folder, { recursive: true });
  const file = join(folder, "kvm.json");
  const earlier = asked === "auto" ? earlierProbe(file) : undefined;
  if (earlier !== undefined) return earlier;
  const choice = await probe(o, folder);
  writeFileSync(file, JSON.stringify({ boot: bootId(), choice }) + "\n");
  return choice;
}
