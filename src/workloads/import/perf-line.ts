/**
 * The head of a `perf script` line: who, where, when, which event.
 *
 *     redis-server 20764/20766 [001]  3023.418875:   syscalls:sys_exit_clone3: 0x0
 *     name         pid   tid    cpu   time           event                     rest
 *
 * A name may hold spaces and brackets, pid or cpu may be missing, the time may have six or nine decimals, a
 * period may stand before the event. The head is found by its cpu in brackets, else by its time.
 */
import { isDigit, type Scan, SPACE, skipSpaces, wordHash } from "./scan.ts";

/** What `readPerfHead` found; reused from line to line. */
export interface PerfHead {
  nameStart: number;
  nameEnd: number;
  /** -1 when the line has only a thread number. */
  pid: number;
  tid: number;
  /** -1 when the line has none. */
  cpu: number;
  /** Seconds and the ns within the second: together they may exceed 2^53. */
  seconds: number;
  nanoseconds: number;
  /** The event's name without its colon, and its hash. */
  eventStart: number;
  eventEnd: number;
  eventHash: number;
}

export function makePerfHead(): PerfHead {
  return {
    nameStart: 0,
    nameEnd: 0,
    pid: -1,
    tid: 0,
    cpu: -1,
    seconds: 0,
    nanoseconds: 0,
    eventStart: 0,
    eventEnd: 0,
    eventHash: 0,
  };
}

/** Reads the head; `s.at` is then behind the event's colon. False when the line has no such head. */
export function readPerfHead(s: Scan, h: PerfHead): boolean {
  skipSpaces(s);
  h.nameStart = s.at;
  const bracket = findCpu(s, h);
  const timeAt = bracket >= 0 ? s.at : findTime(s);
  if (timeAt < 0) return false;
  const idEnd = bracket >= 0 ? bracket : timeAt;
  if (!readIds(s, h, idEnd)) return false;
  s.at = timeAt;
  skipSpaces(s);
  if (!readTime(s, h)) return false;
  return readEventName(s, h);
}

/** Finds ` [digits] ` behind a digit; sets the cpu, moves behind it, answers where the bracket stands. */
function findCpu(s: Scan, h: PerfHead): number {
  const { bytes, end } = s;
  for (let at = s.at + 1; at < end; at++) {
    if (bytes[at] !== 91 || bytes[at - 1] !== SPACE) continue;
    let before = at - 1;
    while (before > s.at && bytes[before] === SPACE) before--;
    if (!isDigit(bytes[before]!)) continue;
    let close = at + 1;
    let cpu = 0;
    while (close < end && isDigit(bytes[close]!)) cpu = cpu * 10 + bytes[close++]! - 48;
    if (close >= end || bytes[close] !== 93 || close === at + 1) continue;
    h.cpu = cpu;
    s.at = close + 1;
    return at;
  }
  h.cpu = -1;
  return -1;
}

/** Finds ` digits.digits:`; answers where it begins, or -1. */
function findTime(s: Scan): number {
  const { bytes, end } = s;
  for (let at = s.at + 1; at < end; at++) {
    if (bytes[at - 1] !== SPACE || !isDigit(bytes[at]!)) continue;
    let to = at;
    while (to < end && isDigit(bytes[to]!)) to++;
    if (to >= end || bytes[to] !== 46) continue;
    to++;
    const fraction = to;
    while (to < end && isDigit(bytes[to]!)) to++;
    if (to > fraction && to < end && bytes[to] === 58) return at;
  }
  return -1;
}

/** `pid/tid` or `tid` before `idEnd`, from the right, because names may hold anything. */
function readIds(s: Scan, h: PerfHead, idEnd: number): boolean {
  const { bytes } = s;
  let to = idEnd;
  while (to > h.nameStart && bytes[to - 1] === SPACE) to--;
  let from = to;
  let slash = -1;
  while (from > h.nameStart) {
    const byte = bytes[from - 1]!;
    if (byte === 47 && slash < 0) slash = from - 1;
    else if (!isDigit(byte)) break;
    from--;
  }
  const tidFrom = slash < 0 ? from : slash + 1;
  if (tidFrom >= to || (slash >= 0 && slash === from)) return false;
  h.tid = decimal(bytes, tidFrom, to);
  h.pid = slash < 0 ? -1 : decimal(bytes, from, slash);
  while (from > h.nameStart && bytes[from - 1] === SPACE) from--;
  h.nameEnd = from;
  return true;
}

function decimal(bytes: Uint8Array, from: number, to: number): number {
  let value = 0;
  for (let at = from; at < to; at++) value = value * 10 + bytes[at]! - 48;
  return value;
}

function readTime(s: Scan, h: PerfHead): boolean {
  const { bytes, end } = s;
  const from = s.at;
  let at = from;
  while (at < end && isDigit(bytes[at]!)) at++;
  if (at === from || at >= end || bytes[at] !== 46) return false;
  h.seconds = decimal(bytes, from, at);
  at++;
  let scale = 1_000_000_000;
  let nanoseconds = 0;
  while (at < end && isDigit(bytes[at]!)) {
    scale /= 10;
    if (scale >= 1) nanoseconds += (bytes[at]! - 48) * scale;
    at++;
  }
  if (at >= end || bytes[at] !== 58) return false;
  h.nanoseconds = nanoseconds;
  s.at = at + 1;
  return true;
}

/** `event:` or `period event:`; records such as `PERF_RECORD_MMAP2` have no colon. */
function readEventName(s: Scan, h: PerfHead): boolean {
  skipSpaces(s);
  const { bytes, end } = s;
  let from = s.at;
  let to = from;
  while (to < end && isDigit(bytes[to]!)) to++;
  if (to > from && bytes[to] === SPACE) {
    s.at = to;
    skipSpaces(s);
    from = s.at;
  }
  to = from;
  while (to < end && bytes[to] !== SPACE) to++;
  s.at = to;
  while (to > from && bytes[to - 1] === 58) to--;
  if (to === from) return false;
  h.eventStart = from;
  h.eventEnd = to;
  h.eventHash = wordHash(bytes, from, to);
  return true;
}
