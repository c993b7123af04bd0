/**
 * Side-band records, as `perf script --show-task-events` prints them: who forked, ran a program, ended. Used
 * when the sched tracepoints are missing.
 *
 *     demo 1/1 [000] 3.14: PERF_RECORD_COMM exec: demo:1/1
 *     demo 1/1 [000] 3.14: PERF_RECORD_FORK(2:2):(1:1)
 *     demo 1/1 [000] 3.14: PERF_RECORD_EXIT(2:2):(1:1)
 *
 * Not used: PERF_RECORD_MMAP2. It shows a mapping after every growth and change of protection as if it were
 * new, and never shows one ending.
 */
import type { PerfState } from "./perf.ts";
import { becomeProgram, childBorn, knownThread, threadExits, threadOf } from "./perf-tasks.ts";
import { recordEvent } from "./recorder.ts";
import { seekField, startsWith, takeDecimal, takeToken, wordOf } from "./scan.ts";

const LOST = wordOf("PERF_RECORD_LOST");
const COMM = wordOf("PERF_RECORD_COMM");
const FORK = wordOf("PERF_RECORD_FORK");
const EXIT = wordOf("PERF_RECORD_EXIT");
const OPEN = wordOf("(");
const COLON = wordOf(":");
const EXEC = wordOf("exec: ");

/** One such record. False: its fields cannot be read. Undefined: of no use here. */
export function sideRecord(p: PerfState): boolean | undefined {
  const { bytes } = p.scan;
  const { eventStart } = p.head;
  const is = (word: Uint8Array): boolean => startsWith(bytes, eventStart, p.scan.end, word);
  if (is(LOST)) {
    recordEvent(p.r, threadOf(p).recorded, p.time, { kind: "lost", what: "perf lost samples here" });
    return true;
  }
  if (p.hasSchedEvents) return undefined;
  p.scan.at = eventStart;
  if (is(COMM)) return commRecord(p);
  if (is(FORK)) return forkRecord(p);
  if (is(EXIT)) return exitRecord(p);
  return undefined;
}

function commRecord(p: PerfState): boolean | undefined {
  const s = p.scan;
  // Without the tracepoints this is how an exec shows; other changes of name are no matter of memory.
  if (!seekField(s, EXEC)) return undefined;
  p.tasks.hasLifeCycle = true;
  const from = s.at;
  if (!seekField(s, COLON)) return false;
  const to = s.at - 1;
  s.at = from;
  s.end = to;
  becomeProgram(p, threadOf(p), takeToken(s));
  return true;
}

/** `PERF_RECORD_FORK(pid:tid):(parent pid:tid)`: the child first. */
function forkRecord(p: PerfState): boolean {
  p.tasks.hasLifeCycle = true;
  const s = p.scan;
  if (!seekField(s, OPEN)) return false;
  takeDecimal(s);
  if (!seekField(s, COLON)) return false;
  const child = takeDecimal(s);
  if (!seekField(s, OPEN) || !seekField(s, COLON)) return false;
  const parent = p.tasks.threads.get(takeDecimal(s));
  if (s.ok && parent !== undefined && !parent.exited) childBorn(p, parent, child);
  return s.ok;
}

function exitRecord(p: PerfState): boolean {
  p.tasks.hasLifeCycle = true;
  const t = knownThread(p);
  if (t !== undefined) threadExits(p, t);
  return true;
}
