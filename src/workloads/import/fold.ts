/**
 * Folds raw references into runs of one page without loss: what comes out, taken record by record, leaves
 * every least-recently-used structure of two entries or more as the raw stream would, with the same hits and
 * misses.
 *
 *     raw     I c  L d  I c  L d  I c  S e          c, d, e: pages
 *     folded  c ×2     d ×2     | c ×1   e ×1       a window holds one code page and one data page
 *
 * Instructions and data interleave, so a run of consecutive references alone would fold nothing. A window
 * therefore holds one page of each. It is passed on, in order of first use, before a third page is used. Code
 * references after the window's last data reference open the next window, so that the order of last uses is
 * right as well.
 */
import { REF } from "../records.ts";

/** Takes a finished run: its page, kind, counts, and the time of its first reference. */
export type RunTaker = (vpn: number, kind: number, reads: number, writes: number, time: number) => void;

export interface Fold {
  codePage: number;
  /** Instructions of the window's code page; `trailing` of them came after the last data reference. */
  code: number;
  trailing: number;
  codeTime: number;
  trailingTime: number;
  dataPage: number;
  reads: number;
  writes: number;
  dataKind: number;
  dataTime: number;
}

export function makeFold(): Fold {
  return {
    codePage: -1,
    code: 0,
    trailing: 0,
    codeTime: 0,
    trailingTime: 0,
    dataPage: -1,
    reads: 0,
    writes: 0,
    dataKind: REF.READ,
    dataTime: 0,
  };
}

/** An instruction on that page. */
export function foldCode(f: Fold, vpn: number, time: number, take: RunTaker): void {
  if (f.code > 0 && f.codePage !== vpn) {
    // The first leaves the trailing instructions as a window of their own, which the second passes on.
    closeWindow(f, take);
    if (f.code > 0) closeWindow(f, take);
  }
  if (f.code === 0) {
    // A window begins with code: data that came first leaves at once.
    passData(f, take);
    f.codePage = vpn;
    f.codeTime = time;
  }
  if (f.trailing === 0) f.trailingTime = time;
  f.code++;
  f.trailing++;
}

/** A data reference: reads and writes of one access; an access that does both counts as a write first. */
export function foldData(
  f: Fold,
  vpn: number,
  reads: number,
  writes: number,
  time: number,
  take: RunTaker,
): void {
  const open = f.reads + f.writes > 0;
  if (open && f.dataPage !== vpn) closeWindow(f, take);
  if (f.reads + f.writes === 0) {
    f.dataPage = vpn;
    f.dataTime = time;
    f.dataKind = writes > 0 ? REF.WRITE : REF.READ;
  } else if (writes > 0 && f.dataKind === REF.READ) f.dataKind = REF.READ_WRITE;
  f.reads += reads;
  f.writes += writes;
  f.trailing = 0;
}

/** Passes on the window; its trailing instructions remain and open the next. */
function closeWindow(f: Fold, take: RunTaker): void {
  const hasData = f.reads + f.writes > 0;
  const settled = hasData ? f.code - f.trailing : f.code;
  if (settled > 0) take(f.codePage, REF.EXECUTE, settled, 0, f.codeTime);
  passData(f, take);
  f.code -= settled;
  f.codeTime = f.trailingTime;
  f.trailing = f.code;
}

function passData(f: Fold, take: RunTaker): void {
  if (f.reads + f.writes > 0) take(f.dataPage, f.dataKind, f.reads, f.writes, f.dataTime);
  f.reads = 0;
  f.writes = 0;
}

/** Passes on everything: before an event, a switch of thread, the end. */
export function flushFold(f: Fold, take: RunTaker): void {
  closeWindow(f, take);
  closeWindow(f, take);
  f.codePage = -1;
  f.dataPage = -1;
}
