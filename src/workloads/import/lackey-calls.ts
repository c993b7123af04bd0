/**
 * System calls in lackey's text. A call's line may end with its result, may have the result on a later line
 * of the same thread, or may be broken by what valgrind says of a fork:
 *
 *     SYSCALL[1,1](10) sys_mprotect ( 0x4c00000, 4096, 1 )[sync] --> Success(0x0)
 *
 *     SYSCALL[1,1](28) sys_madvise ( 0x4a2b000, 4194304, 14 ) --> [async] ...
 *     SYSCALL[1,1](28) ... [async] --> Success(0x0)
 *
 *     SYSCALL[1,1](56) sys_clone ( 1200011, 0x0, … )   clone(fork): process 1 created child 2
 *      --> [pre-success] Success(0x2)
 *
 * Addresses are 0x…, lengths and flags decimal; the flags of clone are hexadecimal without 0x.
 */
import { flush, kernelAccess, type LackeyState, runThread, takeSched } from "./lackey.ts";
import { guestCall, switchProcess } from "./life.ts";
import { hexDigit, isDigit, type Scan, seekField, startsWith, takeDecimal, takeHex, wordOf } from "./scan.ts";

export interface PendingCall {
  readonly pid: number;
  readonly thread: number;
  readonly number: number;
  readonly args: number[];
  readonly path: string;
}

/** x86-64's numbers of the calls that matter; names in the text differ between versions of valgrind. */
const NAME_OF: Readonly<Record<number, string>> = {
  9: "mmap",
  10: "mprotect",
  11: "munmap",
  12: "brk",
  25: "mremap",
  28: "madvise",
  56: "clone",
  57: "fork",
  58: "vfork",
  59: "execve",
  60: "exit",
  149: "mlock",
  157: "prctl",
  231: "exit_group",
  322: "execveat",
  325: "mlock2",
  329: "pkey_mprotect",
  435: "clone3",
};
/**
 * Calls whose result is the length that the kernel wrote to, or read from, the buffer in the second argument.
 */
const KERNEL_WRITES = [0, 17, 45];
const KERNEL_READS = [1, 18, 44];
const GETRANDOM = 318;
const CLONE = 56;

const SYSCALL_AT = "SYSCALL[".length;
const ARROW = wordOf("-->");
const SUCCESS = wordOf("Success(");
const FAILURE = wordOf("Failure(");
const DOTS = wordOf("...");
const OPEN = wordOf("(");

/** A line that begins with SYSCALL, or with the arrow that a fork's remark has left for the next line. */
export function takeCallLine(l: LackeyState): boolean {
  const s = l.scan;
  const start = s.at;
  const isCall = s.bytes[start] === 83;
  const understood = isCall ? takeCall(l) : finishUnfinished(l);
  // The line of a new thread may carry a scheduler's remark at its end.
  const { ok } = s;
  takeSched(l, start);
  s.ok = ok;
  return understood;
}

function takeCall(l: LackeyState): boolean {
  const s = l.scan;
  s.at += SYSCALL_AT;
  const pid = takeDecimal(s);
  s.at++;
  const thread = takeDecimal(s);
  s.at += 2;
  const number = takeDecimal(s);
  if (!s.ok) return false;
  if (l.g.current?.process.pid !== pid || l.g.current.exited) {
    flush(l);
    switchProcess(l.g, pid);
  }
  runThread(l, thread);
  s.at += 2;
  const key = `${pid},${thread}`;
  if (startsWith(s.bytes, s.at, s.end, DOTS)) {
    const call = l.pending.get(key);
    l.pending.delete(key);
    if (call === undefined || call.number !== number) return true;
    return takeResult(l, call);
  }
  if (!seekField(s, OPEN)) return false;
  const call: PendingCall = { pid, thread, number, ...takeArguments(s, number === CLONE) };
  if (number === 60 || number === 231) {
    finishCall(l, call, 0);
    return true;
  }
  if (!seekField(s, ARROW)) {
    l.unfinished = call;
    return true;
  }
  const resultAt = s.at;
  if (!seekField(s, SUCCESS)) {
    s.at = resultAt;
    if (!seekField(s, FAILURE)) l.pending.set(key, call);
    return true;
  }
  s.at = resultAt;
  return takeResult(l, call);
}

/**
 * Numbers up to the closing bracket. A text behind an address, `0x402a2a0(/etc/ld.so.preload)`, is a path.
 */
function takeArguments(s: Scan, firstIsHex: boolean): { args: number[]; path: string } {
  const args: number[] = [];
  let path = "";
  while (s.at < s.end && s.bytes[s.at] !== 41 && args.length < 6) {
    const byte = s.bytes[s.at]!;
    const isHex = (byte === 48 && s.bytes[s.at + 1] === 120) || (firstIsHex && args.length === 0);
    if (isHex && hexDigit(byte) >= 0) args.push(takeHex(s));
    else if (isDigit(byte)) args.push(takeDecimal(s));
    else {
      s.at++;
      continue;
    }
    if (s.bytes[s.at] === 40) path = takeText(s);
  }
  while (args.length < 6) args.push(0);
  return { args, path };
}

function takeText(s: Scan): string {
  let text = "";
  s.at++;
  while (s.at < s.end && s.bytes[s.at] !== 41) text += String.fromCharCode(s.bytes[s.at++]!);
  s.at++;
  return text;
}

function finishUnfinished(l: LackeyState): boolean {
  const call = l.unfinished;
  l.unfinished = undefined;
  // A forked child's own text begins with the end of its parent's line: nothing to finish.
  if (call === undefined || !seekField(l.scan, ARROW)) return true;
  return takeResult(l, call);
}

function takeResult(l: LackeyState, call: PendingCall): boolean {
  const s = l.scan;
  if (!seekField(s, SUCCESS)) return true;
  const result = takeHex(s);
  if (!s.ok) return false;
  finishCall(l, call, result);
  return true;
}

function finishCall(l: LackeyState, call: PendingCall, result: number): void {
  const { number, args } = call;
  if (KERNEL_WRITES.includes(number) && result > 0) {
    flush(l);
    kernelAccess(l, args[1]!, result, true);
  } else if (KERNEL_READS.includes(number) && result > 0) {
    flush(l);
    kernelAccess(l, args[1]!, result, false);
  } else if (number === GETRANDOM && result > 0) {
    flush(l);
    kernelAccess(l, args[0]!, result, true);
  }
  const name = NAME_OF[number];
  if (name === undefined) return;
  flush(l);
  guestCall(l.g, name, args, result, call.path);
}
