/**
 * Records with perf: every page fault of the program and its children with address, read or write, and CPU,
 * and every system call that changes mappings, from the kernel's own tracepoints.
 *
 *     program, stopped ◀── attach ── perf record ──pipe──▶ perf script ──text──▶ importer
 *                                         ▲ "enable", then SIGCONT; SIGINT behind the program's end
 *
 * perf attaches to the stopped program instead of starting it: the program's input, output and exit status
 * stay its own, and the recording begins with its exec. Where it can, it watches a control group that holds
 * the program, else the process itself, which makes every fork dearer.
 */
import { type ChildProcess, spawn } from "node:child_process";
import type { Writable } from "node:stream";
import { UserError } from "../lib/assert.ts";
import { alreadyThere } from "./already-there.ts";
import { type ControlGroup, moveToGroup } from "./control-group.ts";
import { isReadable, isRoot, readHost, toolVersion } from "./host-facts.ts";
import { launch, onPath } from "./launcher.ts";
import { type Capture, makeComplaints, type Source, type Subject } from "./source.ts";

const CALLS = [
  ...["mmap", "munmap", "mremap", "brk", "madvise", "mprotect", "pkey_mprotect", "mlock", "mlock2", "prctl"],
  ...["clone", "clone3", "fork", "vfork"],
];
const LIFE = ["fork", "exec", "exit"].map((what) => `sched:sched_process_${what}`);
const EVENTS = [
  "exceptions:page_fault_user",
  "exceptions:page_fault_kernel",
  "kmem:rss_stat",
  ...LIFE,
  ...CALLS.flatMap((call) => [`syscalls:sys_enter_${call}`, `syscalls:sys_exit_${call}`]),
];

const TRACEFS = "/sys/kernel/tracing/events";
/** perf's buffer for each CPU: room for a burst of a million faults while the text is being written. */
const BUFFER_BYTES = 64 * 2 ** 20;
/** perf_event_open refuses larger buffers to other users than root. */
const BUFFER_BYTES_USER = 512 * 1024;

/**
 * perf passes events on when its buffer is half full, or when it is spoken to: so it is, for what stays in
 * the buffer is lost with the recorder.
 */
const PASS_ON_MS = 500;

const INSTALL = "install it (Debian: apt install linux-perf; Fedora: dnf install perf)";

const GROUP_REMARK =
  "the program runs in a control group of its own meanwhile (what leaves it is not seen): ";

function missing(): string | undefined {
  if (process.arch !== "x64") return "the page-fault tracepoints are those of x86-64";
  if (onPath("perf") === undefined) return `perf is not installed: ${INSTALL}`;
  if (toolVersion("perf") === undefined) return `perf does not run here: ${INSTALL}`;
  const paranoid = Number(readHost("/proc/sys/kernel/perf_event_paranoid") ?? "2");
  if (!isRoot() && paranoid > -1) {
    return `it needs root (sudo), or kernel.perf_event_paranoid at -1 (it is ${paranoid})`;
  }
  if (!isReadable(`${TRACEFS}/exceptions/page_fault_user/id`)) {
    return "tracefs is not mounted or not readable: sudo mount -t tracefs nodev /sys/kernel/tracing";
  }
  return undefined;
}

export const perfSource: Source = {
  name: "perf",
  format: "perf",
  sees: "every page fault and change of mappings, from the kernel's tracepoints, with CPU and real time",
  misses: [
    "references that do not fault: TLB misses, and how hot a page is",
    "pages that the kernel touches without a fault (get_user_pages)",
  ],
  missing,
  tool: () => toolVersion("perf") ?? "perf",
  start,
};

async function start(subject: Subject): Promise<Capture> {
  const { pid: attached, program } = subject;
  const launched = attached === undefined ? await launch(program, subject) : undefined;
  const pid = attached ?? launched!.pid;
  const complaints = makeComplaints();
  let group = launched === undefined ? undefined : moveToGroup(pid);
  try {
    let recording = group === undefined ? undefined : await attach(ofGroup(group), complaints.take);
    if (recording === undefined) {
      await group?.remove();
      group = undefined;
      recording = await attach(["-p", String(pid)], complaints.take);
    }
    if (recording === undefined) throw new UserError(`perf cannot record process ${pid}`);
    const { recorder, script } = recording;
    const control = recorder.stdio[3] as Writable;
    const hurry = setInterval(() => control.write("ping\n"), PASS_ON_MS);
    return {
      text: attached === undefined ? script.stdout! : withStart(attached, script.stdout!),
      launched,
      remarks: group === undefined ? [] : [GROUP_REMARK + group.path],
      stop() {
        clearInterval(hurry);
        recorder.kill("SIGINT");
      },
      complaints: complaints.lines,
      async close() {
        clearInterval(hurry);
        recorder.kill("SIGKILL");
        script.kill("SIGKILL");
        await group?.remove();
      },
    };
  } catch (error) {
    launched?.signal("SIGKILL");
    await group?.remove();
    throw error;
  }
}

/** All CPUs, but only what runs in the group; of the rest of the machine not even the names of mappings. */
function ofGroup({ name }: ControlGroup): readonly string[] {
  return ["-a", "-G", EVENTS.map(() => name).join(","), "--synth", "task"];
}

/** Starts perf and waits until it sees everything; undefined where it cannot watch that. */
async function attach(
  whom: readonly string[],
  complain: (piece: Buffer) => void,
): Promise<{ readonly recorder: ChildProcess; readonly script: ChildProcess } | undefined> {
  const bufferBytes = isRoot() ? BUFFER_BYTES : BUFFER_BYTES_USER;
  const how = ["-q", "-c", "1", "-m", `${bufferBytes / 1024}K`, "-D", "-1", "--control", "fd:3,4"];
  const recorder = spawn("perf", ["record", ...how, "-e", EVENTS.join(","), ...whom, "-o", "-"], {
    stdio: ["ignore", "pipe", "pipe", "pipe", "pipe"],
    // A ^C is for the program; perf ends behind it.
    detached: true,
  });
  recorder.stderr!.on("data", complain);
  const fields = "comm,pid,tid,cpu,time,event,trace";
  const script = spawn("perf", ["script", "-i", "-", "--ns", "--show-lost-events", "-F", fields], {
    stdio: [recorder.stdout!, "pipe", "ignore"],
    detached: true,
  });
  // The pipe is perf script's now.
  recorder.stdout!.destroy();
  const acknowledged = new Promise<boolean>((resolve) => {
    recorder.stdio[4]!.once("data", () => resolve(true));
    recorder.once("close", () => resolve(false));
    recorder.once("error", () => resolve(false));
  });
  const control = recorder.stdio[3] as Writable;
  control.on("error", () => {});
  control.write("enable\n");
  if (await acknowledged) return { recorder, script };
  script.kill("SIGKILL");
  return undefined;
}

/** The text of a process that ran before, with what it already had in front. */
async function* withStart(pid: number, text: AsyncIterable<Buffer>): AsyncGenerator<Uint8Array> {
  let head: Buffer | undefined = Buffer.alloc(0);
  for await (const piece of text) {
    if (head === undefined) {
      yield piece;
      continue;
    }
    head = Buffer.concat([head, piece]);
    const time = /\s(\d+\.\d{6,9}):\s/.exec(head.toString("latin1"))?.[1];
    if (time === undefined) continue;
    yield* alreadyThere(pid, time);
    yield head;
    head = undefined;
  }
  if (head !== undefined) yield head;
}
