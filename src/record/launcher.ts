/**
 * Starts the program to be recorded: huge pages off for it alone (prctl, which forks and execs hand on), its
 * addresses the same in every run, held still until the recorder is ready, and what it used told at its end.
 *
 *     pagewise ──▶ launcher ──fork──▶ child: prctl, stop ……… exec PROGRAM ……… end
 *                     │ "pid 71"         ▲ SIGCONT                            │
 *                     └─────────────── wait4 ◀────────────────────────────────┘  "exit 0 …"
 *
 * Neither Node nor a shell can call prctl or wait4. Perl can, and is on every Debian; Python stands in for
 * it.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { accessSync, constants, readFileSync, statSync } from "node:fs";
import { constants as osConstants } from "node:os";
import { delimiter, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { UserError } from "../lib/assert.ts";

/** Numbers of prctl, wait4 and personality, by processor. */
const SYSCALLS: Readonly<Record<string, readonly [prctl: number, wait4: number, personality: number]>> = {
  x64: [157, 61, 135],
  arm64: [167, 260, 92],
};

/**
 * PR_SET_THP_DISABLE is 41, ADDR_NO_RANDOMIZE 0x40000, PR_SET_PDEATHSIG 1: should the recorder be killed
 * before the program has begun, nobody would ever let it go. Descriptor 3 is where the launcher tells what
 * happens; it ends with exec.
 */
const PERL = `
my ($prctl, $wait4, $personality, $off, $fixed) = splice(@ARGV, 0, 5);
open(my $tell, ">&=", 3) or die;
fcntl($tell, 2, 1);
my $pid = fork;
if ($pid == 0) {
  syscall($prctl + 0, 41, 1, 0, 0, 0) if $off;
  syscall($personality + 0, 0x40000) if $fixed;
  kill "STOP", $$;
  exec {$ARGV[0]} @ARGV;
  syswrite $tell, "failed " . ($! + 0) . " $!\\n";
  exit 127;
}
$SIG{INT} = $SIG{QUIT} = $SIG{TERM} = $SIG{HUP} = "IGNORE";
$SIG{USR1} = sub { kill "KILL", $pid if readlink("/proc/$pid/exe") eq readlink("/proc/$$/exe"); };
syscall($prctl + 0, 1, 10, 0, 0, 0);
syswrite $tell, "pid $pid\\n";
my $status = pack("i", 0);
my $used = "\\0" x 144;
while (syscall($wait4 + 0, $pid + 0, $status, 0, $used) < 0) {}
syswrite $tell, "exit " . unpack("i", $status) . " " . join(" ", unpack("q<16", $used)) . "\\n";
`;

const PYTHON = `
import ctypes, os, signal, sys
prctl, wait4, personality, off, fixed = [int(each) for each in sys.argv[1:6]]
program = sys.argv[6:]
os.set_inheritable(3, False)
pid = os.fork()
if pid == 0:
    if off: ctypes.CDLL(None).prctl(41, 1, 0, 0, 0)
    if fixed: ctypes.CDLL(None).personality(0x40000)
    os.kill(os.getpid(), signal.SIGSTOP)
    for each in (signal.SIGPIPE, signal.SIGXFSZ): signal.signal(each, signal.SIG_DFL)
    try: os.execvp(program[0], program)
    except OSError as error: os.write(3, ("failed %d %s\\n" % (error.errno, error.strerror)).encode())
    os._exit(127)
for each in ("INT", "QUIT", "TERM", "HUP"): signal.signal(getattr(signal, "SIG" + each), signal.SIG_IGN)
def orphaned(*_):
    same = os.readlink("/proc/%d/exe" % pid) == os.readlink("/proc/self/exe")
    if same: os.kill(pid, signal.SIGKILL)
signal.signal(signal.SIGUSR1, orphaned)
ctypes.CDLL(None).prctl(1, signal.SIGUSR1, 0, 0, 0)
os.write(3, ("pid %d\\n" % pid).encode())
_, status, u = os.wait4(pid, 0)
def split(s): return [int(s), int(s % 1 * 1e6)]
used = split(u.ru_utime) + split(u.ru_stime) + [u.ru_maxrss, 0, 0, 0, u.ru_minflt, u.ru_majflt]
os.write(3, ("exit %d %s\\n" % (status, " ".join(str(each) for each in used))).encode())
`;

/** What a program that has ended used: itself and the children that it waited for. */
export interface Usage {
  readonly wallS: number;
  readonly userS: number;
  readonly systemS: number;
  /** Largest resident set of one process. The launcher's own few MB are its floor. */
  readonly maxRssKb: number;
  readonly minorFaults: number;
  readonly majorFaults: number;
}

export interface Ended {
  /** 0–255, or undefined when a signal ended it. */
  readonly code: number | undefined;
  readonly signal: string | undefined;
  readonly usage: Usage;
}

export interface Launched {
  readonly pid: number;
  /** Lets the program begin. */
  go(): void;
  /** Its end; rejects with `UserError` if it could not be started. */
  readonly ended: Promise<Ended>;
  /** Sends the program a signal; that it is gone already is no mistake. */
  signal(name: NodeJS.Signals): void;
}

export interface LaunchOptions {
  /** Switch huge pages off for the program (prctl PR_SET_THP_DISABLE). */
  readonly hugePagesOff: boolean;
  /** Addresses as they are without randomization (personality ADDR_NO_RANDOMIZE): the same in every run. */
  readonly fixedLayout: boolean;
  /** Extra environment. */
  readonly env?: NodeJS.ProcessEnv;
  /** Where the program's standard output and error go; the terminal's unless told. */
  readonly output?: "inherit" | "ignore";
  /** Its standard input; the terminal's unless told. */
  readonly input?: "inherit" | "ignore";
}

/** The first of these programs that is on the PATH, with its whole path. */
export function onPath(...names: readonly string[]): string | undefined {
  for (const name of names) {
    const folders = name.includes("/") ? [""] : (process.env.PATH ?? "").split(delimiter);
    for (const folder of folders) {
      const path = folder === "" ? name : join(folder, name);
      if (isProgram(path)) return path;
    }
  }
  return undefined;
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** Throws unless the program is there and may be run. */
export function demandProgram(name: string): void {
  if (onPath(name) !== undefined) return;
  const found = name.includes("/") ? statSync(name, { throwIfNoEntry: false }) : undefined;
  if (found === undefined) throw new UserError("no such program", { file: name });
  throw new UserError("not a program: it may not be executed", { file: name });
}

/** The script and its interpreter, or undefined where the machine has neither. */
function interpreter(): readonly string[] | undefined {
  const perl = onPath("perl");
  if (perl !== undefined) return [perl, "-e", PERL];
  const python = onPath("python3");
  return python === undefined ? undefined : [python, "-c", PYTHON];
}

/** What is missing for `launch`, for people; undefined when nothing is. */
export function launcherMissing(): string | undefined {
  if (process.platform !== "linux") return "programs can be recorded on Linux only";
  if (SYSCALLS[process.arch] === undefined) return `programs on ${process.arch} cannot be recorded`;
  if (interpreter() === undefined) return "starting a program needs perl or python3: install one of them";
  return undefined;
}

/** Starts a program, stopped before its first instruction. */
export async function launch(program: readonly string[], options: LaunchOptions): Promise<Launched> {
  const missing = launcherMissing();
  if (missing !== undefined) throw new UserError(missing);
  demandProgram(program[0]!);
  const [command, ...script] = interpreter()!;
  const numbers = [...SYSCALLS[process.arch]!, options.hugePagesOff ? 1 : 0, options.fixedLayout ? 1 : 0].map(
    String,
  );
  const output = options.output ?? "inherit";
  const child = spawn(command!, [...script, ...numbers, ...program], {
    stdio: [options.input ?? "inherit", output, output, "pipe"],
    env: { ...process.env, ...options.env },
  });
  return await listen(child, program[0]!);
}

/** Follows what the launcher tells. */
async function listen(child: ChildProcess, name: string): Promise<Launched> {
  let told = "";
  let startedMs = performance.now();
  let born: (pid: number) => void = () => {};
  let unborn: (error: Error) => void = () => {};
  const pid = new Promise<number>((resolve, reject) => {
    born = resolve;
    unborn = reject;
  });
  const ended = new Promise<Ended>((resolve, reject) => {
    const fail = (error: Error): void => {
      unborn(error);
      reject(error);
    };
    child.once("error", fail);
    child.stdio[3]!.on("data", (piece: Buffer) => {
      told += piece.toString("utf8");
      const found = /^pid (\d+)$/m.exec(told);
      if (found !== null) born(Number(found[1]));
    });
    child.once("close", () => {
      const failed = /^failed \d+ (.*)$/m.exec(told);
      const line = /^exit (\d+) (.*)$/m.exec(told);
      if (failed !== null) fail(new UserError(failed[1]!, { file: name }));
      else if (line === null) fail(new UserError("the launcher ended before the program", { file: name }));
      else resolve(endOf(Number(line[1]), line[2]!, (performance.now() - startedMs) / 1000));
    });
  });
  // Whoever awaits `ended` hears of a failure; until someone does it is not unhandled.
  ended.catch(() => {});
  const number = await pid;
  await untilStopped(number);
  return {
    pid: number,
    ended,
    go() {
      startedMs = performance.now();
      process.kill(number, "SIGCONT");
    },
    signal(signalName) {
      try {
        process.kill(number, signalName);
      } catch {
        // It has ended in the meantime.
      }
    },
  };
}

async function untilStopped(pid: number): Promise<void> {
  for (let tries = 0; tries < 5000; tries++) {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    if (stat.slice(stat.lastIndexOf(")") + 2).startsWith("T")) return;
    await sleep(1);
  }
  throw new UserError("the program did not come to its start");
}

/**
 * wait4's status and rusage: two times as seconds and µs, the largest resident set, and at 8 and 9 the
 * faults.
 */
function endOf(status: number, used: string, wallS: number): Ended {
  const u = used.split(" ").map(Number);
  const signalNumber = status & 127;
  const signal = Object.entries(osConstants.signals).find(([, value]) => value === signalNumber)?.[0];
  return {
    code: signalNumber === 0 ? (status >> 8) & 255 : undefined,
    signal: signalNumber === 0 ? undefined : (signal ?? `signal ${signalNumber}`),
    usage: {
      wallS,
      userS: u[0]! + u[1]! / 1e6,
      systemS: u[2]! + u[3]! / 1e6,
      maxRssKb: u[4]!,
      minorFaults: u[8]!,
      majorFaults: u[9]!,
    },
  };
}

/** The exit status that a shell would show. */
export function exitStatusOf({ code, signal }: Ended): number {
  if (code !== undefined) return code;
  return 128 + (osConstants.signals[signal as NodeJS.Signals] ?? 0);
}
