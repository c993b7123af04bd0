/**
 * Page faults in a perf trace: the exception tracepoints, which tell read from write, and the plain samples.
 */
import { REF } from "../records.ts";
import { decodeUtf8 } from "../trace/bytes.ts";
import { noteIgnored } from "./importer.ts";
import type { PerfState } from "./perf.ts";
import {
  becomeProgram,
  NO_EXEC,
  nameHashOf,
  type PerfThread,
  releaseAllHeld,
  STARTING,
  threadOf,
} from "./perf-tasks.ts";
import { recordReference } from "./recorder.ts";
import { seekField, skipSpaces, takeHex, wordOf } from "./scan.ts";

const ADDRESS = wordOf("address=");
const IP = wordOf("ip=");
const ERROR_CODE = wordOf("error_code=");
const CLOSE = wordOf(")");

/**
 * Addresses from here on are the kernel's own (2^47; no user address of four-level page tables reaches it).
 */
const USER_END = 2 ** 47;

/** Bits of x86's page-fault error code. */
const ERROR = { PROTECTION: 1, WRITE: 2, EXECUTE: 16 } as const;

/** exceptions:page_fault_user and exceptions:page_fault_kernel. */
export function exceptionFault(p: PerfState, byKernel: boolean): boolean {
  const s = p.scan;
  if (!seekField(s, ADDRESS)) return false;
  const address = takeHex(s);
  if (!seekField(s, IP)) return false;
  const fieldAt = s.at;
  // In the kernel the place is a symbol: only the user's own is a number.
  const ip = byKernel ? -1 : takeHex(s);
  s.at = fieldAt;
  if (!seekField(s, ERROR_CODE)) return false;
  const code = takeHex(s);
  if (!s.ok) return false;
  let kind: number = REF.FAULT;
  if ((code & ERROR.WRITE) !== 0) kind |= REF.WRITE;
  else if ((code & ERROR.EXECUTE) !== 0) kind |= REF.EXECUTE;
  if ((code & ERROR.PROTECTION) !== 0) kind |= REF.PROTECTION;
  if (byKernel) kind |= REF.KERNEL;
  recordFault(p, address, kind, byKernel || ip === address);
  return true;
}

/**
 * `page-faults` samples: `ADDR IP`, or with symbols `ADDR symbol (object) IP symbol (object)`. They do not
 * tell reads from writes: all are taken for writes here, and `read-first.ts` corrects that. Without
 * `-F +addr` perf prints the place of the instruction alone: such a text says nothing about memory.
 */
export function sampledFault(p: PerfState): boolean {
  if (p.hasExceptions) {
    noteIgnored(p.log, "page-faults samples beside exceptions:page_fault_*");
    return true;
  }
  const s = p.scan;
  skipSpaces(s);
  const address = takeHex(s);
  if (!s.ok) return false;
  skipSpaces(s);
  let ip = takeHex(s);
  const plainIp = s.ok && (s.at === s.end || s.bytes[s.at] === 32);
  if (!plainIp) {
    s.ok = true;
    ip = -1;
    if (seekField(s, CLOSE)) {
      skipSpaces(s);
      ip = takeHex(s);
      if (!s.ok) ip = -1;
      s.ok = true;
    }
    // One number alone is the instruction's place, not the memory that it touched.
    if (ip < 0) return false;
  }
  const byKernel = ip >= USER_END;
  let kind = REF.FAULT | (ip === address ? REF.EXECUTE : REF.WRITE);
  if (byKernel) kind |= REF.KERNEL;
  recordFault(p, address, kind, byKernel || ip === address);
  return true;
}

/** `mayStartProgram`: the fault could be the first of a program, in the kernel or at the program's entry. */
function recordFault(p: PerfState, address: number, kind: number, mayStartProgram: boolean): void {
  if (address >= USER_END) {
    noteIgnored(p.log, "faults on kernel addresses");
    return;
  }
  const t = threadOf(p);
  if (t.exited) {
    noteIgnored(p.log, "faults of threads that have ended");
    return;
  }
  if (!p.tasks.hasLifeCycle) noticeExec(p, t, mayStartProgram);
  const vpn = Math.floor(address / 4096);
  if (t.execMm !== NO_EXEC) {
    if ((kind & REF.KERNEL) !== 0) {
      t.held.push({ vpn, kind, inNewMm: t.execMm === STARTING });
      return;
    }
    releaseAllHeld(p, t);
  }
  const written = (kind & REF.KIND) === REF.WRITE ? 1 : 0;
  recordReference(p.r, t.recorded, vpn, kind, 1 - written, written, p.time);
}

/** Without life-cycle events a new name, together with a fault such as programs start with, is an exec. */
function noticeExec(p: PerfState, t: PerfThread, mayStartProgram: boolean): void {
  const hash = nameHashOf(p);
  if (hash === t.nameHash) return;
  const isLeader = t.recorded.tid === t.recorded.process.pid;
  if (t.nameHash !== 0 && isLeader && mayStartProgram) {
    becomeProgram(p, t, decodeUtf8(p.scan.bytes, p.head.nameStart, p.head.nameEnd));
  }
  t.nameHash = hash;
}
