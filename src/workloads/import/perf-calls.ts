/**
 * System calls in a perf trace: `syscalls:sys_enter_NAME` and `sys_exit_NAME` lines, paired by thread. A call
 * counts when it returns, for only then is its result known.
 *
 *     sys_enter_mmap: addr: 0x00000000, len: 0x00400000, …     sys_exit_mmap: 0x7fc827600000
 */
import type { PerfState } from "./perf.ts";
import { childBorn, knownThread, NO_EXEC, releaseAllHeld, threadOf } from "./perf-tasks.ts";
import { hexDigit, type Scan, skipSpaces, takeHex } from "./scan.ts";
import { MEMORY_CALLS, recordCall } from "./syscalls.ts";

const CHILD_CALLS: readonly string[] = ["clone", "clone3", "fork", "vfork"];

/**
 * Arguments are `name: 0xVALUE`, in the order of the call's own. Undefined: a call that is no matter of
 * memory.
 */
export function callStarts(p: PerfState, name: string): boolean | undefined {
  if (!MEMORY_CALLS.includes(name) && !CHILD_CALLS.includes(name)) return undefined;
  const t = threadOf(p);
  // A program that is being started makes no calls: no exec is to come.
  if (t.execMm !== NO_EXEC) releaseAllHeld(p, t);
  t.call = name;
  t.childMade = false;
  t.args.fill(0);
  const s = p.scan;
  for (let i = 0; i < 6 && nextArgument(s); i++) t.args[i] = takeHex(s);
  return s.ok;
}

/** Goes to the value behind the next `name: `; false at the line's end. */
function nextArgument(s: Scan): boolean {
  while (s.at < s.end && s.bytes[s.at] !== 58) s.at++;
  s.at++;
  skipSpaces(s);
  return s.at < s.end && hexDigit(s.bytes[s.at]!) >= 0;
}

/** Undefined: a call that is no matter of memory, or whose start was not recorded. */
export function callEnds(p: PerfState, name: string): boolean | undefined {
  if (!MEMORY_CALLS.includes(name) && !CHILD_CALLS.includes(name)) return undefined;
  const s = p.scan;
  skipSpaces(s);
  const result = takeResult(s);
  if (!s.ok) return false;
  if (CHILD_CALLS.includes(name)) {
    const parent = knownThread(p);
    // Zero is the child's own return. A parent whose child no fork event told of learns of it here.
    if (result > 0 && parent !== undefined && parent.call === name && !parent.childMade) {
      childBorn(p, parent, result);
    }
    if (parent !== undefined) parent.call = "";
    return true;
  }
  const t = threadOf(p);
  if (t.exited || t.call !== name) return undefined;
  t.call = "";
  recordCall(p.r, t.recorded, p.time, name, t.args, result);
  return true;
}

/** `0x…`, where errnos are 64-bit negative numbers; some versions print them as `-22`. */
function takeResult(s: Scan): number {
  if (s.bytes[s.at] === 45) {
    s.at++;
    return -Math.max(1, takeHex(s));
  }
  const value = takeHex(s);
  return value >= 2 ** 63 ? -1 : value;
}
