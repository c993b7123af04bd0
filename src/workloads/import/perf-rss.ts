/**
 * kmem:rss_stat: what the recording kernel counted as resident. The file pages become `file-rss` events,
 * because the trace cannot tell them otherwise; anonymous pages are what the model predicts.
 *
 * A line says of which mm it speaks (`mm_id`, a hash) and whether that is the current thread's own
 * (`curr=1`). Lines about other mms come from fork (the child's, being filled), exec (the new one) and exit
 * (the old one).
 */
import type { PerfState } from "./perf.ts";
import { knownThread, NO_EXEC, type PerfThread, STARTING } from "./perf-tasks.ts";
import { type RecordedProcess, recordEvent } from "./recorder.ts";
import { seekField, startsWith, takeDecimal, wordOf } from "./scan.ts";

const MM_ID = wordOf("mm_id=");
const CURR = wordOf("curr=");
const TYPE = wordOf("type=");
const SIZE = wordOf("size=");
const FILE_PAGES = wordOf("MM_FILEPAGES");
const SHMEM_PAGES = wordOf("MM_SHMEMPAGES");

/** One address space of the recording. */
interface RecordedMm {
  filePages: number;
  shmemPages: number;
  /** Its process has gone on to another or has ended; the next mm with this number is a new one. */
  left: boolean;
}

export interface RssState {
  readonly mms: Map<number, RecordedMm>;
  /** mm of each process, by process index. */
  readonly ofProcess: number[];
}

export function makeRssState(): RssState {
  return { mms: new Map(), ofProcess: [] };
}

const CHILD_CALLS = ["clone", "clone3", "fork", "vfork"];

export function rssStat(p: PerfState): boolean {
  const s = p.scan;
  if (!seekField(s, MM_ID)) return false;
  const id = takeDecimal(s);
  if (!seekField(s, CURR)) return false;
  const current = takeDecimal(s) === 1;
  if (!seekField(s, TYPE)) return false;
  const isFile = startsWith(s.bytes, s.at, s.end, FILE_PAGES);
  const isShmem = !isFile && startsWith(s.bytes, s.at, s.end, SHMEM_PAGES);
  if (!seekField(s, SIZE)) return false;
  const pages = Math.floor(takeDecimal(s) / 4096);
  if (!s.ok) return false;

  let mm = p.rss.mms.get(id);
  const isNew = mm === undefined;
  if (mm === undefined) {
    mm = { filePages: 0, shmemPages: 0, left: false };
    p.rss.mms.set(id, mm);
  }
  if (isFile) mm.filePages = pages;
  else if (isShmem) mm.shmemPages = pages;

  const t = knownThread(p);
  if (t === undefined) return true;
  if (!current) noticeStranger(p, t, id, mm, isNew);
  else if (id === t.execMm || t.execMm === STARTING) {
    // The fault before this line was the first in the new address space, whose exec is about to be told.
    const lastHeld = t.held.at(-1);
    if (lastHeld !== undefined) lastHeld.inNewMm = true;
    p.rss.ofProcess[t.recorded.process.index] = id;
    mm.left = false;
  } else noticeCurrent(p, t, id, mm, isFile || isShmem);
  return true;
}

/**
 * Outside fork, an mm that nobody has seen is the one that exec prepares. When the process's own is emptied
 * as a stranger's, exec (or exit) has already left it.
 */
function noticeStranger(p: PerfState, t: PerfThread, id: number, mm: RecordedMm, isNew: boolean): void {
  if (CHILD_CALLS.includes(t.call)) mm.left = false;
  else if (isNew || (mm.left && t.execMm === NO_EXEC)) t.execMm = id;
  else if (p.rss.ofProcess[t.recorded.process.index] === id) leaveMm(p, t.recorded.process);
}

function noticeCurrent(p: PerfState, t: PerfThread, id: number, mm: RecordedMm, changed: boolean): void {
  const process = t.recorded.process;
  const firstSight = p.rss.ofProcess[process.index] !== id;
  p.rss.ofProcess[process.index] = id;
  mm.left = false;
  // A child's file pages were counted while fork filled its mm; they are told when the child is first seen
  // with it.
  if (changed || firstSight) tellFileRss(p, t, mm);
}

function tellFileRss(p: PerfState, t: PerfThread, mm: RecordedMm): void {
  recordEvent(p.r, t.recorded, p.time, { kind: "file-rss", pages: mm.filePages + mm.shmemPages });
}

/** The process has left its mm, by exec or exit. */
export function leaveMm(p: PerfState, process: RecordedProcess): void {
  const id = p.rss.ofProcess[process.index];
  if (id === undefined) return;
  delete p.rss.ofProcess[process.index];
  // A child of vfork has borrowed the mm of its parent, who goes on with it.
  const mm = p.rss.mms.get(id);
  if (mm === undefined || p.rss.ofProcess.includes(id)) return;
  mm.left = true;
  mm.filePages = 0;
  mm.shmemPages = 0;
}

/** After an exec: the file pages that the new mm had gained by then. */
export function announceFileRss(p: PerfState, t: PerfThread): void {
  const id = p.rss.ofProcess[t.recorded.process.index];
  const isNew = id === t.execMm || t.execMm === STARTING;
  const mm = isNew && id !== undefined ? p.rss.mms.get(id) : undefined;
  if (mm !== undefined && mm.filePages + mm.shmemPages > 0) tellFileRss(p, t, mm);
}
